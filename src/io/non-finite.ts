import { InputError } from '../core/errors'
import { byteAside, grouped, quoted } from './number-text'
import { DTYPE_BITS, type TensorView } from './tensor-view'

/** Elements of a tensor that are not finite, as the GPU counted them. */
export interface NonFiniteCounts {
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
  /** Row-major index of the first of them among the rows that were read; null when there is none. */
  readonly firstIndex: number | null
}

/**
 * The TS-04 message: how many elements of `view` are not finite, of which kind, and where the first one is (row and
 * column of the tensor as a matrix, byte in the file). null when all are finite.
 *
 * `read` says which rows were read when not all: firstIndex counts from row `startRow`, `count` elements in all.
 */
export function describeNonFinite(
  view: TensorView,
  counts: NonFiniteCounts,
  read?: { readonly startRow: number; readonly count: number },
): string | null {
  const { nan, positiveInfinity, negativeInfinity, firstIndex } = counts
  const bad = nan + positiveInfinity + negativeInfinity
  if (bad === 0 || firstIndex === null) return null
  const kinds = [
    [nan, 'NaN'],
    [positiveInfinity, '+Inf'],
    [negativeInfinity, '−Inf'],
  ] as const
  const kindText = kinds
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${grouped(count)} ${name}`)
    .join(', ')
  const cols = view.shape.at(-1) ?? 1
  const index = firstIndex + (read?.startRow ?? 0) * cols
  const total = read?.count ?? view.shape.reduce((product, axis) => product * axis, 1)
  const place = `first at row ${grouped(Math.floor(index / cols))}, column ${grouped(index % cols)}`
  const where = byteAside(view.byteOffset + (index * DTYPE_BITS[view.dtype]) / 8)
  const counted = `${grouped(bad)} of ${grouped(total)} elements ${bad === 1 ? 'is' : 'are'} not finite (${kindText})`
  return `tensor ${quoted(view.name)}: ${counted}, ${place} ${where}. Nothing can be calibrated on it; choose another tensor or mend the file.`
}

/** Throws InputError TS-04 with the message of describeNonFinite unless every element is finite. */
export function checkFinite(
  view: TensorView,
  counts: NonFiniteCounts,
  read?: { readonly startRow: number; readonly count: number },
): void {
  const message = describeNonFinite(view, counts, read)
  if (message) throw new InputError('TS-04', message)
}
