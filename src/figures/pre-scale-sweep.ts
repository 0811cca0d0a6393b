import { PRE_SCALE_MAX, PRE_SCALE_MIN } from '../formats/number-format'
import { sweepFigure } from './scale-sweep'

/** Output SQNR over the factor of the exact pre-scale. */
export const preScaleSweep = sweepFigure({
  id: 'pre-scale-sweep',
  label: 'Pre-scale sweep',
  question: 'Which pre-scale suits this layer, and does the answer depend on the method?',
  sweepOf: (analysis) => analysis.preScaleSweep,
  inUse: ({ preScale }) => preScale ?? PRE_SCALE_MAX,
  axisTitle: 'pre-scale factor, exact variant',
  xaxis: () => ({ range: [PRE_SCALE_MIN - 0.01, PRE_SCALE_MAX + 0.01], dtick: 0.1, tickformat: '.1f' }),
  place: (value) => value,
  valueText: (value) => (value === PRE_SCALE_MAX ? '1 (off)' : String(value)),
  nothing: 'No operand has a 4-bit MX format, so there is nothing to pre-scale',
})
