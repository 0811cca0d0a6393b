import { InputError } from './errors'

/** Above this a dense factor of a prime width is refused: its matrix has n² entries and costs n² per token. */
const LARGEST_DENSE_FACTOR = 2048

/** n = a · b, a ≤ b. */
export interface KroneckerShape {
  readonly a: number
  readonly b: number
}

/**
 * The divisor pair of n closest to √n, smaller first: the two factors of FlatQuant's transform for n channels.
 * A prime n gives (1, n), a dense matrix, which is refused above 2048 with InputError MD-01.
 * FlatQuant's own search finds the same pair for all usual widths, but never returns for n ≡ 2 mod 4.
 */
export function kroneckerShape(n: number): KroneckerShape {
  if (!Number.isInteger(n) || n < 1)
    throw new InputError('MD-01', `Kronecker factors: expected a width of 1 or more, found ${n}.`)
  let a = Math.floor(Math.sqrt(n))
  while (n % a !== 0) a--
  if (a === 1 && n > LARGEST_DENSE_FACTOR) {
    throw new InputError(
      'MD-01',
      `Kronecker factors of ${n} channels: expected a width with divisors, found a prime above ${LARGEST_DENSE_FACTOR}; ` +
        'its transform would be one dense matrix.',
    )
  }
  return { a, b: n / a }
}
