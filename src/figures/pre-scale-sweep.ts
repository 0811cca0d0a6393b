import type { MethodResult, PreScaleSweep } from '../experiment/result'
import { PRE_SCALE_MAX, PRE_SCALE_MIN } from '../formats/number-format'
import { sweepFigure } from './scale-sweep'

/** "exact", "literal", or both where results were swept differently. */
const variantText = (sweeps: readonly PreScaleSweep[]) =>
  [...new Set(sweeps.map(({ variant }) => variant))].join(' and ')

/** The factor a result was computed with; null where it is one of another variant than was swept. */
export function preScaleInUse(
  { preScale, preScaleVariant }: Pick<MethodResult, 'preScale' | 'preScaleVariant'>,
  { variant }: PreScaleSweep,
): number | null {
  if (preScale === null) return PRE_SCALE_MAX
  return preScaleVariant === variant ? preScale : null
}

/** Output SQNR over the factor of the pre-scale, in the variant in use: exact where none is. */
export const preScaleSweep = sweepFigure({
  id: 'pre-scale-sweep',
  label: 'Pre-scale sweep',
  question: 'Which pre-scale suits this layer, and does the answer depend on the method?',
  sweepOf: (analysis) => analysis.preScaleSweep,
  inUse: preScaleInUse,
  axisTitle: (sweeps) =>
    sweeps.length > 0 ? `pre-scale factor, ${variantText(sweeps)} variant [×]` : 'pre-scale factor [×]',
  caption: (sweeps) => `Pre-scale, ${variantText(sweeps)} variant`,
  xaxis: () => ({ range: [PRE_SCALE_MIN - 0.01, PRE_SCALE_MAX + 0.01], dtick: 0.1, tickformat: '.1f' }),
  place: (value) => value,
  valueText: (value) => (value === PRE_SCALE_MAX ? '1 (off)' : String(value)),
  nothing: 'No operand has a 4-bit MX format, so there is nothing to pre-scale',
})
