/** Outcomes in few numbers, for runs that are kept: what figures draw, at a lower resolution. */
import type { ActivationProfile, Histogram, MagnitudeMap, MethodOutcome, TrainingCurve } from '../result'

/** How much of a profile is kept. */
export interface Resolution {
  /** Different values in a list over channels; the list keeps its length. */
  readonly channels: number
  /** Cells of the map. */
  readonly rows: number
  readonly cols: number
  /** Bins of the histogram. */
  readonly bins: number
  /** Points of a training curve. */
  readonly points: number
}

/** From fine to coarse. */
export const RESOLUTIONS: readonly [Resolution, ...Resolution[]] = [
  { channels: 1024, rows: 48, cols: 96, bins: 512, points: 256 },
  { channels: 512, rows: 32, cols: 64, bins: 256, points: 128 },
  { channels: 256, rows: 16, cols: 48, bins: 128, points: 64 },
  { channels: 128, rows: 12, cols: 24, bins: 64, points: 32 },
]

/** Neighbours that share a value so that a list of `length` has at most `most` different ones. */
const groupSize = (length: number, most: number) => Math.max(1, Math.ceil(length / most))

/** Every entry becomes the largest of its group of neighbours: peaks stay, at nearly their place. */
function coarse(values: Float32Array, most: number): Float32Array {
  const size = groupSize(values.length, most)
  const result = new Float32Array(values.length)
  for (let first = 0; first < values.length; first += size) {
    const group = values.subarray(first, first + size)
    result.fill(
      group.reduce((largest, value) => Math.max(largest, value), 0),
      first,
      first + size,
    )
  }
  return result
}

/** Cells of neighbours become one, the largest of them. */
function smallMap(map: MagnitudeMap, { rows: mostRows, cols: mostCols }: Resolution): MagnitudeMap {
  const [down, right] = [groupSize(map.rows, mostRows), groupSize(map.cols, mostCols)]
  const [rows, cols] = [Math.ceil(map.rows / down), Math.ceil(map.cols / right)]
  const values = new Float32Array(rows * cols)
  map.values.forEach((value, at) => {
    const cell = Math.floor(Math.floor(at / map.cols) / down) * cols + Math.floor((at % map.cols) / right)
    values[cell] = Math.max(values[cell], value)
  })
  return { ...map, rows, cols, values }
}

/** Pairs of bins are added up until few are left; no count is lost. */
function fewBins({ range, counts }: Histogram, most: number): Histogram {
  if (counts.length <= most || counts.length % 2 !== 0) return { range, counts }
  const pairs = Float64Array.from({ length: counts.length / 2 }, (_, i) => counts[2 * i] + counts[2 * i + 1])
  return fewBins({ range, counts: pairs }, most)
}

/** Every so many steps of the curve, the last one and the one that was kept always among them. */
function fewPoints({ steps, losses, bestStep }: TrainingCurve, most: number): TrainingCurve {
  const every = groupSize(steps.length, most - 2)
  const kept = steps.flatMap((step, at) =>
    at % every === 0 || at === steps.length - 1 || step === bestStep ? [at] : [],
  )
  return { steps: kept.map((at) => steps[at]), losses: kept.map((at) => losses[at]), bestStep }
}

function reducedProfile(profile: ActivationProfile, resolution: Resolution): ActivationProfile {
  return {
    ...profile,
    histogram: fewBins(profile.histogram, resolution.bins),
    map: smallMap(profile.map, resolution),
    channelMax: coarse(profile.channelMax, resolution.channels),
    channelRms: coarse(profile.channelRms, resolution.channels),
  }
}

/** The same outcome with its profile and its curve at `resolution`. Every other number is untouched. */
export function reducedOutcome(outcome: MethodOutcome, resolution: Resolution): MethodOutcome {
  if (outcome.kind === 'failure') return outcome
  return {
    ...outcome,
    profile: reducedProfile(outcome.profile, resolution),
    training: outcome.training && fewPoints(outcome.training, resolution.points),
  }
}
