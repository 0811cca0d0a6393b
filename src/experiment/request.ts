import type { OptionValues } from '../core/options'
import type { MxChoices } from '../formats/quantizer'

/**
 * Formats of weights and activations under a name such as W4A4, and, for the key-value cache, of the output. Each is
 * the text of a format with its options (formats/format-text.ts); null leaves that tensor as loaded.
 */
export interface Setting {
  readonly id: string
  readonly weightFormat: string | null
  readonly activationFormat: string | null
  readonly outputFormat: string | null
}

export interface MethodChoice {
  readonly id: string
  readonly options: OptionValues
}

/** One comparison, as data: with the layer it reproduces every number. The MX choices hold for every MX operand. */
export interface ComparisonRequest extends MxChoices {
  readonly settings: readonly Setting[]
  readonly methods: readonly MethodChoice[]
  readonly seed: number
  /**
   * Channels of one attention head: where blocks of a quantized output begin anew, and what a rotation of heads mixes.
   * null: assumed (assumedHeadDim), and said.
   */
  readonly headDim: number | null
  /** Also measure what the scales cost (ScaleAnalysis): up to 19 more products per method and setting. */
  readonly scaleAnalysis: boolean
}

/** Calibration rows as a parameter of a sweep; every other parameter is the key of a numeric option of the method. */
export const TOKENS_PARAMETER = 'tokens'

/** One method under one setting, over one parameter. */
export interface SweepRequest extends MxChoices {
  readonly setting: Setting
  readonly method: MethodChoice
  /** TOKENS_PARAMETER, or the key of a numeric option. */
  readonly parameter: string
  readonly values: readonly number[]
  readonly seed: number
  readonly headDim: number | null
}
