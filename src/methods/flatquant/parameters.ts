import { type DenseMatrix, inverse, transpose } from '../../core/linear-algebra'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import { readFloats, uploadWords } from '../../gpu/transfer'

/**
 * What FlatQuant learns for one layer with n = a · b channels, on the CPU.
 * Symbols: d = exp(θ) scales the channels, P = P1 ⊗ P2 mixes them; X' = (X · d) P, W' = (W / d) P⁻ᵀ.
 */
export interface FlatQuantParameters {
  /** θ [n], the logarithm of the channel scale. */
  readonly theta: Float32Array
  /** P1 [a, a] */
  readonly p1: DenseMatrix
  /** P2 [b, b] */
  readonly p2: DenseMatrix
  /** Logits (low, high) of the clip shared by all activation rows; null when activations are not quantized. */
  readonly activationClip: Float32Array | null
  /** Logits (low, high) per weight row [out, 2]; null when weights are not quantized. */
  readonly weightClip: Float32Array | null
}

/** The same on the GPU, with the inverse transposes A = P⁻ᵀ that training carries along. */
export interface LearnedState {
  readonly a: number
  readonly b: number
  readonly theta: LearnedBuffer
  readonly p1: LearnedBuffer
  readonly p2: LearnedBuffer
  readonly a1: LearnedBuffer
  readonly a2: LearnedBuffer
  readonly activationClip: LearnedBuffer | null
  readonly weightClip: LearnedBuffer | null
}

/** P⁻ᵀ, the factor of the weight side, in float64. Throws InputError MD-02 for a singular factor. */
export function inverseTranspose(factor: DenseMatrix): DenseMatrix {
  return transpose(inverse(factor))
}

/** Uploads `start` with zero moments; the best state is the start. Buffers belong to `arena`. */
export function uploadState(gpu: Gpu, arena: Arena, start: FlatQuantParameters): LearnedState {
  const learned = (values: ArrayLike<number>, label: string): LearnedBuffer => {
    const words = Float32Array.from(values)
    return {
      count: words.length,
      value: uploadWords(gpu, arena, words, label),
      best: uploadWords(gpu, arena, words, `best ${label}`),
      moments: uploadWords(gpu, arena, new Float32Array(2 * words.length), `moments of ${label}`),
    }
  }
  return {
    a: start.p1.rows,
    b: start.p2.rows,
    theta: learned(start.theta, 'theta'),
    p1: learned(start.p1.data, 'P1'),
    p2: learned(start.p2.data, 'P2'),
    a1: learned(inverseTranspose(start.p1).data, 'A1'),
    a2: learned(inverseTranspose(start.p2).data, 'A2'),
    activationClip: start.activationClip && learned(start.activationClip, 'activation clip'),
    weightClip: start.weightClip && learned(start.weightClip, 'weight clip'),
  }
}

/** Waits for the queue and returns the best state. */
export async function readBest(gpu: Gpu, state: LearnedState): Promise<FlatQuantParameters> {
  const read = (parameter: LearnedBuffer) => readFloats(gpu, parameter.best, parameter.count)
  const square = (size: number, data: Float32Array) => ({ rows: size, cols: size, data: Float64Array.from(data) })
  const [theta, p1, p2, activationClip, weightClip] = await Promise.all([
    read(state.theta),
    read(state.p1),
    read(state.p2),
    state.activationClip && read(state.activationClip),
    state.weightClip && read(state.weightClip),
  ])
  return { theta, p1: square(state.a, p1), p2: square(state.b, p2), activationClip, weightClip }
}
