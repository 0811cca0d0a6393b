import type { Gpu } from './device'
import { type GpuMatrix, matrixBytes, strideOf } from './gpu-matrix'

/**
 * Who owns a buffer: every allocation belongs to exactly one arena and goes back to the pool when the arena is
 * released. A run has one; a long method opens a nested one per step. No reference counts, no manual destroy.
 * Release only after the work that uses the buffers is submitted: an upload into a reused buffer overtakes commands that
 * are recorded but not yet submitted. After the submit it is safe without waiting; the queue keeps the order.
 */
export class Arena {
  readonly #gpu: Gpu
  readonly #buffers: GPUBuffer[] = []

  constructor(gpu: Gpu) {
    this.#gpu = gpu
  }

  /** A storage buffer of at least `bytes` (never zero-sized; contents undefined). */
  buffer(bytes: number, label: string): GPUBuffer {
    const buffer = this.#gpu.pool.acquire(Math.max(bytes, 4), label)
    this.#buffers.push(buffer)
    return buffer
  }

  /** A matrix [rows, cols], contents undefined, padding included: the kernel that fills it writes the padding too. */
  matrix(rows: number, cols: number, label: string): GpuMatrix {
    return { rows, cols, stride: strideOf(cols), buffer: this.buffer(matrixBytes(rows, cols), label) }
  }

  /** Bytes of all its buffers. */
  get bytes(): number {
    return this.#buffers.reduce((sum, { size }) => sum + size, 0)
  }

  /** Gives everything back. The arena can be used again afterwards. */
  release(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.pool.release(buffer)
  }
}
