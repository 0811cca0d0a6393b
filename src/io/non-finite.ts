import { InputError } from '../core/errors'
import { byteAside, grouped, quoted } from './number-text'
import { storedBits, type TensorView } from './tensor-view'

/** Elements of a tensor that are not finite, as the GPU counted them. */
export interface NonFiniteCounts {
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
  /** Row-major index of the first of them among the rows that were read; null when there is none. */
  readonly firstIndex: number | null
}

/** All are finite. */
export const NO_NON_FINITE: NonFiniteCounts = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null }

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
  // Elements of packed and column-major tensors stand at no byte of their own.
  const start = view.byteOffset - (view.shard?.start ?? 0)
  const where = view.storage ? '' : ` ${byteAside(start + Math.floor((index * storedBits(view.dtype)) / 8))}`
  const counted = `${grouped(bad)} of ${grouped(total)} elements ${bad === 1 ? 'is' : 'are'} not finite (${kindText})`
  return `tensor ${quoted(view.name)}: ${counted}, ${place}${where}. Nothing can be calibrated on it; choose another tensor or mend the file.`
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

/** Counts what is not finite in `values`. */
export function countNonFinite(values: Float32Array): NonFiniteCounts {
  let [nan, positiveInfinity, negativeInfinity] = [0, 0, 0]
  let firstIndex: number | null = null
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    // NaN for every number that is not finite, else 0.
    if (value - value === 0) continue
    firstIndex ??= i
    if (Number.isNaN(value)) nan++
    else if (value > 0) positiveInfinity++
    else negativeInfinity++
  }
  return { nan, positiveInfinity, negativeInfinity, firstIndex }
}

/** The counts of two runs of elements, the second of which starts `offset` elements after the first. */
export function addNonFinite(first: NonFiniteCounts, second: NonFiniteCounts, offset: number): NonFiniteCounts {
  const later = second.firstIndex === null ? null : second.firstIndex + offset
  return {
    nan: first.nan + second.nan,
    positiveInfinity: first.positiveInfinity + second.positiveInfinity,
    negativeInfinity: first.negativeInfinity + second.negativeInfinity,
    firstIndex: first.firstIndex ?? later,
  }
}
