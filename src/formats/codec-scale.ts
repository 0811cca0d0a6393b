/** The scale of a block in every family, from its values and, where the family needs it, what surrounds them. */
import { decodeElement, encodeInteger, encodeMagnitude, exponentOf } from './codec-element'
import { roundedProduct, roundedQuotient, roundedSum } from './codec-exact'
import { mxfp8E4m3 } from './mxfp8-e4m3'
import type { IntegerQuantizer, MxQuantizer, NvfpQuantizer, Quantizer } from './number-format'

/** Scale byte of a block that holds a NaN or an infinity, and of a NaN block in a file. */
export const NAN_SCALE_BYTE = 255
/** The E4M3 code that stands for NaN, the scale byte of such a block in NVFP4. */
export const NAN_E4M3_BYTE = 0x7f

const SCALE_BIAS = 127
const MAX_SCALE_BYTE = 254
/** Exponent of the smallest normal f32: the scale of anything smaller is clamped to byte 0 anyway. */
const F32_MIN_EXPONENT = -126
/** Largest E4M3 scale the tensor scale of four-over-six aims at: 1.5 times it is an E4M3 number, 1.5 · 448 is not. */
const FOUR_OVER_SIX_TOP = 256

/**
 * The scale of one block as it is stored. NVFP4: the value is that of the E4M3 byte times `tensorScale`. 'fp32': the
 * scale of integers (value of a code: (q − zeroPoint) · value; zeroPoint null when the range is symmetric and codes are
 * two's complement) and of MX elements under the rule 'fp32'. 'none': 16-bit floats.
 */
export type BlockScale =
  | { readonly kind: 'e8m0'; readonly byte: number }
  | { readonly kind: 'e4m3'; readonly byte: number; readonly tensorScale: number }
  | { readonly kind: 'fp32'; readonly value: number; readonly zeroPoint: number | null }
  | { readonly kind: 'none' }

/** What the scale of a block depends on besides its values. MX, 16-bit floats and groups of integers need nothing. */
export interface Surroundings {
  /** NVFP4 with a tensor scale: the largest magnitude of the whole tensor; NaN or Infinity when it holds either. */
  readonly tensorMax?: number
  /** Integers with one scale per row: the values of the whole row. */
  readonly row?: ArrayLike<number>
}

/** 2^(byte − 127); NaN for 255. */
export function decodeScale(scaleByte: number): number {
  return scaleByte === NAN_SCALE_BYTE ? Number.NaN : 2 ** (scaleByte - SCALE_BIAS)
}

/** The number the codes of a block are multiplied by; NaN for a NaN block, 1 without a scale. Exact in float64. */
export function scaleValue(scale: BlockScale): number {
  switch (scale.kind) {
    case 'e8m0':
      return decodeScale(scale.byte)
    case 'e4m3':
      return decodeElement(mxfp8E4m3.element, scale.byte) * scale.tensorScale
    case 'fp32':
      return scale.value
    case 'none':
      return 1
    default:
      return scale satisfies never
  }
}

/** Largest magnitude of `values`; NaN when one of them is NaN, Infinity when one is infinite. */
function largestOf(values: ArrayLike<number>): number {
  return Array.from(values, Math.abs).reduce((a, b) => Math.max(a, b), 0)
}

/** How far the exponent of the scale is above that of floor, for a block maximum of mantissa `fraction` in [1, 2). */
function bumpOf({ format: { element }, scaleRule }: MxQuantizer, fraction: number): 0 | 1 {
  const fractionBits = element.kind === 'fixed' ? element.fractionBits : element.mantissaBits
  switch (scaleRule) {
    case 'rceil':
      return fraction > element.maxFinite / 2 ** element.emax ? 1 : 0
    case 'ceil':
      return fraction > 1 ? 1 : 0
    case 'even':
      return fraction >= 2 - 2 ** (-fractionBits - 1) ? 1 : 0
    default:
      return 0
  }
}

/**
 * The shared exponent of a block as its E8M0 byte. `maximum` is the largest magnitude of the block, an f32 value;
 * NaN or infinity gives 255, zero and anything too small gives 0. `more` is added to the exponent: 1 for the second
 * scale that 'best' tries. The rules 'best' and 'fp32' count as floor here.
 */
export function scaleByteOf(maximum: number, quantizer: MxQuantizer, more: 0 | 1 = 0): number {
  if (!Number.isFinite(maximum)) return NAN_SCALE_BYTE
  const { emax } = quantizer.format.element
  const clamp = (byte: number) => Math.min(Math.max(byte, 0), MAX_SCALE_BYTE)
  // an f32 subnormal has exponent field 0, and its mantissa field starts at the same place
  if (maximum < 2 ** F32_MIN_EXPONENT) {
    return clamp(bumpOf(quantizer, 1 + maximum * 2 ** -F32_MIN_EXPONENT) + more - emax)
  }
  const exponent = exponentOf(maximum)
  return clamp(exponent - emax + bumpOf(quantizer, maximum / 2 ** exponent) + more + SCALE_BIAS)
}

