/** How much of a comparison the GPU waits: for the program, for copies, between submits. */
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { uploadMatrix } from '../../gpu/transfer'
import { runComparison } from '../run-comparison'
import { type ComparisonTime, requestOf } from './comparison-cases'
import { gaussian } from './gaussian'
import { median } from './interleave'
import type { BenchRow } from './report'

export const IDLE_OVERHEAD = 'idle overhead'

const METHOD = 'rtn'
/** n of the n x n layer, and its rows. */
const SOFTWARE_LAYER = { n: 1024, tokens: 512 }
const HARDWARE_LAYERS = [SOFTWARE_LAYER, { n: 4096, tokens: 2048 }]
/** The first run compiles and is not counted. */
const RUNS = 3

/**
 * RTN under W4A4 from the layer on the GPU to error numbers: a row for the n x n layer asked for, or one for each of the
 * default ones. Refused where the GPU has no clock of its own.
 */
export async function idleRows(gpu: Gpu, n: number | null, time: ComparisonTime): Promise<BenchRow[]> {
  const usual = gpu.adapter.isSoftware ? [SOFTWARE_LAYER] : HARDWARE_LAYERS
  const layers = n === null ? usual : [{ n, tokens: n / 2 }]
  const rows: BenchRow[] = []
  for (const layer of layers) rows.push(await idleRow(gpu, layer, time))
  return rows
}

async function idleRow(
  gpu: Gpu,
  { n, tokens }: { readonly n: number; readonly tokens: number },
  time: ComparisonTime,
): Promise<BenchRow> {
  const identity = { name: IDLE_OVERHEAD, shape: `${n} x ${n}, ${tokens} tokens` }
  const refused = (reason: string): BenchRow => ({ kind: 'refused', ...identity, reason })
  const { passClock } = gpu
  if (!passClock) return refused('expected a device with timestamp-query, found none')
  const arena = new Arena(gpu)
  try {
    const rows = uploadMatrix(gpu, arena, gaussian(tokens, n, 1), 'bench x')
    const weight = uploadMatrix(gpu, arena, gaussian(n, n, 2), 'bench w')
    const layer = { name: 'layer.weight', weight, calibration: rows, evaluation: rows, weightBits: 32 }
    const shares: { wallMs: number; passMs: number }[] = []
    for (let run = 0; run <= RUNS; run++) {
      await gpu.device.queue.onSubmittedWorkDone()
      await passClock.take()
      const start = time.now()
      const failures: string[] = []
      await runComparison(layer, requestOf([{ id: METHOD, options: {} }]), { gpu, ...time }, (event) => {
        if (event.kind === 'outcome' && event.outcome.kind === 'failure') failures.push(event.outcome.error.message)
      })
      const wallMs = time.now() - start
      const passMs = await passClock.take()
      if (failures.length > 0) return refused(failures[0])
      if (passMs === null) return refused('expected no more passes than the clock has room for')
      if (run > 0) shares.push({ wallMs, passMs })
    }
    const typical = median(shares.map(({ wallMs, passMs }) => passMs / wallMs))
    const wallMs = median(shares.map((share) => share.wallMs))
    return { kind: 'idle', ...identity, wallMs, passMs: typical * wallMs }
  } finally {
    arena.release()
  }
}
