import type { MxChoices } from '../formats/quantizer'
import type { SetupSlice } from './state'

/** The MX choices of the setup as a run takes them. */
export function mxChoices({ scaleRule, rounding, preScale, blockSize }: SetupSlice): MxChoices {
  const { on, factor, variant } = preScale
  return { scaleRule, rounding, preScale: on ? { factor, variant } : null, blockSize }
}

/** Whether two sets of MX choices give the same numbers. */
export function sameChoices(a: MxChoices, b: MxChoices): boolean {
  return (
    a.scaleRule === b.scaleRule &&
    a.rounding === b.rounding &&
    a.blockSize === b.blockSize &&
    a.preScale?.factor === b.preScale?.factor &&
    a.preScale?.variant === b.preScale?.variant
  )
}
