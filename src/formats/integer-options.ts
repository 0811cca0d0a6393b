import type { OptionSpec } from '../core/options'
import { INTEGER_SCHEMES } from './number-format'

/** What a user may choose with an integer format. */
export const INTEGER_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'group',
    label: 'Scale per',
    help: 'Elements sharing a scale: the whole row (per channel for weights, per token for activations) or a group along it.',
    kind: 'choice',
    default: 'row',
    choices: ['row', '32', '64', '128'],
  },
  {
    key: 'scheme',
    label: 'Range',
    help: 'Symmetric to the largest code (sym-max), symmetric to half a code more (sym-half), or from minimum to maximum (asym).',
    kind: 'choice',
    default: 'sym-max',
    choices: INTEGER_SCHEMES,
  },
]
