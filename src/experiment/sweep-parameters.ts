/** What can be swept, and over which values: plain data for menus, the command line and runSweep. */
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { TOKENS_PARAMETER } from './request'
import type { LayerFacts } from './result'

const RANK_PARAMETER = 'rank'
const FIRST_TOKENS = 64
/** Steps over the range of an option whose useful values are not known. */
const EVEN_STEPS = 6

/** Values for options whose useful range is known; those of others are spread evenly. */
const USUAL_VALUES: Readonly<Record<string, readonly number[]>> = {
  rank: [0, 4, 8, 16, 32, 64, 128],
  alpha: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  damping: [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1],
  points: [5, 10, 20, 40],
  steps: [0, 15, 30, 60, 120, 240],
  learningRate: [1e-3, 2e-3, 5e-3, 1e-2, 2e-2],
}

/** Transforms made from formats and a seed alone: no calibration row changes them. */
const DATA_FREE_TRANSFORMS: readonly string[] = ['identity', 'quarot', 'block-hadamard']

/** Whether the result of a method depends on the calibration rows. */
export function isCalibrated(methodId: string): boolean {
  const { transform, mitigation } = methodById(methodId)
  return !DATA_FREE_TRANSFORMS.includes(transform.id) || mitigation.id !== 'round-to-nearest'
}

/** The parameters of a method that can be swept: its numeric options, and the calibration rows where it uses them. */
export function sweepParameters(methodId: string): readonly { readonly key: string; readonly label: string }[] {
  const numeric = optionsOf(methodById(methodId)).filter(({ kind }) => kind === 'number')
  const tokens = { key: TOKENS_PARAMETER, label: 'Calibration tokens' }
  return [...numeric.map(({ key, label }) => ({ key, label })), ...(isCalibrated(methodId) ? [tokens] : [])]
}

/** What a layer says about the values that make sense on it. */
export type SweptLayer = Pick<LayerFacts, 'calibrationTokens' | 'outDim' | 'inDim'>

/** The value that `value` comes to on a layer: no branch has a rank above the smaller side of the weight. */
export function reachedValue(parameter: string, value: number, { outDim, inDim }: SweptLayer): number {
  return parameter === RANK_PARAMETER ? Math.min(value, outDim, inDim) : value
}

/** The values a sweep of `methodId` takes on a layer unless it is told others. */
export function sweepValues(methodId: string, parameter: string, layer: SweptLayer): readonly number[] {
  if (parameter === TOKENS_PARAMETER) {
    const values: number[] = []
    for (let rows = FIRST_TOKENS; rows < layer.calibrationTokens; rows *= 2) values.push(rows)
    return [...values, layer.calibrationTokens]
  }
  const option = optionsOf(methodById(methodId)).find(({ key }) => key === parameter)
  if (option?.kind !== 'number') return []
  const { min, max, integer } = option
  const usual = USUAL_VALUES[parameter]?.filter(
    (value) => value >= min && value <= max && reachedValue(parameter, value, layer) === value,
  )
  const even = Array.from({ length: EVEN_STEPS + 1 }, (_, step) => min + (step * (max - min)) / EVEN_STEPS)
  return usual ?? [...new Set(integer ? even.map(Math.round) : even)]
}
