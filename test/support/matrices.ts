import { expect } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { Arena } from '../../src/gpu/arena'
import type { Gpu } from '../../src/gpu/device'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'

/** A seeded matrix of independent standard normal elements. */
export function gaussian(rows: number, cols: number, seed: number): Matrix {
  const random = createRandom(seed)
  return { rows, cols, data: Float32Array.from({ length: rows * cols }, () => random.normal()) }
}

/** Values of a matrix without its padding; fails when the padding is not all zeros. */
export async function readChecked(gpu: Gpu, matrix: GpuMatrix): Promise<Float32Array> {
  const padded = await readFloats(gpu, matrix.buffer, matrix.rows * matrix.stride)
  const values = new Float32Array(matrix.rows * matrix.cols)
  for (let row = 0; row < matrix.rows; row++) {
    const line = padded.subarray(row * matrix.stride, (row + 1) * matrix.stride)
    values.set(line.subarray(0, matrix.cols), row * matrix.cols)
    expect(line.subarray(matrix.cols).every((x) => x === 0)).toBe(true)
  }
  return values
}

/**
 * Leaves a buffer of NaN in the pool where the next [rows, cols] matrix will come from, so that a kernel which leaves
 * part of its output unwritten is seen. Releases the arena: call it first.
 */
export function poison(gpu: Gpu, arena: Arena, rows: number, cols: number): void {
  const { buffer } = uploadMatrix(gpu, arena, { rows, cols, data: new Float32Array(rows * cols) }, 'poison')
  gpu.device.queue.writeBuffer(buffer, 0, new Float32Array(buffer.size / 4).fill(Number.NaN))
  arena.release()
}
