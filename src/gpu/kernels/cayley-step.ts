/** Gradient descent on the orthogonal matrices, and what keeps a matrix one of them. */
import pointSource from '../../../shaders/cayley_point.wgsl?raw'
import rateSource from '../../../shaders/cayley_rate.wgsl?raw'
import updateSource from '../../../shaders/cayley_update.wgsl?raw'
import trainingState from '../../../shaders/lib/training_state.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'
import { absoluteSums } from './absolute-sums'
import { addScaled } from './add-scaled'
import { matmulNn } from './matmul-nn'
import { matmulTn } from './matmul-tn'
import { transpose } from './transpose'

const WORKGROUP_SIZE = 256
/** As many as the published optimiser takes. */
const FIXED_POINT_ITERATIONS = 5
/** n x n x n products of one step: RᵀG, the iterations, QᵀQ and Q (QᵀQ). */
const PRODUCTS = FIXED_POINT_ITERATIONS + 3

export const cayleyRateKernel: Kernel = {
  name: 'cayley_rate',
  code: rateSource + trainingState,
  bindings: ['read', 'read', 'write'],
}

export const cayleyPointKernel: Kernel = {
  name: 'cayley_point',
  code: pointSource + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write'],
}

export const cayleyUpdateKernel: Kernel = {
  name: 'cayley_update',
  code: updateSource + workgroupIndex + trainingState,
  bindings: ['read', 'read', 'read', 'write'],
}

/** Multiplies and adds of one step of an [n, n] matrix. */
export function cayleyOperations(n: number): number {
  return 2 * PRODUCTS * n ** 3
}

/**
 * One step of Cayley SGD on log ‖E‖² at the orthogonal `value` R [n, n], in place, as the training state allows.
 * `gradient` G is that of ½‖E‖². With e = ‖E‖² and S = RᵀG − GᵀR the skew direction is Ω = S / e, the step
 * τ = min(1 / (‖Ω‖₁ + 1e-8), rate), found on the GPU. From Q = R − 2τ/e · G five iterations Q ← R − ½τ (R + Q) Ω lead
 * towards the Cayley transform of R; one Newton-Schulz step ½ Q (3I − QᵀQ) takes away what they leave.
 *
 * The direction is exact for orthogonal R, where the published K = B − ½ M (R B) is ½ B. Without momentum.
 * Accuracy: f32; after a step max |RᵀR − I| is about 1e-6.
 * Source: SpinQuant, arXiv 2405.16406; Li, Li and Todorovic, arXiv 2002.01113; docs/methods.md.
 */
export function cayleyStep(
  recorder: Recorder,
  value: GpuMatrix,
  gradient: GpuMatrix,
  { state, rate }: { state: GPUBuffer; rate: number },
): void {
  const arena = new Arena(recorder.gpu)
  const skew = skewPart(recorder, arena, value, gradient)
  const step = stepLength(recorder, arena, skew, { state, rate })
  const point = (owner: Arena, keep: number, factor: number, b: GpuMatrix) =>
    nextPoint(recorder, owner, { step, a: value, keep, b, factor })
  // The sum R + Q stands for Q: it is what the next product needs.
  let sum = point(arena, 2, -2, gradient)
  for (let i = 1; i < FIXED_POINT_ITERATIONS; i++) {
    const passing = new Arena(recorder.gpu)
    sum = point(arena, 2, -0.5, matmulNn(recorder, passing, sum, skew))
    passing.release()
  }
  const q = point(arena, 1, -0.5, matmulNn(recorder, arena, sum, skew))
  const product = matmulNn(recorder, arena, q, matmulTn(recorder, arena, q, q))
  const count4 = (value.rows * value.stride) / 4
  recorder.dispatch(cayleyUpdateKernel, {
    uniforms: [count4],
    buffers: [state, q.buffer, product.buffer, value.buffer],
    workgroups: Math.ceil(count4 / WORKGROUP_SIZE),
  })
  arena.release()
}

/** S = RᵀG − GᵀR [n, n]. */
function skewPart(recorder: Recorder, arena: Arena, value: GpuMatrix, gradient: GpuMatrix): GpuMatrix {
  const passing = new Arena(recorder.gpu)
  const product = matmulTn(recorder, passing, value, gradient)
  const skew = addScaled(recorder, arena, product, transpose(recorder, passing, product), -1)
  passing.release()
  return skew
}

/** τ / e as one float. */
function stepLength(
  recorder: Recorder,
  arena: Arena,
  skew: GpuMatrix,
  { state, rate }: { state: GPUBuffer; rate: number },
): GPUBuffer {
  const sums = absoluteSums(recorder, arena, skew)
  const step = arena.buffer(4, 'cayley rate')
  recorder.dispatch(cayleyRateKernel, {
    uniforms: [sums.rows, sums.stride, f32(rate)],
    buffers: [state, sums.buffer, step],
    workgroups: 1,
  })
  return step
}

/** keep · a + factor · step · b */
function nextPoint(
  recorder: Recorder,
  arena: Arena,
  call: { step: GPUBuffer; a: GpuMatrix; keep: number; b: GpuMatrix; factor: number },
): GpuMatrix {
  const { step, a, keep, b, factor } = call
  const out = arena.matrix(a.rows, a.cols, 'cayley point')
  const count4 = (a.rows * a.stride) / 4
  recorder.dispatch(cayleyPointKernel, {
    uniforms: [count4, f32(keep), f32(factor)],
    buffers: [step, a.buffer, b.buffer, out.buffer],
    workgroups: Math.ceil(count4 / WORKGROUP_SIZE),
  })
  return out
}
