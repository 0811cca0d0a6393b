import { infinityCode } from '../../formats/codec-element'
import { type MxQuantizer, ROUNDINGS } from '../../formats/number-format'
import type { Overrides } from '../pipeline-cache'

const F32_MANTISSA_BITS = 23
const NO_INFINITY = 0xffff

function f32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]
}

/** Mantissa field of a positive normal f32 value. */
function mantissaField(value: number): number {
  return f32Bits(value) & (2 ** F32_MANTISSA_BITS - 1)
}

function fractionBits({ element }: MxQuantizer['format']): number {
  return element.kind === 'fixed' ? element.fractionBits : element.mantissaBits
}

/**
 * Mantissa of the block maximum from which the shared exponent goes one up (docs/formats.md, scale rules); 2^23 for
 * never. `best` starts from the exponent of `floor`, and so does a scale that is no power of two.
 */
export function bumpAt({ format, scaleRule }: MxQuantizer): number {
  switch (scaleRule) {
    case 'floor':
    case 'best':
    case 'fp32':
      return 2 ** F32_MANTISSA_BITS
    case 'rceil':
      return mantissaField(format.element.maxFinite) + 1
    case 'ceil':
      return 1
    case 'even':
      return 2 ** F32_MANTISSA_BITS - 2 ** (F32_MANTISSA_BITS - 1 - fractionBits(format))
    default:
      return scaleRule satisfies never
  }
}

/** Values for the overrides of shaders/lib/e8m0.wgsl. */
export function scaleRuleOverrides(quantizer: MxQuantizer): Overrides {
  return {
    EMAX: quantizer.format.element.emax,
    BUMP_AT: bumpAt(quantizer),
    BEST: Number(quantizer.scaleRule === 'best'),
    FLUSH: Number(quantizer.flushSubnormalBlocks),
  }
}

/** Values for the overrides of shaders/lib/grid_mx.wgsl, and of mx_element.wgsl below it. */
export function gridMxOverrides(quantizer: MxQuantizer): Overrides {
  return { ...elementOverrides(quantizer), LARGEST_BITS: f32Bits(quantizer.format.element.maxFinite) }
}

/** Values for the overrides of shaders/lib/mx_element.wgsl. */
export function elementOverrides({ format, rounding }: MxQuantizer): Overrides {
  const { element } = format
  return {
    MANTISSA_BITS: fractionBits(format),
    EMIN: element.kind === 'fixed' ? 0 : 1 - element.bias,
    MAX_CODE: element.maxCode,
    INFINITY_CODE: infinityCode(element) ?? NO_INFINITY,
    SIGN_BIT: 2 ** (element.bits - 1),
    TWOS_COMPLEMENT: Number(element.kind === 'fixed'),
    ROUNDING: ROUNDINGS.indexOf(rounding),
  }
}
