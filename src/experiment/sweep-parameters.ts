/** What can be swept, and over which values: plain data for menus, the command line and runSweep. */
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { TOKENS_PARAMETER } from './request'

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

/** The parameters of a method that can be swept: its numeric options, and the calibration rows. */
export function sweepParameters(methodId: string): readonly { readonly key: string; readonly label: string }[] {
  const numeric = optionsOf(methodById(methodId)).filter(({ kind }) => kind === 'number')
  return [...numeric.map(({ key, label }) => ({ key, label })), { key: TOKENS_PARAMETER, label: 'Calibration tokens' }]
}

/** The values a sweep of `methodId` takes unless it is told others. `tokens`: calibration rows there are. */
export function sweepValues(methodId: string, parameter: string, tokens: number): readonly number[] {
  if (parameter === TOKENS_PARAMETER) {
    const values: number[] = []
    for (let rows = FIRST_TOKENS; rows < tokens; rows *= 2) values.push(rows)
    return [...values, tokens]
  }
  const option = optionsOf(methodById(methodId)).find(({ key }) => key === parameter)
  if (option?.kind !== 'number') return []
  const { min, max, integer } = option
  const usual = USUAL_VALUES[parameter]?.filter((value) => value >= min && value <= max)
  const even = Array.from({ length: EVEN_STEPS + 1 }, (_, step) => min + (step * (max - min)) / EVEN_STEPS)
  return usual ?? [...new Set(integer ? even.map(Math.round) : even)]
}
