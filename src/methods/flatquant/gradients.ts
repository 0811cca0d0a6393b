/**
 * One forward and backward pass of FlatQuant's objective ½‖X̂ Ŵᵀ − Y‖² for one layer, recorded as kernels.
 *
 * Z = X diag(d), V = W diag(1/d); X' = Z (P1 ⊗ P2), W' = V (A1 ⊗ A2), A = P⁻ᵀ; X̂, Ŵ are X', W' clipped and quantized.
 * A side that is not quantized has no clip. Source: FlatQuant, arXiv 2410.09426, section 3; docs/methods.md.
 */
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { expPair } from '../../gpu/kernels/exp-pair'
import { kroneckerLeft, kroneckerRight } from '../../gpu/kernels/kronecker'
import { kroneckerGradient } from '../../gpu/kernels/kronecker-gradient'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import { productColumnSums } from '../../gpu/kernels/product-column-sums'
import { type Residual, residualEnergy } from '../../gpu/kernels/residual-energy'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { subtractMean } from '../../gpu/kernels/subtract-mean'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import type { LearningProblem } from '../training/learner'
import { type OperandClip, type RoundedOperand, roundOperand } from '../training/rounding'
import type { LearnedState } from './parameters'

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
  readonly rounded: RoundedOperand
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
    how: { quantizer: Quantizer | null; clip: OperandClip | null },
  ): Side => {
    const right = kroneckerRight(recorder, arena, scaled, { a, b, factor: factors.right, transposed: false })
    const values = kroneckerLeft(recorder, arena, right, { a, b, factor: factors.left, transposed: false })
    return { scaled, right, rounded: roundOperand(recorder, arena, values, how), factors }
  }
  const activations = forwardSide(
    scaleColumns(recorder, arena, problem.calibration, scale),
    { a, b, left: p1.p, right: p2.p },
    { quantizer: problem.config.activation, clip: rowClip(state.activationClip, true) },
  )
  const weights = forwardSide(
    scaleColumns(recorder, arena, problem.weight, inverse),
    { a, b, left: p1.a, right: p2.a },
    { quantizer: problem.config.weight, clip: rowClip(state.weightClip, false) },
  )
  const estimate = matmulNt(recorder, arena, activations.rounded.quantized, weights.rounded.quantized)
  return { activations, weights, ...residualEnergy(recorder, arena, estimate, problem.reference) }
}

function rowClip(logits: LearnedBuffer | null, shared: boolean): OperandClip | null {
  return logits && { kind: 'rows', shared, logits: logits.value }
}

/** Gradients of ½‖E‖² at the state `forward` was computed from. */
export function backwardPass(
  recorder: Recorder,
  arena: Arena,
  forward: ForwardPass,
  state: LearnedState,
): FlatQuantGradients {
  const { activations, weights, residual } = forward
  const x = backwardSide(recorder, arena, matmulNn(recorder, arena, residual, weights.rounded.quantized), activations)
  const w = backwardSide(recorder, arena, matmulTn(recorder, arena, residual, activations.rounded.quantized), weights)
  const theta = productColumnSums(recorder, arena, [
    { left: x.scaled, right: activations.scaled, sign: 1 },
    { left: w.scaled, right: weights.scaled, sign: -1 },
  ])
  return {
    theta: subtractMean(recorder, arena, theta, state.theta.count),
    p1: state.p1.gradients(recorder, arena, { gP: x.left, gA: w.left }),
    p2: state.p2.gradients(recorder, arena, { gP: x.right, gA: w.right }),
    activationClip: x.clip,
    weightClip: w.clip,
  }
}

interface SideGradients {
  /** ∂/∂Z or ∂/∂V */
  readonly scaled: GpuMatrix
  /** ∂/∂P1 or ∂/∂A1, and ∂/∂P2 or ∂/∂A2 */
  readonly left: GPUBuffer
  readonly right: GPUBuffer
  readonly clip: GPUBuffer | null
}

/** From ∂/∂(quantized operand), which is overwritten, to the gradients of everything behind it. */
function backwardSide(recorder: Recorder, arena: Arena, gradient: GpuMatrix, side: Side): SideGradients {
  const { a, b, left, right } = side.factors
  const clip = side.rounded.backward(recorder, arena, gradient)
  const product = kroneckerLeft(recorder, arena, gradient, { a, b, factor: left, transposed: true }) // P1 mat(g)
  return {
    scaled: kroneckerRight(recorder, arena, product, { a, b, factor: right, transposed: true }), // P1 mat(g) P2ᵀ
    left: kroneckerGradient(recorder, arena, { left: side.right, right: gradient }, { a, b, factor: 'left' }),
    right: kroneckerGradient(recorder, arena, { left: side.scaled, right: product }, { a, b, factor: 'right' }),
    clip,
  }
}
