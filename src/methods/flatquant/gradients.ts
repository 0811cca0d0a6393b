/**
 * One forward and backward pass of FlatQuant's objective ½‖X̂ Ŵᵀ − Y‖² for one layer, recorded as kernels.
 *
 * Z = X diag(d), V = W diag(1/d); X' = Z (P1 ⊗ P2), W' = V (A1 ⊗ A2), A = P⁻ᵀ; X̂, Ŵ are X', W' clipped and quantized.
 * A side that is not quantized has no clip. Source: FlatQuant, arXiv 2410.09426, section 3; docs/methods.md.
 */
import type { QuantConfig, Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipGradient } from '../../gpu/kernels/clip-gradient'
import { clipRows } from '../../gpu/kernels/clip-rows'
import { expPair } from '../../gpu/kernels/exp-pair'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { kroneckerLeft, kroneckerRight } from '../../gpu/kernels/kronecker'
import { kroneckerGradient } from '../../gpu/kernels/kronecker-gradient'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { productColumnSums } from '../../gpu/kernels/product-column-sums'
import { type Residual, residualEnergy } from '../../gpu/kernels/residual-energy'
import { rowExtremes } from '../../gpu/kernels/row-extremes'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import { type ClippedOperand, straightThrough, straightThroughRule } from '../../gpu/kernels/straight-through'
import { SUM_WIDTH, stridedSums } from '../../gpu/kernels/strided-sums'
import { subtractMean } from '../../gpu/kernels/subtract-mean'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import type { LearnedState } from './parameters'

/** What a layer's transform is learned from. */
export interface LearningProblem {
  /** [out, in] */
  readonly weight: GpuMatrix
  /** [tokens, in] */
  readonly calibration: GpuMatrix
  /** [tokens, out] */
  readonly reference: GpuMatrix
  readonly config: QuantConfig
}

/** Gradients of ½‖E‖², in the shapes of the parameters; null where there is no parameter. */
export interface FlatQuantGradients {
  /** With its mean subtracted: a common factor of d only shifts error between X and W by octaves. */
  readonly theta: GPUBuffer
  /** In the order of LearnedFactor.learned. */
  readonly p1: readonly GPUBuffer[]
  readonly p2: readonly GPUBuffer[]
  readonly activationClip: GPUBuffer | null
  readonly weightClip: GPUBuffer | null
}

/** The forward pass of one operand: what its backward pass needs. */
interface Side {
  /** Z or V [rows, n] */
  readonly scaled: GpuMatrix
  /** mat(z) P2 row by row [rows, n] */
  readonly right: GpuMatrix
  readonly quantized: GpuMatrix
  /** null when the side is not quantized. */
  readonly rounding: { readonly operand: ClippedOperand; readonly quantizer: Quantizer } | null
  readonly factors: Factors
}

interface Factors {
  readonly a: number
  readonly b: number
  readonly left: GPUBuffer
  readonly right: GPUBuffer
}

/** Both operands, quantized, and the residual of their product. */
export interface ForwardPass extends Residual {
  readonly activations: Side
  readonly weights: Side
}

/** Evaluates the objective at the state's current values. */
export function forwardPass(
  recorder: Recorder,
  arena: Arena,
  problem: LearningProblem,
  state: LearnedState,
): ForwardPass {
  const { p1, p2 } = state
  const [a, b] = [p1.size, p2.size]
  const { scale, inverse } = expPair(recorder, arena, state.theta.value, state.theta.count)
  const forwardSide = (
    scaled: GpuMatrix,
    factors: Factors,
    rounding: { quantizer: Quantizer | null; clip: LearnedBuffer | null; shared: boolean },
  ): Side => {
    const right = kroneckerRight(recorder, arena, scaled, { a, b, factor: factors.right, transposed: false })
    const values = kroneckerLeft(recorder, arena, right, { a, b, factor: factors.left, transposed: false })
    const { quantizer, clip, shared } = rounding
    if (!quantizer || !clip) return { scaled, right, quantized: values, rounding: null, factors }
    const bounds = sigmoid(recorder, arena, clip.value, clip.count)
    const extremes = rowExtremes(recorder, arena, values)
    const clipped = clipRows(recorder, arena, values, { shared, bounds, extremes })
    const quantized = fakeQuantize(recorder, arena, clipped, quantizer)
    return {
      scaled,
      right,
      quantized,
      factors,
      rounding: { quantizer, operand: { values, quantized, extremes, bounds, shared } },
    }
  }
  const activations = forwardSide(
    scaleColumns(recorder, arena, problem.calibration, scale),
    { a, b, left: p1.p, right: p2.p },
    { quantizer: problem.config.activation, clip: state.activationClip, shared: true },
  )
  const weights = forwardSide(
    scaleColumns(recorder, arena, problem.weight, inverse),
    { a, b, left: p1.a, right: p2.a },
    { quantizer: problem.config.weight, clip: state.weightClip, shared: false },
  )
  const estimate = matmulNt(recorder, arena, activations.quantized, weights.quantized)
  return { activations, weights, ...residualEnergy(recorder, arena, estimate, problem.reference) }
}

