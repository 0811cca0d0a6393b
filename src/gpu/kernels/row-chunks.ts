import type { Gpu } from '../device'

/** Work of one dispatch in floating-point operations: about 0.1 s at 3 GFLOP/s in software, tens of ms on a GPU. */
const SOFTWARE_OPERATIONS = 2 ** 28
const HARDWARE_OPERATIONS = 2 ** 34

/** Multiple of every kernel's tile, so that only the last chunk has a ragged edge. */
const TILE = 64

/**
 * Rows one dispatch may take so that it stays short (the page draws between dispatches, and watchdogs end work of
 * seconds): a multiple of 64, at least 64, at most `rows` rounded up. `operationsPerRow` counts multiplies and adds.
 */
export function rowsPerDispatch(gpu: Gpu, rows: number, operationsPerRow: number): number {
  const budget = gpu.adapter.isSoftware ? SOFTWARE_OPERATIONS : HARDWARE_OPERATIONS
  const affordable = Math.max(1, Math.floor(budget / (operationsPerRow * TILE))) * TILE
  return Math.min(affordable, Math.ceil(rows / TILE) * TILE)
}
