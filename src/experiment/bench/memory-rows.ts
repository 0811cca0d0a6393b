/** What comparisons take on the GPU at once, beside what their plan says. */
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { meterPool } from '../../gpu/memory-meter'
import type { MemoryPlan } from '../memory-plan'
import { runComparison } from '../run-comparison'
import { COMPARED_METHODS, type ComparisonTime, requestOf, shortened, uploadLayer } from './comparison-cases'
import type { BenchRow, MemoryRow } from './report'

const nameOf = (method: string) => `memory ${method}`

export const MEMORY_NAMES: readonly string[] = COMPARED_METHODS.map(nameOf)

export interface MemoryRequest {
  readonly shape: string
  readonly isWanted: (name: string) => boolean
  readonly time: ComparisonTime
}

/**
 * A row per wanted method of the eight: the most bytes that lived at once, layer included, and the most its plan allowed. Learned
 * methods take one step: they allocate for all of them at the first.
 */
export async function memoryRows(gpu: Gpu, { shape, isWanted, time }: MemoryRequest): Promise<BenchRow[]> {
  const arena = new Arena(gpu)
  const rows: BenchRow[] = []
  try {
    const layer = uploadLayer(gpu, arena)
    for (const method of COMPARED_METHODS.filter((id) => isWanted(nameOf(id)))) {
      rows.push(await memoryRow(gpu, layer, { method, shape, base: arena.bytes, time }))
    }
  } finally {
    arena.release()
  }
  return rows
}

interface MemoryCase {
  readonly method: string
  readonly shape: string
  /** Bytes of the layer, which is there already. */
  readonly base: number
  readonly time: ComparisonTime
}

async function memoryRow(
  gpu: Gpu,
  layer: ReturnType<typeof uploadLayer>,
  { method, shape, base, time }: MemoryCase,
): Promise<BenchRow> {
  const pool = meterPool(gpu.pool, { base })
  const plans: MemoryPlan[] = []
  const failures: string[] = []
  await runComparison(layer, requestOf([shortened(method)]), { gpu: { ...gpu, pool }, ...time }, (event) => {
    if (event.kind === 'plan') plans.push(event.plan)
    if (event.kind === 'outcome' && event.outcome.kind === 'failure') failures.push(event.outcome.error.message)
  })
  const name = nameOf(method)
  if (failures.length > 0) return { kind: 'refused', name, shape, reason: failures[0] }
  const row: MemoryRow = { kind: 'memory', name, shape, peakBytes: pool.peakBytes, planBytes: plans[0].peakBytes }
  return row
}