/** The values under a literal pre-scale, each product rounded to f32; the values themselves without one. */
export function literallyScaled(values: ArrayLike<number>, quantizer: Quantizer): ArrayLike<number> {
  const preScale = quantizer.family === 'mx' ? quantizer.preScale : null
  if (preScale?.variant !== 'literal') return values
  const { factor } = preScale
  return Array.from(values, (value) => (Number.isFinite(value) ? roundedProduct(value, factor) : value))
}

function mxScales(values: ArrayLike<number>, quantizer: MxQuantizer): BlockScale[] {
  const largest = largestOf(values)
  const maximum = quantizer.flushSubnormalBlocks && largest < 2 ** F32_MIN_EXPONENT ? 0 : largest
  if (quantizer.scaleRule === 'fp32') {
    const value = Number.isFinite(maximum) ? roundedQuotient(maximum, quantizer.format.element.maxFinite) : Number.NaN
    return [{ kind: 'fp32', value, zeroPoint: null }]
  }
  const bumps = quantizer.scaleRule === 'best' ? ([0, 1] as const) : ([0] as const)
  return bumps.map((more) => ({ kind: 'e8m0', byte: scaleByteOf(maximum, quantizer, more) }))
}

/**
 * The fp32 scale of a tensor in NVFP4: its largest magnitude over 6 · 448 (6 · 256 with four-over-six). 1 without a
 * tensor scale, for a tensor of zeros and where the quotient rounds to 0; NaN when the tensor holds NaN or infinity.
 */
export function tensorScaleOf(tensorMax: number, { format, fourOverSix, tensorScale }: NvfpQuantizer): number {
  if (!tensorScale) return 1
  if (!Number.isFinite(tensorMax)) return Number.NaN
  const top = fourOverSix === null ? mxfp8E4m3.element.maxFinite : FOUR_OVER_SIX_TOP
  return roundedQuotient(tensorMax, format.element.maxFinite * top) || 1
}

function nvfpScales(values: ArrayLike<number>, quantizer: NvfpQuantizer, { tensorMax }: Surroundings): BlockScale[] {
  if (quantizer.tensorScale && tensorMax === undefined)
    throw new Error('NVFP4: tensorMax is needed for the tensor scale')
  const maximum = largestOf(values)
  const tensorScale = tensorScaleOf(tensorMax ?? 1, quantizer)
  // the block maximum lands on 6, or on 4 = 6 / 1.5
  const targets = quantizer.fourOverSix === null ? [6] : [6, 4]
  return targets.map((target) => {
    if (!Number.isFinite(maximum * tensorScale)) return { kind: 'e4m3', byte: NAN_E4M3_BYTE, tensorScale }
    const scaled = { magnitude: maximum, factor: 1, scale: target * tensorScale }
    return { kind: 'e4m3', byte: encodeMagnitude(mxfp8E4m3.element, scaled, 'half-even'), tensorScale }
  })
}

function integerScale(values: ArrayLike<number>, quantizer: IntegerQuantizer): BlockScale {
  const maximum = largestOf(values)
  const { scheme, format } = quantizer
  const steps = 2 ** format.element.bits - 1
  if (!Number.isFinite(maximum)) return { kind: 'fp32', value: Number.NaN, zeroPoint: scheme === 'asym' ? 0 : null }
  if (scheme !== 'asym') {
    const largestCode = scheme === 'sym-max' ? (steps - 1) / 2 : steps / 2
    return { kind: 'fp32', value: maximum === 0 ? 1 : roundedQuotient(maximum, largestCode), zeroPoint: null }
  }
  // the range is rounded to f32's 24 bits before it is divided, as the references do
  const numbers = Array.from(values)
  const below = maximum === 0 ? 1 : -numbers.reduce((a, b) => Math.min(a, b), 0)
  const above = maximum === 0 ? 1 : numbers.reduce((a, b) => Math.max(a, b), 0)
  const value = roundedQuotient(roundedSum(above, below), steps)
  // beyond the largest code only where the scale is a subnormal with few bits; zero must have a code
  const zeroPoint = value === 0 ? 0 : Math.min(encodeInteger({ magnitude: below, factor: 1, scale: value }), steps)
  return { kind: 'fp32', value, zeroPoint }
}

function integerScales(values: ArrayLike<number>, quantizer: IntegerQuantizer, { row }: Surroundings): BlockScale[] {
  if (quantizer.group !== 'row') return [integerScale(values, quantizer)]
  if (!row) throw new Error(`${quantizer.format.id}: the row is needed for a scale per row`)
  return [integerScale(row, quantizer)]
}

/**
 * The scales a block may get, in the order they are tried: one, except for the rule 'best' (the exponent of floor, then
 * the next) and four-over-six (block maximum to 6, then to 4). encodeBlock keeps a later one only when it is better.
 */
export function scaleCandidates(
  values: ArrayLike<number>,
  quantizer: Quantizer,
  surroundings: Surroundings = {},
): BlockScale[] {
  switch (quantizer.family) {
    case 'mx':
      return mxScales(literallyScaled(values, quantizer), quantizer)
    case 'nvfp':
      return nvfpScales(values, quantizer, surroundings)
    case 'integer':
      return integerScales(values, quantizer, surroundings)
    case 'sixteen-bit':
      return [{ kind: 'none' }]
    default:
      return quantizer satisfies never
  }
}
