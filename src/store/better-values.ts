/** Values that sweeps found better than those in use: what a button offers beside them. Loaded with the views that have one. */
import { TOKENS_PARAMETER } from '../experiment/request'
import type { MethodResult, PreScaleSweep } from '../experiment/result'
import { methodLabel } from '../figures/describe'
import { shownDifference } from '../figures/format-number'
import { bestSwept } from '../figures/parameter-sweep'
import { preScaleInUse } from '../figures/pre-scale-sweep'
import { bestValue } from '../figures/sweep-words'
import type { SweepModel } from './sweeps'

/** The value of an option of one method. */
export interface BetterValue {
  readonly method: string
  readonly value: number
  /** Output SQNR on evaluation rows above that of the value in use, as shown; null where one of both has none. */
  readonly gainDb: number | null
}

/** The gain of one SQNR over another; undefined where a reader sees none. NaN: the value in use has no number. */
function gainOver(best: number, used: number): number | null | undefined {
  const gain = shownDifference(best, used)
  if (gain === null) return used >= best ? undefined : null
  return gain > 0 ? gain : undefined
}

/** The best value of each method, where it beats the one in use. Calibration rows are no option, and stale lines no advice. */
export function betterValues({ key, lines, inUse, stale }: SweepModel): readonly BetterValue[] {
  if (stale !== null || key === TOKENS_PARAMETER) return []
  return lines.flatMap(({ method, points }, at) => {
    const best = bestSwept({ points })
    const used = points.find(({ value }) => value === inUse[at])?.evaluation?.outputSqnrDb ?? Number.NaN
    const gainDb = best ? gainOver(best.decibels, used) : undefined
    return best === null || gainDb === undefined ? [] : [{ method, value: best.value, gainDb }]
  })
}

/** A factor that is best for some methods, all in one variant. */
export interface BetterPreScale {
  readonly factor: number
  readonly variant: PreScaleSweep['variant']
  /** Their names. */
  readonly methods: readonly string[]
}

/** The best factors of the pre-scale sweeps, where they beat the one in use; the most methods first. */
export function betterPreScales(results: readonly MethodResult[]): readonly BetterPreScale[] {
  const found = new Map<number, BetterPreScale>()
  for (const result of results) {
    const sweep = result.scaleAnalysis?.preScaleSweep ?? null
    if (sweep === null) continue
    const points = sweep.values.map((factor, i) => ({ factor, decibels: sweep.outputSqnrDb[i] }))
    const best = bestValue(points)
    const inUse = preScaleInUse(result, sweep)
    const used = points.find(({ factor }) => factor === inUse)?.decibels ?? Number.NaN
    if (best === null || gainOver(best.decibels, used) === undefined) continue
    const methods = [...(found.get(best.factor)?.methods ?? []), methodLabel(result.method)]
    found.set(best.factor, { factor: best.factor, variant: sweep.variant, methods })
  }
  return [...found.values()].sort((a, b) => b.methods.length - a.methods.length)
}
