import { expect } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { FittedTransform } from '../../src/methods/method'
import type { TestGpu } from './gpu'

const rowOf = ({ data, cols }: Matrix, row: number) => data.subarray(row * cols, (row + 1) * cols)
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const norm = (a: Float32Array) => Math.sqrt(dot(a, a))

/**
 * X'W'ᵀ equals X Wᵀ for rows `x` that `fitted` has not seen. Every element of X' and of W' is a sum of at most `cols` f32
 * steps, so either row is off by at most cols · 2^-24 of its norm; products are taken in float64.
 */
export async function expectInvariance(t: TestGpu, fitted: FittedTransform, weight: Matrix, x: Matrix): Promise<void> {
  const transformedWeight = await readMatrix(t.gpu, fitted.weight)
  const transformedX = await readMatrix(t.gpu, fitted.apply(uploadMatrix(t.gpu, t.arena, x, 'x')))
  expect([transformedX.rows, transformedX.cols]).toEqual([x.rows, x.cols])
  for (let row = 0; row < x.rows; row++) {
    for (let out = 0; out < weight.rows; out++) {
      const [a, b] = [rowOf(transformedX, row), rowOf(transformedWeight, out)]
      const difference = dot(a, b) - dot(rowOf(x, row), rowOf(weight, out))
      expect(Math.abs(difference)).toBeLessThanOrEqual(2 * x.cols * 2 ** -24 * norm(a) * norm(b))
    }
  }
}
