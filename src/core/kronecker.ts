import { InputError } from './errors'

/** Above this a factor is refused: its matrix has size² entries and costs size · n per token. */
const LARGEST_FACTOR = 2048

/** n = a · b. */
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
  if (a === 1 && n > LARGEST_FACTOR) {
    throw new InputError(
      'MD-01',
      `Kronecker factors of ${n} channels: expected a width with divisors, found a prime above ${LARGEST_FACTOR}; ` +
        'its transform would be one dense matrix.',
    )
  }
  return { a, b: n / a }
}

/**
 * n = a · b with a given left factor `a`. Throws InputError MD-13, naming the sizes that can be chosen, where a does not
 * divide n or either factor would exceed 2048.
 */
export function kroneckerShapeWith(n: number, a: number): KroneckerShape {
  if (n % a === 0 && Math.max(a, n / a) <= LARGEST_FACTOR) return { a, b: n / a }
  const possible = Array.from({ length: Math.min(n, LARGEST_FACTOR) }, (_, index) => index + 1).filter(
    (size) => n % size === 0 && n / size <= LARGEST_FACTOR,
  )
  throw new InputError(
    'MD-13',
    `Kronecker factors of ${n} channels: expected a left factor of ${possible.join(', ') || 'no size at all'} ` +
      `(both at most ${LARGEST_FACTOR}), found ${a}.`,
  )
}
