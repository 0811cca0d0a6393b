/** Which rows of the activations are used, and which of them are held out. */
import { MAX_HELD_OUT_SHARE, splitRows } from '../experiment/split-rows'
import { effectiveTokens } from './result-keys'
import { findTensor, visibleFiles } from './selection'
import type { AppState } from './state'
import { MIN_ROWS } from './url'

/** Half-open ranges of rows: [start, split) calibrate, [split, end) evaluate. */
export interface RowSplit {
  readonly total: number
  readonly start: number
  /** Where evaluation begins; `end` where both use the same rows. */
  readonly split: number
  readonly end: number
  /** Generated rows are all used. */
  readonly isFixed: boolean
}

/** null while no weight is chosen, or its activations are gone. */
export function rowSplit(state: AppState): RowSplit | null {
  const { activations, heldOutShare, synthetic, weight } = state.source
  if (weight === null) return null
  if (activations.kind !== 'captured') {
    return { total: synthetic.tokens, ...splitOf(0, synthetic.tokens, heldOutShare), isFixed: true }
  }
  const chosen = findTensor(visibleFiles(state.source), activations)
  if (!chosen) return null
  const total = chosen.view.shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const start = Math.min(state.source.firstToken, Math.max(0, total - MIN_ROWS))
  const end = Math.min(total, start + (effectiveTokens(state) ?? total))
  return { total, ...splitOf(start, end, heldOutShare), isFixed: false }
}

function splitOf(start: number, end: number, heldOutShare: number) {
  const isSplit = heldOutShare > 0 && end - start >= MIN_ROWS
  return { start, split: isSplit ? start + splitRows(end - start, heldOutShare).calibration.end : end, end }
}

/** A boundary of the rows. */
export type RowEdge = 'start' | 'split' | 'end'

/** Where a boundary may be. Evaluation takes at most four fifths of the rows. */
export function edgeRange({ total, start, end }: RowSplit, edge: RowEdge): readonly [number, number] {
  if (edge === 'start') return [0, end - MIN_ROWS]
  if (edge === 'end') return [start + MIN_ROWS, total]
  return [Math.max(start + 1, end - Math.floor(MAX_HELD_OUT_SHARE * (end - start))), end]
}

/** What a boundary put at `row` means. The other boundaries stay, the held-out share where rows are added or left out. */
export function movedEdge(rows: RowSplit, edge: RowEdge, row: number) {
  const [min, max] = edgeRange(rows, edge)
  const at = Math.round(Math.min(Math.max(row, min), max))
  const { start, end, total } = rows
  if (edge === 'split') {
    // Three decimals tell rows apart in the address; more of them where three do not.
    const share = (end - at) / (end - start)
    const digits = Math.max(3, Math.ceil(Math.log10(end - start)))
    return { heldOutShare: Math.min(MAX_HELD_OUT_SHARE, Number(share.toFixed(digits))) }
  }
  const [first, last] = edge === 'start' ? [at, end] : [start, at]
  return { firstToken: first, tokens: last === total ? null : last - first }
}
