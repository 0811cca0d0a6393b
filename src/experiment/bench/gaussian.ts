import type { Matrix } from '../../core/matrix'
import { createRandom } from '../../core/random'

/** Seeded standard normal values. */
export function gaussian(rows: number, cols: number, seed: number): Matrix {
  const random = createRandom(seed)
  return { rows, cols, data: Float32Array.from({ length: rows * cols }, () => random.normal()) }
}
