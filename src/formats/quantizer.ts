import type { NumberFormat, Quantizer, Rounding, ScaleRule } from './number-format'

/** The choices a user makes once for all operands of a run. */
export interface QuantizerChoices {
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  /** Asked for; takes effect on 4-bit elements only. */
  readonly preScale: 0.75 | null
}

/**
 * `format` completed by the run's choices. The 3/4 pre-scale compensates the clipping of elements whose top binade is
 * half empty, so it reaches 4-bit elements only; other formats come back with preScale null.
 */
export function makeQuantizer(format: NumberFormat, { scaleRule, rounding, preScale }: QuantizerChoices): Quantizer {
  return { format, scaleRule, rounding, preScale: format.element.bits === 4 ? preScale : null }
}
