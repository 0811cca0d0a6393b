import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { smallProduct } from '../../gpu/kernels/small-product'
import type { FactorGradients } from '../../gpu/kernels/svd-factor'
import type { LearnedBuffer } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { uploadWords } from '../../gpu/transfer'
import type { FactorParameters } from './factor'

/** A Kronecker factor on the GPU in one of its forms: current values, how they are learned, how A follows. */
export interface LearnedFactor {
  readonly size: number
  /** P and A = P⁻ᵀ [size, size] at the current values. */
  readonly p: GPUBuffer
  readonly a: GPUBuffer
  /** What AdamW updates. */
  readonly learned: readonly LearnedBuffer[]
  /** Inverses that follow the learned values, kept and restored together with them. */
  readonly carried: readonly LearnedBuffer[]
  /** The largest rate at which `follow` keeps up. */
  readonly largestRate: number
  /** Gradients of `learned`, in its order, from those of P and A taken as independent. */
  gradients(recorder: Recorder, arena: Arena, given: FactorGradients): readonly GPUBuffer[]
  /** Brings P, A and the carried inverses up to date after an update of the learned values. */
  follow(recorder: Recorder, arena: Arena): void
  /** Waits for the queue and returns the best state. */
  readBest(gpu: Gpu): Promise<FactorParameters>
}

/** Uploads `values` with zero moments; the best state is the start. Buffers belong to `arena`. */
export function uploadLearned(gpu: Gpu, arena: Arena, values: ArrayLike<number>, label: string): LearnedBuffer {
  const words = Float32Array.from(values)
  return {
    count: words.length,
    value: uploadWords(gpu, arena, words, label),
    best: uploadWords(gpu, arena, words, `best ${label}`),
    moments: uploadWords(gpu, arena, new Float32Array(2 * words.length), `moments of ${label}`),
  }
}

/** X ← X (2I − M X) squares the residual I − M X, so four iterations leave 0.5^16 of what `largestRate` allows. */
const NEWTON_ITERATIONS = 4

/**
 * Brings `inverse` back to M⁻¹ by Newton's iteration from where it stands; M = matrix or its transpose, [size, size], or
 * `count` of them, 1 when left out.
 */
export function followInverse(
  recorder: Recorder,
  arena: Arena,
  call: { size: number; count?: number; matrix: GPUBuffer; transposed: boolean; inverse: LearnedBuffer },
): void {
  const { size, count, matrix, transposed, inverse } = call
  let current = inverse.value
  for (let i = 0; i < NEWTON_ITERATIONS; i++) {
    const product = smallProduct(recorder, arena, {
      size,
      count,
      left: matrix,
      leftTransposed: transposed,
      right: current,
      factor: 1,
      addend: current,
      addendFactor: 0,
    })
    current = smallProduct(recorder, arena, {
      size,
      count,
      left: current,
      right: product,
      factor: -1,
      addend: current,
      addendFactor: 2,
    })
  }
  recorder.copy(current, inverse.value, 4 * inverse.count)
}
