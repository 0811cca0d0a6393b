import { InputError } from '../../core/errors'
import { numberOption, type OptionSpec, type OptionValues } from '../../core/options'
import type { ColumnOrder } from './order'

/**
 * Where the scale of a block comes from. 'fresh': from what earlier errors have made of its weights, when its turn comes.
 * The others come from the weights as they are, before anything is rounded: 'static' as the format has them, 'searched'
 * the best of four exponents, 'observer' as MR-GPTQ chooses them.
 */
export type ScaleSource = 'fresh' | 'static' | 'searched' | 'observer'

/** What a user chooses about GPTQ. */
export interface GptqChoices {
  readonly scales: ScaleSource
  readonly order: ColumnOrder
  /** λ: λ · mean of the live diagonal is added to the diagonal of H. */
  readonly damping: number
}

const SCALE_SOURCES: readonly ScaleSource[] = ['fresh', 'static', 'searched', 'observer']
const ORDERS: readonly ColumnOrder[] = ['natural', 'act-order', 'group-order']

/** As the published code has them by default, but for fresh scales that are really fresh. */
export const GPTQ_OPTIONS: readonly OptionSpec[] = [
  {
    key: 'scales',
    label: 'Block scales',
    help:
      'fresh: from the weights as earlier corrections left them, block by block. static: from the original weights. ' +
      'searched: the exponent with the smallest squared error, of four. observer: as published for MR-GPTQ. ' +
      'Formats without a power-of-two scale take static for the last two.',
    kind: 'choice',
    default: 'fresh',
    choices: SCALE_SOURCES,
  },
  {
    key: 'order',
    label: 'Column order',
    help:
      'natural: as the channels lie. act-order: those with the largest activations first. group-order: whole blocks ' +
      'by their largest activation.',
    kind: 'choice',
    default: 'natural',
    choices: ORDERS,
  },
  {
    key: 'damping',
    label: 'Damping λ',
    help:
      'Added to the diagonal of the Hessian, as a multiple of its mean. Larger values trade error on the calibration ' +
      'rows for error on held-out ones.',
    kind: 'number',
    default: 0.01,
    min: 1e-4,
    max: 1,
    integer: false,
  },
]

/** The choices in completed options. Throws InputError MD-06 for scales and an order that exclude each other. */
export function gptqChoices(options: OptionValues): GptqChoices {
  const scales = SCALE_SOURCES.find((each) => each === options.scales) ?? 'fresh'
  const order = ORDERS.find((each) => each === options.order) ?? 'natural'
  if (scales === 'fresh' && order === 'act-order') {
    throw new InputError(
      'MD-06',
      'gptq: expected scales static, searched or observer with order act-order, found fresh. The columns of a block are ' +
        'then quantized at different times, so its scale has to be known before the first of them; for fresh scales ' +
        'choose natural or group-order.',
    )
  }
  return { scales, order, damping: numberOption(options, 'damping') }
}
