/**
 * One forward and backward pass of the objective ½‖X̂ Ŵᵀ − Y‖² for one layer, recorded as kernels.
 *
 * X' = Z R, W' = V A with Z = X diag(d), V = W diag(1/d), R block-diagonal and A = R⁻ᵀ; X̂, Ŵ are X', W' clipped block by
 * block and quantized.
 */
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { blockCross, blockProduct } from '../../gpu/kernels/block-diagonal'
import type { BlockWidth } from '../../gpu/kernels/block-layout'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { type Residual, residualEnergy } from '../../gpu/kernels/residual-energy'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { throughInverse } from '../flatquant/inverse-form'
import type { LearningProblem } from '../training/learner'
import { type OperandClip, type RoundedOperand, roundOperand } from '../training/rounding'

/** The parameters on the GPU, and the operands they are applied to. */
export interface BlockAffineState {
  readonly size: number
  /** Z [tokens, in] and V [out, in] */
  readonly activations: GpuMatrix
  readonly weights: GpuMatrix
  /** R and A = R⁻ᵀ [stride, size], blocks of zeros beyond the last channel. */
  readonly blocks: LearnedBuffer
  readonly inverses: LearnedBuffer
  readonly activationClip: LearnedClip | null
  readonly weightClip: LearnedClip | null
}

export interface LearnedClip {
  readonly width: BlockWidth
  readonly logits: LearnedBuffer
}

/** Gradients of ½‖E‖², in the shapes of the parameters; null where there is no parameter. */
export interface BlockAffineGradients {
  readonly blocks: GPUBuffer
  readonly activationClip: GPUBuffer | null
  readonly weightClip: GPUBuffer | null
}

/** Both operands as they are multiplied, and the residual of their product. */
export interface ForwardPass extends Residual {
  readonly activations: RoundedOperand
  readonly weights: RoundedOperand
}

/** Evaluates the objective at the state's current values. */
export function forwardPass(
  recorder: Recorder,
  arena: Arena,
  { config, reference }: LearningProblem,
  state: BlockAffineState,
): ForwardPass {
  const applied = (matrix: GpuMatrix, { value }: LearnedBuffer) =>
    blockProduct(recorder, arena, matrix, { width: state.size, buffer: value })
  const clipOf = (clip: LearnedClip | null, shared: boolean): OperandClip | null =>
    clip && { kind: 'blocks', shared, width: clip.width, logits: clip.logits.value }
  const activations = roundOperand(recorder, arena, applied(state.activations, state.blocks), {
    quantizer: config.activation,
    clip: clipOf(state.activationClip, true),
  })
  const weights = roundOperand(recorder, arena, applied(state.weights, state.inverses), {
    quantizer: config.weight,
    clip: clipOf(state.weightClip, false),
  })
  const estimate = matmulNt(recorder, arena, activations.quantized, weights.quantized)
  return { activations, weights, ...residualEnergy(recorder, arena, estimate, reference) }
}

/** Gradients of ½‖E‖² at the state `forward` was computed from. */
export function backwardPass(
  recorder: Recorder,
  arena: Arena,
  { activations, weights, residual }: ForwardPass,
  state: BlockAffineState,
): BlockAffineGradients {
  const { size } = state
  const gX = matmulNn(recorder, arena, residual, weights.quantized)
  const gW = matmulTn(recorder, arena, residual, activations.quantized)
  const activationClip = activations.backward(recorder, arena, gX)
  const weightClip = weights.backward(recorder, arena, gW)
  const gP = blockCross(recorder, arena, { left: state.activations, right: gX }, size).buffer
  const gA = blockCross(recorder, arena, { left: state.weights, right: gW }, size).buffer
  const count = state.blocks.count / size ** 2
  return {
    blocks: throughInverse(recorder, arena, { size, count, gP, gA, inverse: state.inverses.value }),
    activationClip,
    weightClip,
  }
}
