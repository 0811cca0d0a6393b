import type { ErrorReport } from '../core/errors'
import type { OptionValues } from '../core/options'
import type { PreScale } from '../formats/number-format'

/** Errors of one product Ŷ against Y = X Wᵀ over one set of rows. Definitions: docs/metrics.md. */
export interface OutputErrors {
  /** ‖Ŷ − Y‖_F / ‖Y‖_F */
  readonly outputRelativeError: number
  /** −20 log10(outputRelativeError), in dB */
  readonly outputSqnrDb: number
  /** ⟨Y, Ŷ⟩ / ⟨Y, Y⟩: below 1 the outputs shrink */
  readonly gain: number
  /** ⟨Y, Ŷ⟩ / (‖Y‖ ‖Ŷ‖) */
  readonly cosine: number
  /** max |Ŷ − Y|, in the unit of Y */
  readonly maxAbsoluteError: number
  /** Rows the numbers were taken over. */
  readonly tokens: number
}

/** Counts bins of equal width 2·range/counts.length over [−range, range]; `range` is a power of two, so bins of two
 *  histograms with the same number of bins nest exactly. */
export interface Histogram {
  readonly range: number
  readonly counts: Float64Array
}

/** |x| of a [tokens, channels] matrix, reduced by maximum to at most 128 x 256 cells. Row-major. */
export interface MagnitudeMap {
  readonly rows: number
  readonly cols: number
  readonly values: Float32Array
  /** Tokens and channels of the matrix itself. */
  readonly tokens: number
  readonly channels: number
}

/** The distribution of what is quantized: evaluation activations after the transform, before rounding. */
export interface ActivationProfile {
  readonly histogram: Histogram
  readonly map: MagnitudeMap
  /** max over tokens of |x|, per channel [in] */
  readonly channelMax: Float32Array
  /** root mean square over tokens, per channel [in] */
  readonly channelRms: Float32Array
  readonly maxAbsolute: number
  /** Fourth standardised moment about the mean: 3 for a Gaussian. */
  readonly kurtosis: number
  /** Elements counted, tokens x in. */
  readonly count: number
}

/** What rounding did to one operand. Percentages are shares of all its elements, 0 … 100. */
export interface OperandErrors {
  readonly sqnrDb: number
  readonly clippedPercent: number
  readonly flushedPercent: number
}

export interface TrainingCurve {
  readonly steps: readonly number[]
  /** √L, the relative output error on calibration rows. */
  readonly losses: readonly number[]
  readonly bestStep: number
}

/** How many blocks of an operand have which power-of-two scale. */
export interface ScaleHistogram {
  /** Unbiased exponent of counts[0]; NaN blocks and all-zero blocks are not in the counts. */
  readonly firstExponent: number
  readonly counts: readonly number[]
  readonly zeroBlocks: number
  readonly blocks: number
}

/** An output error over one parameter of the number format; methods' transforms stay as they were fitted. */
export interface ScaleSweep {
  readonly values: readonly number[]
  /** On evaluation rows, in dB, one per value. */
  readonly outputSqnrDb: readonly number[]
}

/** Over the factor of the pre-scale, ascending; 1 is without. The factor in use is among the values. */
export interface PreScaleSweep extends ScaleSweep {
  /** The variant in use; 'exact' where the pre-scale is off. */
  readonly variant: PreScale['variant']
}

/**
 * What the scales of the MX operands cost on evaluation rows, operands rounded to nearest after the transform.
 * Definitions: docs/metrics.md, "Error owed to scales".
 */
export interface ScaleAnalysis {
  /** After the transform; null for an operand without power-of-two scales. */
  readonly weightScales: ScaleHistogram | null
  readonly activationScales: ScaleHistogram | null
  /**
   * Relative output errors with fp32 block scales in place of power-of-two ones, all four without pre-scale, which fp32
   * scales cannot have; null where no operand has power-of-two scales.
   */
  readonly split: {
    /** Both operands as in the setting, but without pre-scale: not the error of the result where that has one. */
    readonly powerOfTwo: number
    readonly weightFp32: number
    readonly activationFp32: number
    readonly bothFp32: number
    /** 1 − (bothFp32 / powerOfTwo)²: the share of the output's squared error owed to scales; negative when fp32 is worse. */
    readonly scaleShare: number
  } | null
  /** null without a 4-bit MX operand. */
  readonly preScaleSweep: PreScaleSweep | null
  /** Over the block size of the MX operands, pre-scale as in the setting; null without one. */
  readonly blockSizeSweep: ScaleSweep | null
}

/** What identifies a result inside a comparison. */
export interface ResultIdentity {
  readonly method: string
  readonly setting: string
  /** Formats with their options as text; null means left as loaded. */
  readonly weightFormat: string | null
  readonly activationFormat: string | null
  /** Of the quantized output (key-value cache); null for settings that leave the output alone. */
  readonly outputFormat: string | null
  /** Channels of one head of the quantized output; null where the output is left alone. */
  readonly headDim: number | null
  /** The choices MX tensors were quantized with; null where the setting has none. */
  readonly scaleRule: string | null
  readonly rounding: string | null
  readonly blockSize: number | null
  /** The factor; null when it reached no tensor. */
  readonly preScale: number | null
  readonly preScaleVariant: PreScale['variant'] | null
  readonly seed: number
  readonly options: OptionValues
}

/** Everything a figure may show about one method under one setting. Plain data. */
export interface MethodResult extends ResultIdentity {
  readonly kind: 'result'
  readonly calibration: OutputErrors
  readonly evaluation: OutputErrors
  /** In the transformed space; null for a side that is not quantized. An all-zero operand has an SQNR of NaN. */
  readonly weight: OperandErrors | null
  readonly activation: OperandErrors | null
  /** Of the stored weight, scales included. */
  readonly bitsPerElement: number
  /** Multiply-adds per token the transform costs online. */
  readonly onlineOperations: number
  /** Bytes kept at inference beside the quantized weight: parameters of the transform, low-rank factors. */
  readonly onlineBytes: number
  /** Fit and measurement; work found from an earlier method counts with the time it took there. */
  readonly elapsedMs: number
  readonly profile: ActivationProfile
  readonly training: TrainingCurve | null
  /** null unless the request asked for it. */
  readonly scaleAnalysis: ScaleAnalysis | null
  readonly notes: readonly string[]
}

/** A method that could not finish; the others of the run stand. */
export interface MethodFailure extends ResultIdentity {
  readonly kind: 'failure'
  readonly error: ErrorReport
}

export type MethodOutcome = MethodResult | MethodFailure

/** Where the activations came from, always shown beside the numbers. */
export type ActivationOrigin =
  | { readonly kind: 'captured'; readonly tensor: string; readonly file: string }
  | { readonly kind: 'synthetic'; readonly description: string; readonly seed: number }

/** What was compared. */
export interface LayerFacts {
  readonly name: string
  readonly file: string
  readonly outDim: number
  readonly inDim: number
  readonly calibrationTokens: number
  readonly evaluationTokens: number
  /** True when errors are measured on the rows that were calibrated on. */
  readonly sameRows: boolean
  readonly activations: ActivationOrigin
  /** Facts to show beside the numbers: a weight that was turned, a short last block. */
  readonly notes?: readonly string[]
}

/** What a method gives at one value of a swept parameter; `error` where it fails. */
export interface SweepPoint {
  readonly value: number
  readonly calibration: OutputErrors | null
  readonly evaluation: OutputErrors | null
  readonly error: ErrorReport | null
}
