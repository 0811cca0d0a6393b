/** The statistics of a tensor as labelled text. */
import type { TensorStatistics } from '../experiment/tensor-statistics'
import { formatSignificant } from '../figures/format-number'

export interface TensorFact {
  readonly label: string
  readonly value: string
  /** What it is. */
  readonly help: string
  /** Takes a line of its own. */
  readonly wide: boolean
}

const DIGITS = 4
/** Smaller magnitudes are written with an exponent. */
const SMALLEST_DECIMAL = 1e-4

function numberText(value: number): string {
  if (value === 0 || Math.abs(value) >= SMALLEST_DECIMAL) return formatSignificant(value, DIGITS)
  return value.toExponential(DIGITS - 1).replaceAll('-', '−')
}

/** Values are in the unit of the tensor. */
export function tensorFacts(statistics: TensorStatistics): readonly TensorFact[] {
  const { minimum, maximum, mean, standardDeviation, kurtosis, channelMax, nonFinite, elements } = statistics
  const shown = (value: number | null) => (value === null ? 'none' : numberText(value))
  const channel = channelMax.reduce((best, value, at) => (value > channelMax[best] ? at : best), 0)
  const fact = (label: string, value: string, help: string) => ({ label, value, help, wide: false })
  return [
    fact('Minimum', shown(minimum), 'The smallest element.'),
    fact('Maximum', shown(maximum), 'The largest element.'),
    fact('Mean', shown(mean), 'Mean of all elements.'),
    fact('Std', shown(standardDeviation), 'Standard deviation of all elements.'),
    fact('Kurtosis', shown(kurtosis), 'Fourth standardised moment: 3 for a Gaussian.'),
    fact('Elements', elements.toLocaleString('en-US'), 'How many there are.'),
    {
      label: 'Largest channel',
      value:
        channelMax.length === 0
          ? 'none'
          : `${channel.toLocaleString('en-US')}: max |x| ${numberText(channelMax[channel])}`,
      help: 'The channel (index along the last axis) with the largest magnitude, and that magnitude.',
      wide: true,
    },
    {
      label: 'Not finite',
      value: nonFiniteText(nonFinite),
      help: 'NaN and infinite elements; no number here counts them.',
      wide: true,
    },
  ]
}

function nonFiniteText({ nan, positiveInfinity, negativeInfinity, firstIndex }: TensorStatistics['nonFinite']): string {
  const infinite = positiveInfinity + negativeInfinity
  if (nan + infinite === 0) return 'none'
  const kinds = [
    ...(nan > 0 ? [`${nan.toLocaleString('en-US')} NaN`] : []),
    ...(infinite > 0 ? [`${infinite.toLocaleString('en-US')} Inf`] : []),
  ]
  return `${kinds.join(', ')}${firstIndex === null ? '' : `, first at ${firstIndex.toLocaleString('en-US')}`}`
}
