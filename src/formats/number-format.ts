/**
 * A number format is data: an element, how many of them share a scale, what the scale is. One generic kernel family
 * serves every element of at most 8 bits (docs/formats.md).
 * Conventions decided here and referred to elsewhere:
 * blocks run along the last axis, a short last block is an ordinary block; saturate, never overflow;
 * a block with a NaN or an infinity decodes to NaN as a whole; an all-zero block has codes 0.
 */
import type { OptionSpec, OptionValues } from '../core/options'

/** A float element: value of a code is (-1)^s · (1.m or 0.m) · 2^(e − bias), without gaps from code to code + 1. */
export interface FloatElement<Bits extends number = 4 | 6 | 8> {
  readonly kind: 'float'
  readonly bits: Bits
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

/** Value of a code is q − z: q two's complement −2^(bits−1) … 2^(bits−1) − 1 and z = 0, or q and z in 0 … 2^bits − 1. */
export interface IntegerElement {
  readonly kind: 'integer'
  readonly bits: 4 | 8
}

interface FormatFacts {
  readonly id: string
  readonly label: string
  /** What a user may choose beside the format itself; written in parentheses after the id (format-text.ts). */
  readonly options: readonly OptionSpec[]
  readonly source: string
}

/** Blocks with a power-of-two scale byte, OCP MX v1.0. The block size is that of the standard; runs may vary it. */
export interface MxFormat extends FormatFacts {
  readonly family: 'mx'
  readonly element: FloatElement | FixedElement
  readonly blockSize: 32
  readonly scale: 'e8m0'
}

/** Blocks with an E4M3 scale under one fp32 scale for the tensor. */
export interface NvfpFormat extends FormatFacts {
  readonly family: 'nvfp'
  readonly element: FloatElement
  readonly blockSize: 16
  readonly scale: 'e4m3'
}

/** Integers under an fp32 scale per row (channel of a weight, token of activations) or group. */
export interface IntegerFormat extends FormatFacts {
  readonly family: 'integer'
  readonly element: IntegerElement
  readonly scale: 'fp32'
}

/** 16-bit floats without a scale: every element is rounded by itself. */
export interface SixteenBitFormat extends FormatFacts {
  readonly family: 'sixteen-bit'
  readonly element: FloatElement<16>
  readonly scale: 'none'
}

export type NumberFormat = MxFormat | NvfpFormat | IntegerFormat | SixteenBitFormat

/** A format and its completed options: what stands for one operand in a setting. */
export interface FormatChoice {
  readonly format: NumberFormat
  readonly options: OptionValues
}

/**
 * How the scale of an MX block follows from it (docs/formats.md). 'best' tries the exponent of floor and the next and
 * keeps the smaller squared error; 'fp32' is the high-precision scale of figure 4 of arXiv 2601.09555, no E8M0.
 */
export type ScaleRule = 'floor' | 'rceil' | 'ceil' | 'even' | 'best' | 'fp32'
export const SCALE_RULES: readonly ScaleRule[] = ['floor', 'rceil', 'ceil', 'even', 'best', 'fp32']

/** How an element between two codes is rounded (docs/formats.md). `half-away` is microxcaling's default. */
export type Rounding = 'half-even' | 'half-away' | 'toward-zero'
export const ROUNDINGS: readonly Rounding[] = ['half-even', 'half-away', 'toward-zero']

/** Block sizes an MX format may be given; 32 is the standard one. */
export const BLOCK_SIZES: readonly number[] = [8, 16, 32, 64, 128]

/**
 * A factor on the elements of an MX block. 'exact' (Tseng et al., arXiv 2502.20586): exponent from the unscaled block,
 * elements times the factor before rounding, results divided by it. 'literal' (caption of table 6 of arXiv 2601.09555):
 * the tensor is multiplied before the exponent is chosen, and divided after.
 */
export interface PreScale {
  readonly factor: number
  readonly variant: 'exact' | 'literal'
}
export const PRE_SCALE_VARIANTS: readonly PreScale['variant'][] = ['exact', 'literal']
/** Range of the factor; 1 changes nothing. */
export const PRE_SCALE_MIN = 0.5
export const PRE_SCALE_MAX = 1

/** Which of the two block scales of four-over-six is kept: the one with the smaller error of this kind. */
export type BlockError = 'mse' | 'mae' | 'max'

/** How the scale of an integer row or group is made (docs/formats.md, integers). */
export type IntegerScheme = 'sym-max' | 'sym-half' | 'asym'
export const INTEGER_SCHEMES: readonly IntegerScheme[] = ['sym-max', 'sym-half', 'asym']

export interface MxQuantizer {
  readonly family: 'mx'
  readonly format: MxFormat
  readonly blockSize: number
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  /** Only with 4-bit elements and a power-of-two scale. null: off. */
  readonly preScale: PreScale | null
  /** Blocks whose maximum is an f32 subnormal become zero (microxcaling's mx_flush_fp32_subnorms). */
  readonly flushSubnormalBlocks: boolean
}

export interface NvfpQuantizer {
  readonly family: 'nvfp'
  readonly format: NvfpFormat
  /** Four-over-six, arXiv 2512.02010; null: every block is scaled to 6. */
  readonly fourOverSix: BlockError | null
  /** False: the fp32 scale of the tensor is 1. */
  readonly tensorScale: boolean
  /** max |x| of the whole tensor where a matrix is only some of its rows; absent: the matrix is the tensor. */
  readonly tensorMaximum?: number
}

export interface IntegerQuantizer {
  readonly family: 'integer'
  readonly format: IntegerFormat
  /** Elements sharing a scale; 'row': the whole row, per channel for weights and per token for activations. */
  readonly group: 'row' | 32 | 64 | 128
  readonly scheme: IntegerScheme
}

export interface SixteenBitQuantizer {
  readonly family: 'sixteen-bit'
  readonly format: SixteenBitFormat
}

/** A format with the choices that complete it: what one operand is quantized with. */
export type Quantizer = MxQuantizer | NvfpQuantizer | IntegerQuantizer | SixteenBitQuantizer

/** What each tensor of the product is quantized with; null leaves it in full precision. */
export interface QuantConfig {
  readonly weight: Quantizer | null
  readonly activation: Quantizer | null
}
