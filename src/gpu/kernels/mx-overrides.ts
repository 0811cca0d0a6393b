import { infinityCode } from '../../formats/codec'
import { type FixedElement, type FloatElement, type Quantizer, ROUNDINGS } from '../../formats/number-format'
import type { Overrides } from '../pipeline-cache'

const F32_MANTISSA_BITS = 23
const NO_INFINITY = 0xffff

/** Mantissa field of a positive normal f32 value. */
function mantissaField(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0] & (2 ** F32_MANTISSA_BITS - 1)
}

/** From which mantissa of the block maximum the shared exponent goes one up (docs/formats.md, scale rules). */
function bumpAt({ format, scaleRule }: Quantizer, fractionBits: number): number {
  switch (scaleRule) {
    case 'floor':
      return 2 ** F32_MANTISSA_BITS
    case 'rceil':
      return mantissaField(format.element.maxFinite) + 1
    case 'ceil':
      return 1
    case 'even':
      return 2 ** F32_MANTISSA_BITS - 2 ** (F32_MANTISSA_BITS - 1 - fractionBits)
    default:
      return scaleRule satisfies never
  }
}

function gridOverrides(element: FloatElement | FixedElement): Overrides {
  const fixed = element.kind === 'fixed'
  return {
    MANTISSA_BITS: fixed ? element.fractionBits : element.mantissaBits,
    EMIN: fixed ? 0 : 1 - element.bias,
    EMAX: element.emax,
    MAX_CODE: element.maxCode,
    INFINITY_CODE: infinityCode(element) ?? NO_INFINITY,
    SIGN_BIT: 2 ** (element.bits - 1),
    TWOS_COMPLEMENT: fixed ? 1 : 0,
  }
}

/** Values for the overrides of shaders/lib/mx_element.wgsl. */
export function mxOverrides(quantizer: Quantizer): Overrides {
  const grid = gridOverrides(quantizer.format.element)
  return {
    ...grid,
    BUMP_AT: bumpAt(quantizer, grid.MANTISSA_BITS),
    ROUNDING: ROUNDINGS.indexOf(quantizer.rounding),
    PRE_SCALED: quantizer.preScale === null ? 0 : 1,
  }
}
