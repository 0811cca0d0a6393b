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
import type { BlockBounds } from '../gpu/kernels/clip-blocks'
import type { PackedMatrix } from '../gpu/kernels/packed-matrix'
import type { Recorder } from '../gpu/recorder'
import type { MethodSize, MitigationMemory, TransformMemory } from './memory'

/** The open device and the run's own options. `arena` owns what a method returns. */
export interface Context extends RunOptions {
  readonly gpu: Gpu
  readonly arena: Arena
  /** Of the rows at hand: a transform sees X, a mitigation X'. Absent: nothing is shared (once.ts). */
  readonly shared?: SharedWork
}

/** Results that several methods read, of one set of calibration rows; each is computed by the first method that asks. */
export interface SharedWork {
  /**
   * What is kept under `name`, or what `make` computes: its buffers lie in `own.arena` and nowhere else, and what it takes
   * from others it takes through `own.shared`. Nothing is left of one that throws.
   */
  get<T>(name: string, make: (own: Required<Pick<Context, 'arena' | 'shared'>>) => Promise<T>): Promise<T>
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
  /** Channels of one attention head; null: nobody has said (assumedHeadDim). */
  readonly headDim: number | null
}

/**
 * What is clamped before it is quantized: rows to [low · min(row), high · max(row)] (learned, FlatQuant), blocks to
 * a share of their largest magnitude (searched, AWQ; learned, block affine). Not part of the change of basis, so kept apart from it.
 */
export interface Clip {
  /** Two floats (low, high) shared by all activation rows; null when activations stay unclipped. */
  readonly activation: GPUBuffer | null
  /** Per weight row two floats (low, high): [out, 2]; null when weights stay unclipped. */
  readonly weight: GPUBuffer | null
  /** Per block of X', the same for all rows; null when blocks stay unclipped. */
  readonly activationBlocks: BlockBounds | null
  /** Per block of W'; null when blocks stay unclipped. */
  readonly weightBlocks: BlockBounds | null
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
  /** Bytes of what the transform keeps for that: scales and factors in BF16, a bit per sign. */
  readonly onlineBytes: number
}

/** A tensor that an online step needs, as the GPU has it. Row-major. */
export interface OnlineTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/**
 * One step of X on its way to X', in terms another program can repeat (docs/export.md has the formula of each kind).
 * `facts` is plain data; `tensors` reads what it needs while the fit's arena lives.
 */
export interface OnlineStep {
  readonly kind: 'scale' | 'hadamard' | 'block-hadamard' | 'kronecker' | 'matrix' | 'block-matrix' | 'clip'
  readonly facts: Readonly<Record<string, string | number | boolean | null>>
  tensors(): Promise<readonly OnlineTensor[]>
}

/** A change of basis found for one layer: X' W'ᵀ = X Wᵀ in exact arithmetic. */
export interface FittedTransform {
  /** W' [out, in] */
  readonly weight: GpuMatrix
  /** X [tokens, in] -> X' [tokens, in], allocated in the context's arena. May return its argument unchanged. */
  apply(activations: GpuMatrix): GpuMatrix
  /** What `apply` does, step by step; the clip is not among them. */
  readonly online: readonly OnlineStep[]
  readonly clip: Clip | null
  readonly report: FitReport
}

/** What a rotation may depend on beside the number of channels and the seed. */
export type RotationInput = Pick<FitInput, 'config' | 'options' | 'headDim'>

