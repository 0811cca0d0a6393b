import { numberOption, type OptionSpec, type OptionValues } from '../../core/options'
import type { WeightingKind } from './weighting'

/** What a user chooses about a low-rank branch. */
export interface LowRankOptions {
  readonly rank: number
  readonly weighting: WeightingKind
  /** 'error-first': the branch corrects the rounding error; 'weight-first': it takes the weight's largest directions. */
  readonly order: 'error-first' | 'weight-first'
  readonly input: 'full' | 'quantized'
}

export const LOW_RANK_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'rank',
    label: 'Rank',
    help: 'Directions the branch keeps in BF16, at most the smaller side of the weight. 0 turns it off.',
    kind: 'number',
    default: 32,
    min: 0,
    max: 256,
    integer: true,
  },
  {
    key: 'weighting',
    label: 'What counts as error',
    help:
      'plain: of the weights. lqer, qera-approx: channels count by their mean or mean square. ' +
      'qera-exact: of the output on the calibration rows.',
    kind: 'choice',
    default: 'qera-exact',
    choices: ['plain', 'lqer', 'qera-approx', 'qera-exact'],
  },
  {
    key: 'branch',
    label: 'Branch',
    help: 'error-first: corrects what rounding did. weight-first: takes the largest directions out of the weight, and the rest is rounded (SVDQuant).',
    kind: 'choice',
    default: 'error-first',
    choices: ['error-first', 'weight-first'],
  },
  {
    key: 'branchInput',
    label: 'Input of the branch',
    help: 'full: activations before they are rounded (SVDQuant, QERA). quantized: the same as the main product (LQER).',
    kind: 'choice',
    default: 'full',
    choices: ['full', 'quantized'],
  },
]

const WEIGHTINGS: readonly WeightingKind[] = ['plain', 'lqer', 'qera-approx', 'qera-exact']

/** The choices in a completed set of values. */
export function lowRankOptions(values: OptionValues): LowRankOptions {
  return {
    rank: numberOption(values, 'rank'),
    weighting: WEIGHTINGS.find((kind) => kind === values.weighting) ?? 'qera-exact',
    order: values.branch === 'weight-first' ? 'weight-first' : 'error-first',
    input: values.branchInput === 'quantized' ? 'quantized' : 'full',
  }
}
