/**
 * The scalar definition of every format: slow and obvious, every decision on exact real numbers, every value rounded to
 * f32 once. The WGSL kernels must return the same bits.
 * Sources: OCP Microscaling Formats (MX) v1.0; NVFP4 as in NVIDIA TransformerEngine; docs/formats.md for the choices
 * they leave open.
 */
import { decodeElement, encodeInteger, encodeMagnitude, signedCode } from './codec-element'
import { roundedQuotient } from './codec-exact'
import { type BlockScale, literallyScaled, type Surroundings, scaleCandidates, scaleValue } from './codec-scale'
import type { BlockError, FloatElement, IntegerElement, PreScale, Quantizer, Rounding } from './number-format'

/** One quantized block: its scale and the raw code of each element (0 … 2^bits − 1). */
export interface EncodedBlock {
  readonly scale: BlockScale
  /** Sign in the top bit of the element's width; two's complement for MXINT8 and integers, unsigned with a zero point. */
  readonly codes: Uint16Array
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0)
}

function preScaleOf(quantizer: Quantizer, variant: PreScale['variant']): number {
  const preScale = quantizer.family === 'mx' ? quantizer.preScale : null
  return preScale?.variant === variant ? preScale.factor : 1
}

/** The code of a 16-bit float. NaN (the quiet one) and infinity stay what they are; numbers saturate at the largest finite one. */
function sixteenBitCode(element: FloatElement<16>, value: number): number {
  const infinity = element.maxCode + 1
  if (Number.isNaN(value)) return infinity + 2 ** (element.mantissaBits - 1)
  const magnitude = Math.abs(value)
  const code =
    magnitude === Infinity ? infinity : encodeMagnitude(element, { magnitude, factor: 1, scale: 1 }, 'half-even')
  return signedCode(element, code, isNegative(value))
}

/** q as stored: x / s rounded half to even, moved by the zero point, kept within the codes there are. */
function integerCode(element: IntegerElement, value: number, scale: number, zeroPoint: number | null): number {
  const rounded = encodeInteger({ magnitude: Math.abs(value), factor: 1, scale }) * Math.sign(value)
  const count = 2 ** element.bits
  if (zeroPoint !== null) return Math.min(Math.max(rounded + zeroPoint, 0), count - 1)
  return (Math.min(Math.max(rounded, -count / 2), count / 2 - 1) + count) % count
}

function codeUnder(value: number, scale: BlockScale, quantizer: Quantizer): number {
  const { element } = quantizer.format
  if (quantizer.family === 'sixteen-bit') return sixteenBitCode(quantizer.format.element, value)
  const multiplier = scaleValue(scale)
  const zeroPoint = scale.kind === 'fp32' ? scale.zeroPoint : null
  // a NaN block, and a scale that rounded to 0: no code means anything, all decode to NaN and 0
  if (!(multiplier > 0)) return Number.isNaN(multiplier) ? 0 : (zeroPoint ?? 0)
  if (element.kind === 'integer') return integerCode(element, value, multiplier, zeroPoint)
  const rounding: Rounding = quantizer.family === 'mx' ? quantizer.rounding : 'half-even'
  const scaled = { magnitude: Math.abs(value), factor: preScaleOf(quantizer, 'exact'), scale: multiplier }
  return signedCode(element, encodeMagnitude(element, scaled, rounding), isNegative(value))
}

function isSubnormalBlock(values: ArrayLike<number>): boolean {
  return Array.from(values).every((value) => Math.abs(value) < 2 ** -126)
}

/**
 * The raw codes of `values` under a given scale; what encodeBlock does once it has chosen one. `values` are finite
 * unless the scale is NaN or the format has none.
 */
export function encodeWithScale(values: ArrayLike<number>, scale: BlockScale, quantizer: Quantizer): Uint16Array {
  const scaled = literallyScaled(values, quantizer)
  const flushed = quantizer.family === 'mx' && quantizer.flushSubnormalBlocks && isSubnormalBlock(scaled)
  return Uint16Array.from(scaled, (value) => codeUnder(flushed ? 0 : value, scale, quantizer))
}

function blockError(values: ArrayLike<number>, decoded: Float32Array, kind: BlockError): number {
  const differences = Array.from(decoded, (value, index) => Math.abs(value - values[index]))
  if (kind === 'max') return Math.max(0, ...differences)
  return differences.reduce((sum, difference) => sum + (kind === 'mae' ? difference : difference * difference), 0)
}

/**
 * Quantizes one block of f32 values: any length up to the block size, the whole group of grouped integers, any part of
 * a row or of a tensor where `surroundings` gives the rest. A non-finite element makes it a NaN block (16-bit floats
 * excepted). Of two candidate scales the second is kept only when its error is strictly smaller (float64 sums; under a
 * literal pre-scale the error against the multiplied values).
 */
export function encodeBlock(
  values: ArrayLike<number>,
  quantizer: Quantizer,
  surroundings: Surroundings = {},
): EncodedBlock {
  if (quantizer.family === 'mx' && quantizer.preScale?.variant === 'literal') {
    return encodeBlock(literallyScaled(values, quantizer), { ...quantizer, preScale: null })
  }
  const encoded = scaleCandidates(values, quantizer, surroundings).map((scale) => {
    return { scale, codes: encodeWithScale(values, scale, quantizer) }
  })
  const kind = quantizer.family === 'nvfp' ? (quantizer.fourOverSix ?? 'mse') : 'mse'
  const errorOf = (block: EncodedBlock) => blockError(values, decodeBlock(block, quantizer), kind)
  return encoded.reduce((best, next) => (errorOf(next) < errorOf(best) ? next : best))
}

/** The f32 value of one code under `scale`: one rounding, two where a pre-scaled value is subnormal. */
export function decodeCode(code: number, scale: BlockScale, quantizer: Quantizer): number {
  const { element } = quantizer.format
  const multiplier = scaleValue(scale)
  if (scale.kind === 'fp32' && scale.zeroPoint !== null) return Math.fround((code - scale.zeroPoint) * multiplier)
  const value = decodeElement(element, code)
  const literal = preScaleOf(quantizer, 'literal')
  const exact = preScaleOf(quantizer, 'exact')
  if (exact !== 1) return Math.fround(dividedBy(value, exact) * multiplier)
  return literal === 1 ? Math.fround(value * multiplier) : dividedBy(Math.fround(value * multiplier), literal)
}

/** value / factor rounded once to f32; NaN and infinity stay. */
function dividedBy(value: number, factor: number): number {
  if (!Number.isFinite(value)) return value
  return roundedQuotient(Math.abs(value), factor) * (isNegative(value) ? -1 : 1)
}

/** The f32 values a block decodes to. Overflow, possible only beside the largest f32, gives infinity. */
export function decodeBlock({ scale, codes }: EncodedBlock, quantizer: Quantizer): Float32Array {
  return Float32Array.from(codes, (code) => decodeCode(code, scale, quantizer))
}
