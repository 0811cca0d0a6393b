/** What a tensor is made of: extremes, moments and the largest magnitude of every channel, computed on the GPU. */
import { type CentralMoments, combineMoments, kurtosisOf, NO_MOMENTS, withoutZeros } from '../core/moments'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { type GpuMatrix, matrixBytes } from '../gpu/gpu-matrix'
import { channelStats, decodeChannelStats } from '../gpu/kernels/channel-stats'
import { decodeFiniteExtremes, FINITE_EXTREMES_WORDS, finiteExtremes } from '../gpu/kernels/finite-extremes'
import { magnitudeMax } from '../gpu/kernels/magnitude-max'
import { decodeCentralMoments, moments } from '../gpu/kernels/moments'
import { zeroNonFinite } from '../gpu/kernels/zero-non-finite'
import { Recorder } from '../gpu/recorder'
import { readFloats, readWords } from '../gpu/transfer'
import { addNonFinite, type NonFiniteCounts } from '../io/non-finite'
import { type TensorSource, uploadRows } from './load-tensor'

/** Over the finite elements only; null where there are none, or where all are equal (kurtosis). */
export interface TensorStatistics {
  readonly elements: number
  readonly minimum: number | null
  readonly maximum: number | null
  readonly mean: number | null
  /** Population standard deviation, in the unit of the tensor. */
  readonly standardDeviation: number | null
  /** Fourth standardised moment about the mean: 3 for a Gaussian. */
  readonly kurtosis: number | null
  /** max |x| along the last axis [channels]. */
  readonly channelMax: Float32Array
  readonly nonFinite: NonFiniteCounts
}

/** Bytes of a tensor that are on the GPU at a time, as f32. */
const PIECE_BYTES = 64_000_000

const ALL_FINITE: NonFiniteCounts = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null }

const countOf = ({ nan, positiveInfinity, negativeInfinity }: NonFiniteCounts) =>
  nan + positiveInfinity + negativeInfinity

interface Piece {
  readonly moments: CentralMoments
  readonly extremes: ReturnType<typeof decodeFiniteExtremes>
  readonly channelMax: Float32Array
}

/**
 * Reads all of `from`, a piece of at most 64 MB at a time. Accuracy: extremes and channel maxima exact, sums as moments
 * has them. Throws InputError TS-01 for complex numbers, what reading throws, and the AbortError of `signal`.
 */
export async function tensorStatistics(
  from: TensorSource,
  { gpu, signal }: { readonly gpu: Gpu; readonly signal: AbortSignal },
): Promise<TensorStatistics> {
  const { shape } = from.tensor
  const cols = shape.at(-1) ?? 1
  const rows = shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
  const limit = Math.min(PIECE_BYTES, gpu.adapter.maxBindingBytes)
  const perPiece = Math.max(1, Math.floor(limit / matrixBytes(1, cols)))
  let nonFinite = ALL_FINITE
  let sums = NO_MOMENTS
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const channelMax = new Float32Array(cols)
  for (let start = 0; cols > 0 && start < rows; start += perPiece) {
    signal.throwIfAborted()
    const arena = new Arena(gpu)
    try {
      const range = { start, end: Math.min(rows, start + perPiece) }
      const { matrix, nonFinite: found } = await uploadRows(from, range, { gpu, arena, signal })
      const piece = await measurePiece(gpu, arena, matrix, countOf(found))
      nonFinite = addNonFinite(nonFinite, found, start * cols)
      sums = combineMoments(sums, piece.moments)
      minimum = Math.min(minimum, piece.extremes?.minimum ?? minimum)
      maximum = Math.max(maximum, piece.extremes?.maximum ?? maximum)
      piece.channelMax.forEach((value, channel) => {
        channelMax[channel] = Math.max(channelMax[channel], value)
      })
    } finally {
      arena.release()
    }
  }
  const some = sums.count > 0
  return {
    elements: rows * cols,
    minimum: some ? minimum : null,
    maximum: some ? maximum : null,
    mean: some ? sums.mean : null,
    standardDeviation: some ? Math.sqrt(Math.max(0, sums.m2) / sums.count) : null,
    kurtosis: kurtosisOf(sums),
    channelMax,
    nonFinite,
  }
}

/** Statistics of `matrix`, in which `bad` elements are not finite; they are written over with zeros. */
async function measurePiece(gpu: Gpu, arena: Arena, matrix: GpuMatrix, bad: number): Promise<Piece> {
  const recorder = new Recorder(gpu)
  const extremes = finiteExtremes(recorder, arena, matrix)
  if (bad > 0) zeroNonFinite(recorder, matrix)
  const maximum = magnitudeMax(recorder, arena, matrix)
  const channels = channelStats(recorder, arena, matrix)
  const sums = moments(recorder, arena, matrix, maximum)
  recorder.submit()
  const slabs = channels.maxima.rows * channels.maxima.stride
  const [ends, [maxBits], partials, maxima, squares] = await Promise.all([
    readWords(gpu, extremes, FINITE_EXTREMES_WORDS),
    readWords(gpu, maximum, 1),
    readFloats(gpu, sums.partials, sums.words),
    readFloats(gpu, channels.maxima.buffer, slabs),
    readFloats(gpu, channels.squares.buffer, slabs),
  ])
  return {
    moments: withoutZeros(decodeCentralMoments(partials, sums, maxBits), bad),
    extremes: decodeFiniteExtremes(ends),
    channelMax: decodeChannelStats(maxima, squares, matrix).max,
  }
}
