import { describe, expect, test } from 'vitest'
import {
  type DenseMatrix,
  identityMatrix,
  inverse,
  multiply,
  randomOrthogonal,
  transpose,
} from '../../src/core/linear-algebra'
import { createRandom } from '../../src/core/random'
import { goldenTensors } from '../support/golden-tensors'

const golden = goldenTensors('transform/transforms.safetensors')
const EPS = 2 ** -53

function gaussian(rows: number, cols: number, seed: number): DenseMatrix {
  const random = createRandom(seed)
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, () => random.normal()) }
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0)

const largest = (a: DenseMatrix) => a.data.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0)

test('multiply and transpose follow their definitions', () => {
  const a = { rows: 2, cols: 3, data: Float64Array.of(1, 2, 3, 4, 5, 6) }
  const b = { rows: 3, cols: 2, data: Float64Array.of(1, 0, 2, -1, 0, 3) }
  expect([...multiply(a, b).data]).toEqual([5, 7, 14, 13])
  expect(transpose(a)).toEqual({ rows: 3, cols: 2, data: Float64Array.of(1, 4, 2, 5, 3, 6) })
  expect(() => multiply(a, a)).toThrow('expected 3 rows on the right, found 2')
})

describe('inverse', () => {
  test.each([1, 2, 7, 32, 86])('times the matrix is the identity, %i x %i', (n) => {
    const a = gaussian(n, n, n)
    const b = inverse(a)
    // ‖A A⁻¹ − I‖ ≲ n · eps · ‖A‖ ‖A⁻¹‖, norms bounded by n times the largest entry.
    const bound = n * EPS * (n * largest(a)) * (n * largest(b))
    expect(largestDifference(multiply(a, b).data, identityMatrix(n).data)).toBeLessThan(bound)
  })

  test.each([
    ['1', 28],
    ['2', 32],
  ])('reproduces the recorded A%s = P⁻ᵀ', (which, n) => {
    const p = { rows: n, cols: n, data: golden(`kron.P${which}`) }
    const expected = golden(`kron.A${which}`)
    const found = transpose(inverse(p)).data
    const size = expected.reduce((worst, value) => Math.max(worst, Math.abs(value)), 0)
    // Two float64 inverses: each off by about cond(P) · n · eps; cond(P) ≤ n² max|P| max|P⁻¹|.
    expect(largestDifference(found, expected) / size).toBeLessThan(n ** 3 * largest(p) * size * EPS)
  })

  test('needs its pivoting', () => {
    const swap = { rows: 2, cols: 2, data: Float64Array.of(0, 1, 1, 0) }
    expect(inverse(swap)).toEqual(swap)
    const tiny = { rows: 2, cols: 2, data: Float64Array.of(1e-20, 1, 1, 1) }
    expect(largestDifference(inverse(tiny).data, [-1, 1, 1, 0])).toBeLessThan(1e-15)
  })

  test('refuses what has none', () => {
    const singular = { rows: 2, cols: 2, data: Float64Array.of(1, 2, 2, 4) }
    expect(() => inverse(singular)).toThrow('expected non-zero pivots, found 0 at 1')
    expect(() => inverse({ rows: 1, cols: 1, data: Float64Array.of(Number.NaN) })).toThrow('found NaN at 0')
    expect(() => inverse(gaussian(2, 3, 0))).toThrow('found 2 x 3')
  })
})

describe('randomOrthogonal', () => {
  test.each([1, 2, 5, 28, 107])('%i x %i: columns are orthonormal', (n) => {
    const q = randomOrthogonal(n, createRandom(4))
    const product = multiply(transpose(q), q)
    // Householder QR: ‖QᵀQ − I‖ grows like n · eps with a small constant.
    expect(largestDifference(product.data, identityMatrix(n).data)).toBeLessThan(8 * n * EPS)
  })

  test('Qᵀ times the Gaussian it came from is upper triangular with a positive diagonal', () => {
    const n = 12
    const q = randomOrthogonal(n, createRandom(8))
    const r = multiply(transpose(q), gaussian(n, n, 8))
    for (let i = 0; i < n; i++) {
      expect(r.data[i * n + i]).toBeGreaterThan(0)
      for (let j = 0; j < i; j++) expect(Math.abs(r.data[i * n + j])).toBeLessThan(100 * n * EPS)
    }
  })

  test('the same seed gives the same bits, another seed others', () => {
    const of = (seed: number) => randomOrthogonal(9, createRandom(seed))
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
  })

  test('is uniform: each entry has mean 0 and variance 1/n over seeds', () => {
    const n = 3
    const seeds = 2000
    const mean = new Float64Array(n * n)
    const variance = new Float64Array(n * n)
    for (let seed = 0; seed < seeds; seed++) {
      randomOrthogonal(n, createRandom(seed)).data.forEach((value, i) => {
        mean[i] += value / seeds
        variance[i] += value ** 2 / seeds
      })
    }
    // Five standard errors; the variance of x² on the sphere is below 1/n.
    for (const value of mean) expect(Math.abs(value)).toBeLessThan(5 * Math.sqrt(1 / n / seeds))
    for (const value of variance) expect(Math.abs(value - 1 / n)).toBeLessThan(5 * Math.sqrt(1 / n / seeds))
  })
})
