/**
 * The scalar definition of every MX format, in float64. Slow and obvious: each step is exact in float64 because inputs
 * are f32 values and scales are powers of two. The WGSL kernels must return the same bits.
 * Source: OCP Microscaling Formats (MX) v1.0, conversion; docs/formats.md for the choices it leaves open.
 */
import type { FixedElement, FloatElement, Quantizer, Rounding } from './number-format'

/** Scale byte of a block that holds a NaN or an infinity, and of a NaN block in a file. */
export const NAN_SCALE_BYTE = 255

const SCALE_BIAS = 127
const MAX_SCALE_BYTE = 254
/** Exponent of the smallest normal f32: the scale of anything smaller is clamped to byte 0 anyway. */
const F32_MIN_EXPONENT = -126

/** One quantized block. `codes[i]` is the raw code of element i, sign in the top bit of the element's width. */
export interface EncodedBlock {
  readonly scaleByte: number
  readonly codes: Uint8Array
}

/** The largest integer e with 2^e <= magnitude; magnitude finite and > 0. */
function exponentOf(magnitude: number): number {
  let exponent = Math.round(Math.log2(magnitude))
  while (2 ** exponent > magnitude) exponent -= 1
  while (2 ** (exponent + 1) <= magnitude) exponent += 1
  return exponent
}

/** Fraction bits of one step, and the exponent below which steps stop shrinking. MXINT8 is one binade of fixed step. */
function gridOf(element: FloatElement | FixedElement): { fractionBits: number; minExponent: number } {
  if (element.kind === 'fixed') return { fractionBits: element.fractionBits, minExponent: 0 }
  return { fractionBits: element.mantissaBits, minExponent: 1 - element.bias }
}

/**
 * The magnitude code of infinity, or null when the element has none: only a format whose all-ones exponent starts
 * right above its largest number keeps it for infinity and NaN (E5M2).
 */
export function infinityCode(element: FloatElement | FixedElement): number | null {
  if (element.kind === 'fixed') return null
  const reserved = (2 ** element.exponentBits - 1) << element.mantissaBits
  return reserved === element.maxCode + 1 ? reserved : null
}

/** The value of a magnitude code, before sign and scale. Codes above the largest are infinity or NaN. */
function decodeMagnitude(element: FloatElement | FixedElement, magnitude: number): number {
  const { fractionBits, minExponent } = gridOf(element)
  if (element.kind === 'fixed') return magnitude * 2 ** -fractionBits
  if (magnitude > element.maxCode) return magnitude === infinityCode(element) ? Infinity : Number.NaN
  const field = magnitude >> fractionBits
  const fraction = magnitude & (2 ** fractionBits - 1)
  if (field === 0) return fraction * 2 ** (minExponent - fractionBits)
  return (2 ** fractionBits + fraction) * 2 ** (field - element.bias - fractionBits)
}

/** The value of one raw code (0 … 2^bits − 1) before its block's scale; NaN and ±Infinity where the format has them. */
export function decodeElement(element: FloatElement | FixedElement, code: number): number {
  const signBit = 2 ** (element.bits - 1)
  if (code < signBit) return decodeMagnitude(element, code)
  if (element.kind === 'fixed') return -decodeMagnitude(element, 2 * signBit - code)
  return -decodeMagnitude(element, code - signBit)
}

/** 2^(byte − 127); NaN for 255. */
export function decodeScale(scaleByte: number): number {
  return scaleByte === NAN_SCALE_BYTE ? Number.NaN : 2 ** (scaleByte - SCALE_BIAS)
}

function roundInteger(value: number, rounding: Rounding): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rounding === 'toward-zero' || rest < 0.5) return below
  if (rest > 0.5 || rounding === 'half-away') return below + 1
  return below + (below % 2)
}

/** The magnitude code `magnitude` (scaled, >= 0, finite) is rounded to; saturates at the largest. */
function encodeMagnitude(element: FloatElement | FixedElement, magnitude: number, rounding: Rounding): number {
  const { fractionBits, minExponent } = gridOf(element)
  if (magnitude === 0) return 0
  const exponent = Math.max(exponentOf(magnitude), minExponent)
  const steps = roundInteger(magnitude / 2 ** (exponent - fractionBits), rounding)
  return Math.min((exponent - minExponent) * 2 ** fractionBits + steps, element.maxCode)
}

/** Magnitude m of [1, 2) from which the shared exponent is one higher than that of the block maximum. */
function bumpFrom({ format, scaleRule }: Quantizer): (fraction: number) => boolean {
  const { element } = format
  const { fractionBits } = gridOf(element)
  const largest = element.maxFinite / 2 ** element.emax
  switch (scaleRule) {
    case 'floor':
      return () => false
    case 'rceil':
      return (fraction) => fraction > largest
    case 'ceil':
      return (fraction) => fraction > 1
    case 'even':
      return (fraction) => fraction >= 2 - 2 ** (-fractionBits - 1)
    default:
      return scaleRule satisfies never
  }
}

/**
 * The shared exponent of a block as its E8M0 byte. `maximum` is the largest magnitude of the block, an f32 value;
 * NaN or infinity gives 255, zero and anything too small gives 0.
 */
export function scaleByteOf(maximum: number, quantizer: Quantizer): number {
  if (!Number.isFinite(maximum)) return NAN_SCALE_BYTE
  if (maximum < 2 ** F32_MIN_EXPONENT) {
    const bumped = bumpFrom(quantizer)(1 + maximum * 2 ** -F32_MIN_EXPONENT)
    return Math.max(0, (bumped ? 1 : 0) - quantizer.format.element.emax)
  }
  const exponent = exponentOf(maximum)
  const bump = bumpFrom(quantizer)(maximum / 2 ** exponent) ? 1 : 0
  const byte = exponent - quantizer.format.element.emax + bump + SCALE_BIAS
  return Math.min(Math.max(byte, 0), MAX_SCALE_BYTE)
}

/** Quantizes one block of f32 values (any length up to the block size). A non-finite element makes it a NaN block. */
export function encodeBlock(values: ArrayLike<number>, quantizer: Quantizer): EncodedBlock {
  const { element } = quantizer.format
  const magnitudes = Array.from(values, Math.abs)
  const finite = magnitudes.every(Number.isFinite)
  const scaleByte = finite ? scaleByteOf(Math.max(0, ...magnitudes), quantizer) : NAN_SCALE_BYTE
  const factor = (quantizer.preScale ?? 1) / decodeScale(scaleByte)
  const codes = Uint8Array.from(magnitudes, (magnitude, index) => {
    if (!finite) return 0
    const code = encodeMagnitude(element, magnitude * factor, quantizer.rounding)
    const negative = values[index] < 0 || Object.is(values[index], -0)
    if (!negative) return code
    return element.kind === 'fixed' ? -code & 0xff : code + 2 ** (element.bits - 1)
  })
  return { scaleByte, codes }
}

/** The f32 values a block decodes to. The result of a pre-scaled block is divided by the pre-scale, rounded once. */
export function decodeBlock(block: EncodedBlock, { format, preScale }: Quantizer): Float32Array {
  const scale = decodeScale(block.scaleByte)
  return Float32Array.from(block.codes, (code) => {
    const value = decodeElement(format.element, code) * scale
    return preScale === null ? value : (4 * value) / 3
  })
}
