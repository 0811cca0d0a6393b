/** Correctness before timing: a handful of outputs against float64, chosen with a fixed seed. */
import type { Matrix } from '../../core/matrix'
import { createRandom } from '../../core/random'

const SAMPLES = 64
const SAMPLE_SEED = 20

export interface Expected {
  readonly value: number
  /** Largest difference allowed; 0 asks for equality. */
  readonly bound: number
}

/** Compares 64 elements of `found` with `expected(row, col)`. Null when all are within their bounds. */
export function checkSamples(found: Matrix, expected: (row: number, col: number) => Expected): string | null {
  const random = createRandom(SAMPLE_SEED)
  for (let i = 0; i < SAMPLES; i++) {
    const row = random.uint32() % found.rows
    const col = random.uint32() % found.cols
    const { value, bound } = expected(row, col)
    const actual = found.data[row * found.cols + col]
    if (!(Math.abs(actual - value) <= bound)) return `element (${row}, ${col}): expected ${value}, found ${actual}`
  }
  return null
}

/** A float64 sum of `length` products with the bound of a float32 sum of them in any order. */
export function expectedSum(length: number, term: (k: number) => number): Expected {
  let value = 0
  let magnitude = 0
  for (let k = 0; k < length; k++) {
    const product = term(k)
    value += product
    magnitude += Math.abs(product)
  }
  return { value, bound: (length + 2) * 2 ** -23 * magnitude }
}
