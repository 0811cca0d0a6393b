import { InputError } from './errors'
import { hadamardBase } from './hadamard-base'
import { randomOrthogonal } from './linear-algebra'
import { createRandom } from './random'

/** Largest outer matrix that is built: it takes order² entries and order multiply-adds per channel. */
const LARGEST_ORDER = 2048

/** Keeps the matrix of a mixed rotation independent of the random signs drawn from the same seed. */
const ROTATION_STREAM = 0x726f7461

/**
 * How an orthogonal matrix for n = order · 2^log2 channels is composed. Channel c = k · 2^log2 + j; runs are the 2^log2
 * channels of one k. `sylvester`: the Walsh-Hadamard matrix alone, order 1.
 */
export type HadamardPlan = {
  readonly n: number
  /** K, size of the outer matrix. */
  readonly order: number
  readonly log2: number
} & (
  | { readonly kind: 'sylvester'; readonly base: null }
  /** `base`: H_K, [order, order] entries ±1. */
  | { readonly kind: 'paley1' | 'paley2' | 'williamson'; readonly base: Int8Array }
  /** No Hadamard matrix of this order is known here: Q_K ⊗ H, Q_K a random orthogonal `rotation` [order, order]. */
  | { readonly kind: 'mixed'; readonly base: null; readonly rotation: Float64Array }
)

/**
 * The matrix used for n channels (docs/methods.md, QuaRot): with n = m · 2^p, m odd, the smallest K = m · 2^t, t ≥ 2,
 * for which a Hadamard matrix is known, and a Walsh-Hadamard butterfly for the rest. Where none is, "mixed rotation":
 * a random orthogonal m x m matrix drawn from `seed` takes its place.
 * Throws InputError MD-01 when the outer matrix would exceed 2048 x 2048, or n is not a positive integer.
 */
export function planHadamard(n: number, seed = 0): HadamardPlan {
  if (!Number.isInteger(n) || n < 1)
    throw new InputError('MD-01', `rotation: expected a width of 1 or more, found ${n}.`)
  let odd = n
  let twos = 0
  for (; odd % 2 === 0; odd /= 2) twos++
  if (odd === 1) return { n, order: 1, log2: twos, kind: 'sylvester', base: null }
  for (let t = 2; t <= twos && odd * 2 ** t <= LARGEST_ORDER; t++) {
    const found = hadamardBase(odd * 2 ** t)
    if (found) return { n, order: found.order, log2: twos - t, kind: found.kind, base: found.entries }
  }
  if (odd > LARGEST_ORDER) {
    throw new InputError(
      'MD-01',
      `rotation of ${n} channels: expected a power of two times a factor of at most ${LARGEST_ORDER}, ` +
        `found ${odd} · 2^${twos}. Use a method without a full-width rotation.`,
    )
  }
  const rotation = randomOrthogonal(odd, createRandom(seed ^ ROTATION_STREAM)).data
  return { n, order: odd, log2: twos, kind: 'mixed', base: null, rotation }
}

/** One sentence saying which matrix `plan` is, for the notes beside a result. */
export function describeHadamard(plan: HadamardPlan): string {
  const run = 2 ** plan.log2
  switch (plan.kind) {
    case 'sylvester':
      return `Walsh-Hadamard matrix of order ${plan.n}.`
    case 'paley1':
    case 'paley2':
    case 'williamson': {
      const name = { paley1: 'Paley I', paley2: 'Paley II', williamson: 'Williamson' }[plan.kind]
      return `Hadamard matrix of order ${plan.n} = ${plan.order} · ${run} (${name} of order ${plan.order}).`
    }
    case 'mixed':
      return (
        `Mixed rotation for ${plan.n} = ${plan.order} · ${run} channels: no Hadamard matrix is known here, a random ` +
        `orthogonal ${plan.order} x ${plan.order} matrix takes its place.`
      )
    default:
      return plan satisfies never
  }
}