/** A change of basis that is one orthogonal matrix T for both sides, X' = X T and W' = W T, known before the layer is. */
export interface KnownRotation extends Pick<FitReport, 'notes' | 'onlineOperations' | 'onlineBytes'> {
  /** matrix · T [rows, in] -> same, for activations and weights alike. */
  rotate(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GpuMatrix
}

/** Changes basis before quantization. Invariant, proved by the contract test: X' W'ᵀ = X Wᵀ. */
export interface Transform {
  readonly id: string
  readonly label: string
  readonly source: string
  readonly options: readonly OptionSpec[]
  fit(input: FitInput, context: Context): Promise<FittedTransform>
  /**
   * What a fit depends on beside the layer and its own options, as plain data: equal for settings that share it. Absent:
   * formats of both sides, head dimension and seed.
   */
  dependsOn?(input: RotationInput, seed: number): Promise<readonly unknown[]>
  /**
   * What `fit` finds, without the layer: any rows of it can then be rotated by themselves. Absent where the fit has to see
   * the whole layer.
   */
  rotation?(channels: number, input: RotationInput, context: Context): Promise<KnownRotation>
  /** What the fit takes, before it runs. Throws InputError where `fit` would for the same width and options. */
  memory(size: MethodSize, input: RotationInput): Promise<TransformMemory>
}

/** A branch beside the main product: Ŷ = X̂ Ŵᵀ + (X' A) B, with X̂ in place of X' where `input` is 'quantized'. */
export interface LowRankCorrection {
  /** Aᵀ [r, in] and Bᵀ [out, r]: both contiguous along the sums of `matmulNt`. Every element is a BF16 number. */
  readonly left: GpuMatrix
  readonly right: GpuMatrix
  readonly input: 'full' | 'quantized'
  /** Bits of A and B. Per token the branch costs bits / 16 multiply-adds. */
  readonly bits: number
}

/** What is multiplied at inference. */
export interface QuantizedWeight {
  /** Ŵ [out, in], every block representable in the weight format. */
  readonly weight: GpuMatrix
  /** null: the quantized product stands alone. */
  readonly correction: LowRankCorrection | null
  /**
   * Records Ŵ as codes and scales, those it was rounded to: `dequantize` of them is `weight`, bit for bit. Callable as
   * long as the context's arena lives. null where the weight stays as loaded.
   */
  readonly pack: ((recorder: Recorder, arena: Arena) => PackedMatrix) | null
  readonly notes: readonly string[]
}

/** Decides which representable weight stands for each real one. */
export interface Mitigation {
  readonly id: string
  readonly label: string
  readonly source: string
  readonly options: readonly OptionSpec[]
  /**
   * `transformed` is W', and X' of the calibration rows what it makes of `input.calibration`. Does not depend on the format of
   * the activations, so that settings which differ in it alone share Ŵ.
   */
  quantizeWeight(transformed: FittedTransform, input: FitInput, context: Context): Promise<QuantizedWeight>
  /**
   * The same for a weight without clip in pieces: what all its rows share. Absent where codes of one row depend on others.
   * Throws as quantizeWeight does.
   */
  prepareRows?(
    calibration: CalibrationPieces,
    input: Pick<FitInput, 'config' | 'options'>,
    context: Context,
  ): Promise<RowQuantizer>
  /** What `quantizeWeight` takes after a transform, before it runs. */
  memory(size: MethodSize, input: RotationInput, transform: TransformMemory): Promise<MitigationMemory>
}

/** X' of the calibration rows, a piece at a time. */
export interface CalibrationPieces {
  readonly channels: number
  readonly tokens: number
  /** Calls `visit` with X' of one piece after the other, in order; a matrix lives until its visit ends. */
  forEach(visit: (transformed: GpuMatrix) => Promise<void>): Promise<void>
}

/** Decides the codes of some rows of a weight, independently of the others. */
export interface RowQuantizer {
  /** Rows of W' [rows, in] -> those of Ŵ, in the context's arena. Not asked where the weight stays as loaded. */
  quantize(rows: GpuMatrix, context: Context): Promise<GpuMatrix>
  readonly notes: readonly string[]
}

/** What a method is known for: its transform, or without one its mitigation. */
export type MethodKind = 'baseline' | 'channel-wise' | 'rotation' | 'affine' | 'compensation' | 'low-rank'

/** A method is a pair. RTN is (identity, round to nearest); a starred variant swaps the second half. */
export interface Method {
  readonly id: string
  /** The name its paper gives it, or one made of the names of its halves. */
  readonly label: string
  readonly kind: MethodKind
  readonly summary: string
  /** A paper names this pair or reports it. */
  readonly published: boolean
  readonly transform: Transform
  readonly mitigation: Mitigation
  /** Defaults of options that differ from those of its halves. */
  readonly defaults: OptionValues
}
