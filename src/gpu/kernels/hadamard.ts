import butterflySource from '../../../shaders/hadamard_butterfly.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { HadamardPlan } from '../../core/hadamard'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'
import { uploadWords } from '../transfer'
import { kroneckerLeft } from './kronecker'

const WORKGROUP_SIZE = 64
/** At most 2^5 vec4s in the registers of one invocation: 128 floats. */
const MAX_POINTS_LOG2 = 5

export const hadamardButterflyKernel: Kernel = {
  name: 'hadamard_butterfly',
  code: butterflySource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** A plan with the random signs of its diagonal, ±1 per channel; null: none. */
export type SignedHadamardPlan = HadamardPlan & { readonly signs: Int8Array | null }

/** One pass of the butterfly: 2^pointsLog2 vec4s `step` vec4s apart, and `inner` stages inside a vec4. */
interface Pass {
  readonly pointsLog2: number
  readonly inner: number
  readonly step: number
}

/**
 * (matrix ⊙ signs) · T for the orthogonal T of `plan`; the same call transforms activations and weights.
 *
 * Shapes: matrix [rows, n] -> same. With channel c = k · 2^p + j,
 * out[k', j'] = n^(-1/2) Σ_k H_K[k', k] Σ_j (−1)^popcount(j & j') s[k, j] x[k, j]; for a mixed rotation Q[k, k'] takes
 * the place of H_K[k', k] / √K. The butterfly goes in passes of up to 128 floats in registers, then one K x K product.
 * Accuracy: f32; relative to the largest output about 2^-24 · (p + √K).
 * Throws InputError when the plan is for another width. Source: QuaRot, arXiv 2404.00456; docs/methods.md.
 */
export function hadamard(recorder: Recorder, arena: Arena, matrix: GpuMatrix, plan: SignedHadamardPlan): GpuMatrix {
  if (plan.n !== matrix.cols || (plan.signs && plan.signs.length !== plan.n)) {
    throw new InputError('BUG', `hadamard: expected ${plan.n} columns and as many signs, found ${matrix.cols} columns`)
  }
  if (plan.order === 1) return butterfly(recorder, arena, matrix, { ...plan, scale: 1 / Math.sqrt(plan.n) })
  const runs = plan.log2 === 0 && !plan.signs ? matrix : butterfly(recorder, arena, matrix, { ...plan, scale: 1 })
  const factor = uploadWords(recorder.gpu, arena, outerFactor(plan), 'hadamard outer factor')
  const shape = { a: plan.order, b: 2 ** plan.log2 }
  return kroneckerLeft(recorder, arena, runs, { ...shape, factor, transposed: plan.kind !== 'mixed' })
}

/** Runs of 2^log2 channels and what they are multiplied by. */
export interface Butterfly {
  readonly log2: number
  /** ±1 per channel, before the butterfly; null: none. */
  readonly signs: Int8Array | null
  readonly scale: number
}

/**
 * scale · (matrix ⊙ signs) (I ⊗ H) with the Walsh-Hadamard matrix of order 2^log2 in every run of so many channels, in
 * passes of up to 128 floats in registers. Shapes: [rows, cols] -> same; the runs tile a row, or a row and its padding.
 */
export function butterfly(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { log2, signs, scale }: Butterfly,
): GpuMatrix {
  const passes = planPasses(log2)
  const targets = passes
    .slice(0, butterflyMatrices(log2))
    .map((_, i) => arena.matrix(matrix.rows, matrix.cols, `hadamard ${i}`))
  const signBits = signs ? uploadWords(recorder.gpu, arena, packSigns(signs), 'hadamard signs') : null
  let current = matrix
  passes.forEach(({ pointsLog2, inner, step }, index) => {
    const signed = signBits !== null && index === 0
    const target = targets[index % 2]
    const count = (matrix.rows * matrix.stride) / 4 / 2 ** pointsLog2
    recorder.dispatch(hadamardButterflyKernel, {
      overrides: { POINTS: 2 ** pointsLog2, INNER: inner, SIGNED: Number(signed) },
      uniforms: [count, step, matrix.stride / 4, f32(index === passes.length - 1 ? scale : 1)],
      buffers: [current.buffer, signed ? signBits : current.buffer, target.buffer],
      workgroups: Math.ceil(count / WORKGROUP_SIZE),
    })
    current = target
  })
  return current
}

/** Matrices that `butterfly` makes for one it is given. */
export const butterflyMatrices = (log2: number) => Math.min(2, planPasses(log2).length)

/**
 * Splits the p stages of a run of 2^p channels into passes: two stages inside vec4s, the rest spread evenly over as few
 * passes as registers allow. p = 0 is a pass too, which applies signs and scale.
 */
function planPasses(log2: number): Pass[] {
  const inner = Math.min(log2, 2)
  let left = log2 - inner
  const passes: Pass[] = []
  let step = 1
  for (let rounds = Math.max(1, Math.ceil(left / MAX_POINTS_LOG2)); rounds > 0; rounds--) {
    const pointsLog2 = Math.ceil(left / rounds)
    passes.push({ pointsLog2, inner: passes.length === 0 ? inner : 0, step })
    step *= 2 ** pointsLog2
    left -= pointsLog2
  }
  return passes
}

/** One bit per channel, 1 where the sign is −1; padded to whole words. */
function packSigns(signs: Int8Array): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(signs.length / 32))
  signs.forEach((sign, channel) => {
    if (sign < 0) words[channel >>> 5] |= 1 << (channel & 31)
  })
  return words
}

/** The K x K factor with all scaling in it: H_K / √n, or Q / √(2^p) for a mixed rotation. */
function outerFactor(plan: HadamardPlan): Float32Array<ArrayBuffer> {
  if (plan.kind === 'mixed') return Float32Array.from(plan.rotation, (q) => q / Math.sqrt(2 ** plan.log2))
  return Float32Array.from(plan.base ?? [], (entry) => entry / Math.sqrt(plan.n))
}
