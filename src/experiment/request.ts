import type { Rounding, ScaleRule } from '../formats/number-format'
import type { OptionValues } from '../methods/options'

/** Formats of weights and activations under a name such as W4A4; null leaves that side as loaded. */
export interface Setting {
  readonly id: string
  readonly weightFormat: string | null
  readonly activationFormat: string | null
}

export interface MethodChoice {
  readonly id: string
  readonly options: OptionValues
}

/** One comparison, as data: with the layer it reproduces every number. */
export interface ComparisonRequest {
  readonly settings: readonly Setting[]
  readonly methods: readonly MethodChoice[]
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  /** Applied to 4-bit operands only (docs/formats.md, "The 3/4 pre-scale"); null: off. */
  readonly preScale: 0.75 | null
  readonly seed: number
}
