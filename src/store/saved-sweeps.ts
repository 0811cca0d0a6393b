/** Sweeps as a file of results holds them, and back. */
import type { SavedSweep } from '../experiment/results/results-file'
import type { AppState } from './state'
import { type SweepSeries, wantedSeries } from './sweeps'
import type { Vocabulary } from './vocabulary'

/** What is swept under the layer, setting and options on screen. */
export function writtenSweeps(state: AppState, vocabulary: Vocabulary): readonly SavedSweep[] {
  return Object.entries(state.sweeps.series).flatMap(([parameter, all]) => {
    const wanted = wantedSeries(state, parameter, vocabulary)
    return all
      .filter(({ key, points }) => points.length > 0 && wanted.some((each) => each.key === key))
      .map(({ method, inUse, values, points }) => ({ parameter, method, inUse, values, points }))
  })
}

/** Every series of the page, those of a file among them under the keys of the layer on screen. */
export function readSweeps(
  state: AppState,
  sweeps: readonly SavedSweep[],
  vocabulary: Vocabulary,
): Readonly<Record<string, readonly SweepSeries[]>> {
  const parameters = [...new Set(sweeps.map(({ parameter }) => parameter))]
  const read = parameters.map((parameter) => {
    const series = wantedSeries(state, parameter, vocabulary).flatMap(({ setup: _, ...wanted }): SweepSeries[] => {
      const saved = sweeps.find((sweep) => sweep.parameter === parameter && sweep.method === wanted.method)
      return saved ? [{ ...wanted, inUse: saved.inUse, values: saved.values, points: saved.points }] : []
    })
    return [parameter, series] as const
  })
  return { ...state.sweeps.series, ...Object.fromEntries(read) }
}