/** Gradients of ½‖E‖² at the state `forward` was computed from. */
export function backwardPass(
  recorder: Recorder,
  arena: Arena,
  forward: ForwardPass,
  state: LearnedState,
): FlatQuantGradients {
  const { activations, weights, residual } = forward
  const x = backwardSide(recorder, arena, matmulNn(recorder, arena, residual, weights.quantized), activations)
  const w = backwardSide(recorder, arena, matmulTn(recorder, arena, residual, activations.quantized), weights)
  const theta = productColumnSums(recorder, arena, [
    { left: x.scaled, right: activations.scaled, sign: 1 },
    { left: w.scaled, right: weights.scaled, sign: -1 },
  ])
  return {
    theta: subtractMean(recorder, arena, theta, state.theta.count),
    p1: state.p1.gradients(recorder, arena, { gP: x.left, gA: w.left }),
    p2: state.p2.gradients(recorder, arena, { gP: x.right, gA: w.right }),
    activationClip: x.clip && sumPairs(recorder, arena, x.clip, activations.quantized.rows),
    weightClip: w.clip,
  }
}

interface SideGradients {
  /** ∂/∂Z or ∂/∂V */
  readonly scaled: GpuMatrix
  /** ∂/∂P1 or ∂/∂A1, and ∂/∂P2 or ∂/∂A2 */
  readonly left: GPUBuffer
  readonly right: GPUBuffer
  /** Per row (low, high). */
  readonly clip: GPUBuffer | null
}

/** From ∂/∂(quantized operand), which is overwritten, to the gradients of everything behind it. */
function backwardSide(recorder: Recorder, arena: Arena, gradient: GpuMatrix, side: Side): SideGradients {
  const { a, b, left, right } = side.factors
  const clip = side.rounding && throughRounding(recorder, arena, gradient, side.rounding)
  const product = kroneckerLeft(recorder, arena, gradient, { a, b, factor: left, transposed: true }) // P1 mat(g)
  return {
    scaled: kroneckerRight(recorder, arena, product, { a, b, factor: right, transposed: true }), // P1 mat(g) P2ᵀ
    left: kroneckerGradient(recorder, arena, { left: side.right, right: gradient }, { a, b, factor: 'left' }),
    right: kroneckerGradient(recorder, arena, { left: side.scaled, right: product }, { a, b, factor: 'right' }),
    clip,
  }
}

function throughRounding(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  { operand, quantizer }: NonNullable<Side['rounding']>,
): GPUBuffer {
  const rule = straightThroughRule(quantizer)
  const clipSums = straightThrough(recorder, arena, gradient, { operand, quantizer, rule })
  return clipGradient(recorder, arena, gradient, { operand, clipSums })
}

/** Σ over rows of [rows, 2], in two levels so that no thread adds up more than a 64th of the rows. */
function sumPairs(recorder: Recorder, arena: Arena, pairs: GPUBuffer, rows: number): GPUBuffer {
  const sums = stridedSums(recorder, arena, pairs, { total: 2 * rows, width: SUM_WIDTH })
  return stridedSums(recorder, arena, sums, { total: SUM_WIDTH, width: 2 })
}
