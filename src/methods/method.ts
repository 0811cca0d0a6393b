/**
 * The contracts of a method. The files of transforms/ and mitigations/ hold the facts a menu shows and import their code
 * only when it runs: the page's shell reads the registry and stays small.
 */

import type { OptionSpec, OptionValues } from '../core/options'
import type { RunOptions } from '../core/progress'
import type { QuantConfig } from '../formats/number-format'
import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'

/** The open device and the run's own options. `arena` owns what a method returns. */
export interface Context extends RunOptions {
  readonly gpu: Gpu
  readonly arena: Arena
}

/** What a transform and a mitigation are fitted on. Evaluation rows never come here. */
export interface FitInput {
  /** [out, in] */
  readonly weight: GpuMatrix
  /** Calibration rows [tokens, in]. */
  readonly calibration: GpuMatrix
  /** Reference output of the calibration rows, calibration · weightᵀ [tokens, out]. */
  readonly reference: GpuMatrix
  readonly config: QuantConfig
  readonly options: OptionValues
}

/**
 * Learned clipping (FlatQuant): rows are clamped to [low · min(row), high · max(row)] before they are quantized.
 * Not part of the change of basis, so kept apart from it.
 */
export interface RowClip {
  /** Two floats (low, high) shared by all activation rows; null when activations stay unclipped. */
  readonly activation: GPUBuffer | null
  /** Per weight row two floats (low, high): [out, 2]; null when weights stay unclipped. */
  readonly weight: GPUBuffer | null
}

/** What a user may want to know about a fit. Plain data. */
export interface FitReport {
  /** Facts to show beside the numbers: which matrix was used, what was raised, padded or left out. */
  readonly notes: readonly string[]
  /** Relative output error √L per recorded step of a learned method, and the step whose state was kept. */
  readonly training: {
    readonly steps: readonly number[]
    readonly losses: readonly number[]
    readonly bestStep: number
  } | null
  /** Multiply-adds per token that the transform costs online, beyond the product itself. */
  readonly onlineOperations: number
}

/** A change of basis found for one layer: X' W'ᵀ = X Wᵀ in exact arithmetic. */
export interface FittedTransform {
  /** W' [out, in] */
  readonly weight: GpuMatrix
  /** X [tokens, in] -> X' [tokens, in], allocated in the context's arena. May return its argument unchanged. */
  apply(activations: GpuMatrix): GpuMatrix
  readonly clip: RowClip | null
  readonly report: FitReport
}

/** Changes basis before quantization. Invariant, proved by the contract test: X' W'ᵀ = X Wᵀ. */
export interface Transform {
  readonly id: string
  readonly label: string
  readonly source: string
  readonly options: readonly OptionSpec[]
  fit(input: FitInput, context: Context): Promise<FittedTransform>
}

/** What is multiplied at inference. */
export interface QuantizedWeight {
  /** Ŵ [out, in], every block representable in the weight format. */
  readonly weight: GpuMatrix
  readonly notes: readonly string[]
}

/** Decides which representable weight stands for each real one. */
export interface Mitigation {
  readonly id: string
  readonly label: string
  readonly source: string
  readonly options: readonly OptionSpec[]
  /** `transformed` is W', `calibration` is X' of the calibration rows. */
  quantizeWeight(transformed: FittedTransform, input: FitInput, context: Context): Promise<QuantizedWeight>
}

/** A method is a pair. RTN is (identity, round to nearest); a starred variant swaps the second half. */
export interface Method {
  readonly id: string
  /** The name its paper gives it. */
  readonly label: string
  readonly kind: 'baseline' | 'rotation' | 'affine'
  readonly summary: string
  readonly transform: Transform
  readonly mitigation: Mitigation
}
