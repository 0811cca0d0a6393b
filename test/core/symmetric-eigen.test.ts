import { describe, expect, test } from 'vitest'
import { type DenseMatrix, identityMatrix, multiply, randomOrthogonal, transpose } from '../../src/core/linear-algebra'
import { createRandom } from '../../src/core/random'
import { symmetricEigen } from '../../src/core/symmetric-eigen'

const norm = (data: Float64Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))

function symmetric(n: number, seed: number): DenseMatrix {
  const random = createRandom(seed)
  const data = Float64Array.from({ length: n * n }, () => random.normal())
  return { rows: n, cols: n, data: data.map((value, i) => value + data[(i % n) * n + Math.floor(i / n)]) }
}

/** V diag(λ) Vᵀ with the rows of Vᵀ as eigenvectors. */
function compose(values: ArrayLike<number>, vectors: DenseMatrix): DenseMatrix {
  const n = vectors.rows
  const scaled = { ...vectors, data: vectors.data.map((value, i) => value * values[Math.floor(i / n)]) }
  return multiply(transpose(vectors), scaled)
}

/** At most ten sweeps turn every row n times, six roundings each; errors of Q and Qᵀ add. */
const bound = (n: number) => 120 * n ** 1.5 * 2 ** -53

describe('symmetricEigen', () => {
  test.each([1, 2, 7, 40, 90])('rebuilds a matrix of %i rows from orthonormal vectors and falling values', (n) => {
    const a = symmetric(n, n)
    const { values, vectors } = symmetricEigen(a)
    const rebuilt = compose(values, vectors)
    expect(norm(rebuilt.data.map((value, i) => value - a.data[i]))).toBeLessThanOrEqual(bound(n) * norm(a.data))
    const gram = multiply(vectors, transpose(vectors)).data
    const identity = identityMatrix(n).data
    expect(norm(gram.map((value, i) => value - identity[i]))).toBeLessThanOrEqual(bound(n))
    for (let i = 1; i < n; i++) expect(values[i]).toBeLessThanOrEqual(values[i - 1])
  })

  test('finds values over twelve orders of magnitude, and equal ones', () => {
    const wanted = [1e6, 5, 5, 5, 1e-3, 1e-6, 0, -2]
    const vectors = randomOrthogonal(wanted.length, createRandom(3))
    const { values } = symmetricEigen(compose(wanted, vectors))
    const sorted = wanted.toSorted((a, b) => b - a)
    values.forEach((value, i) => {
      expect(Math.abs(value - sorted[i])).toBeLessThanOrEqual(bound(wanted.length) * 1e6)
    })
  })

  test('takes a diagonal matrix as it is, ties in the order of the diagonal', () => {
    const { values, vectors } = symmetricEigen({ rows: 3, cols: 3, data: Float64Array.of(1, 0, 0, 0, 4, 0, 0, 0, 1) })
    expect([...values]).toEqual([4, 1, 1])
    expect([...vectors.data]).toEqual([0, 1, 0, 1, 0, 0, 0, 0, 1])
    expect([...symmetricEigen({ rows: 2, cols: 2, data: new Float64Array(4) }).values]).toEqual([0, 0])
  })

  test('counts the mean of a and its transpose', () => {
    const skewed = { rows: 2, cols: 2, data: Float64Array.of(2, 3, -1, 2) }
    const { values } = symmetricEigen(skewed)
    expect(values[0]).toBeCloseTo(3, 14)
    expect(values[1]).toBeCloseTo(1, 14)
  })

  test('refuses a matrix that is not square', () => {
    expect(() => symmetricEigen({ rows: 1, cols: 2, data: new Float64Array(2) })).toThrow('expected a square matrix')
  })
})
