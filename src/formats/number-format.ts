/**
 * A number format is data. One generic kernel serves every element with at most 8 bits (docs/formats.md).
 * Conventions decided here and referred to elsewhere:
 * blocks run along the last axis, a short last block is an ordinary block; saturate, never overflow;
 * a block with a NaN or infinity gets scale byte 255 and decodes to NaN; an all-zero block has byte 0 and codes 0.
 */

/** A float element: value of a code is (-1)^s · (1.m or 0.m) · 2^(e − bias), without gaps from code to code + 1. */
export interface FloatElement {
  readonly kind: 'float'
  readonly bits: 4 | 6 | 8
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  /** Exponent of the largest normal number; what the shared exponent subtracts. */
  readonly emax: number
  /** Largest finite magnitude and its code. */
  readonly maxFinite: number
  readonly maxCode: number
}

/** MXINT8: value of a code is q / 64, q two's complement, −127 … 127. */
export interface FixedElement {
  readonly kind: 'fixed'
  readonly bits: 8
  readonly fractionBits: number
  readonly emax: number
  readonly maxFinite: number
  readonly maxCode: number
}

export interface MxFormat {
  readonly id: string
  readonly label: string
  readonly family: 'mx'
  readonly element: FloatElement | FixedElement
  /** Elements sharing one scale, along `in`. */
  readonly blockSize: number
  readonly scale: 'e8m0'
  readonly source: string
}

/** Every format the product knows. Families with other scales (NVFP4, integers, 16-bit) join this union. */
export type NumberFormat = MxFormat

/** How the shared exponent follows from the block maximum (docs/formats.md). */
export type ScaleRule = 'floor' | 'rceil' | 'ceil' | 'even'
export const SCALE_RULES: readonly ScaleRule[] = ['floor', 'rceil', 'ceil', 'even']

/** How an element between two codes is rounded (docs/formats.md). `half-away` is microxcaling's default. */
export type Rounding = 'half-even' | 'half-away' | 'toward-zero'
export const ROUNDINGS: readonly Rounding[] = ['half-even', 'half-away', 'toward-zero']

/** A format with the choices that complete it: what one operand is quantized with. */
export interface Quantizer {
  readonly format: NumberFormat
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  /**
   * The 3/4 pre-scale of arXiv 2601.09555 as docs/formats.md has it: exponent from the unscaled block, elements
   * times 3/4 before rounding, result times 4/3. Only for 4-bit elements. null: off.
   */
  readonly preScale: 0.75 | null
}

/** null means: leave that side in full precision. */
export interface QuantConfig {
  readonly weight: Quantizer | null
  readonly activation: Quantizer | null
}

/** Storage cost with scales, in bits per element. */
export function bitsPerElement(format: NumberFormat): number {
  return format.element.bits + 8 / format.blockSize
}
