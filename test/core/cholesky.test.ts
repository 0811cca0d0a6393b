import { describe, expect, test } from 'vitest'
import { type CholeskyPair, choleskyWithInverse } from '../../src/core/cholesky'
import { createRandom } from '../../src/core/random'

const EPS = 2 ** -52

/** XᵀX + shift · I for a Gaussian X [tokens, n] whose columns grow, row-major. */
function gram(n: number, tokens: number, shift: number): Float64Array {
  const random = createRandom(n)
  const x = Float64Array.from({ length: tokens * n }, (_, i) => random.normal() * (1 + (i % n)))
  const a = new Float64Array(n * n)
  for (let t = 0; t < tokens; t++) {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] += x[t * n + i] * x[t * n + j]
  }
  for (let i = 0; i < n; i++) a[i * n + i] += shift
  return a
}

const run = (a: Float64Array, n: number, signal = new AbortController().signal) =>
  choleskyWithInverse(n, (row, col) => (col < row ? Number.NaN : a[row * n + col]), { signal, onPanel: () => {} })

async function factored(a: Float64Array, n: number): Promise<CholeskyPair> {
  const pair = await run(a, n)
  if (pair.kind === 'failed') throw new Error(`pivot ${pair.index} is ${pair.value}`)
  return pair
}

const lower = ({ data, stride }: CholeskyPair, r: number, c: number) => (c <= r ? data[c * stride + r] : 0)
const inverse = ({ data, stride }: CholeskyPair, r: number, c: number) => {
  if (c > r) return 0
  return c === r ? 1 / data[r * stride + r] : data[r * stride + c]
}

/** The textbook loop, column by column. */
function naiveCholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n)
  for (let c = 0; c < n; c++) {
    for (let r = c; r < n; r++) {
      let sum = a[r * n + c]
      for (let k = 0; k < c; k++) sum -= l[r * n + k] * l[c * n + k]
      l[r * n + c] = r === c ? Math.sqrt(sum) : sum / l[c * n + c]
    }
  }
  return l
}

describe.each([
  [1, 4],
  [2, 9],
  [63, 100],
  [64, 100],
  [65, 20],
  [130, 400],
  [200, 50],
])('a %i x %i Gram matrix of %i tokens', (n, tokens) => {
  const shift = 0.01 * n ** 2
  const a = gram(n, tokens, shift)
  const trace = a.reduce((sum, value, i) => sum + (i % (n + 1) === 0 ? value : 0), 0)

  test('L Lᵀ is the matrix', async () => {
    const pair = await factored(a, n)
    let worst = 0
    for (let r = 0; r < n; r++) {
      for (let c = 0; c <= r; c++) {
        let sum = 0
        for (let k = 0; k <= c; k++) sum += lower(pair, r, k) * lower(pair, c, k)
        worst = Math.max(worst, Math.abs(sum - a[r * n + c]))
      }
    }
    // Σ|L||L| ≤ trace by Cauchy-Schwarz, each element a sum of at most n products.
    expect(worst).toBeLessThanOrEqual(n * EPS * trace)
  })

  test('L is that of the textbook loop', async () => {
    const pair = await factored(a, n)
    const expected = naiveCholesky(a, n)
    const condition = trace / shift
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < n; c++) {
        // Two factors of matrices n · eps · trace apart; L moves by at most cond times that, relative to ‖L‖ ≤ √trace.
        expect(Math.abs(lower(pair, r, c) - expected[r * n + c])).toBeLessThanOrEqual(
          2 * n * EPS * condition * Math.sqrt(trace),
        )
      }
    }
  })

  test('M L is the identity', async () => {
    const pair = await factored(a, n)
    for (let r = 0; r < n; r++) {
      for (let c = 0; c <= r; c++) {
        let sum = 0
        let magnitude = 0
        for (let k = c; k <= r; k++) {
          const term = inverse(pair, r, k) * lower(pair, k, c)
          sum += term
          magnitude += Math.abs(term)
        }
        // Forward substitution: a row of M solves a system whose elements are off by n · eps; the blocks' share goes
        // through the next ones, hence the condition of L instead of 1 for what Σ|M||L| does not see.
        const bound = n * EPS * (magnitude + Math.sqrt(trace / shift))
        expect(Math.abs(sum - Number(r === c))).toBeLessThanOrEqual(bound)
      }
    }
  })
})

test('the first pivot that is not positive is named with its value', async () => {
  const n = 100
  const a = gram(n, 300, 1)
  a[70 * n + 70] = -5
  const outcome = await run(a, n)
  expect(outcome.kind).toBe('failed')
  if (outcome.kind === 'failed') {
    expect(outcome.index).toBe(70)
    expect(outcome.value).toBeLessThan(-5)
  }
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 0])('a pivot of %f is refused', async (value) => {
  const outcome = await run(Float64Array.of(1, 0, 0, value), 2)
  expect(outcome).toEqual({ kind: 'failed', index: 1, value })
})

test('reports every panel', async () => {
  const a = gram(130, 200, 1)
  const seen: number[][] = []
  const { signal } = new AbortController()
  await choleskyWithInverse(130, (r, c) => a[r * 130 + c], { signal, onPanel: (...panel) => seen.push(panel) })
  expect(seen).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ])
})

test('stops between panels once the signal is aborted', async () => {
  const n = 1024
  const controller = new AbortController()
  let panels = 0
  const work = choleskyWithInverse(n, (r, c) => (r === c ? 2 : 0), {
    signal: controller.signal,
    onPanel: () => {
      panels += 1
    },
  })
  // A macrotask, as a message to a worker is: the factor must let it run before it has finished.
  setTimeout(() => controller.abort())
  await expect(work).rejects.toMatchObject({ name: 'AbortError' })
  expect(panels).toBeLessThan(n / 64)
})
