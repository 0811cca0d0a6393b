import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { channelStats, decodeChannelStats } from '../gpu/kernels/channel-stats'
import { decodeHistogram, histogram } from '../gpu/kernels/histogram'
import { magnitudeMap } from '../gpu/kernels/magnitude-map'
import { magnitudeMax, rangeOf } from '../gpu/kernels/magnitude-max'
import { decodeMoments, moments } from '../gpu/kernels/moments'
import { Recorder } from '../gpu/recorder'
import { readBuffer } from '../gpu/transfer'
import type { ActivationProfile } from './result'

interface Packed {
  readonly buffer: GPUBuffer
  readonly words: number
}

interface Slice {
  readonly bytes: ArrayBuffer
  readonly start: number
  readonly words: number
}

const asWords = ({ bytes, start, words }: Slice) => new Uint32Array(bytes, start, words)
const asFloats = ({ bytes, start, words }: Slice) => new Float32Array(bytes, start, words)

/** Copies buffers one behind the other into a new one, so that one read-back brings them all. */
function gather(recorder: Recorder, arena: Arena, parts: readonly (readonly [GPUBuffer, number])[]): Packed {
  const words = parts.reduce((sum, [, length]) => sum + length, 0)
  const buffer = arena.buffer(4 * words, 'profile')
  let offset = 0
  for (const [part, length] of parts) {
    recorder.copy(part, buffer, 4 * length, { to: offset })
    offset += 4 * length
  }
  return { buffer, words }
}

/**
 * The distribution of `matrix` [tokens, channels]: histogram, pooled magnitudes, channel statistics, kurtosis. One
 * submit and one read-back. Scratch memory (about an eighth of the matrix) comes from `arena`. Elements must be finite.
 * Kurtosis is NaN when all elements are equal.
 */
export async function profileActivations(gpu: Gpu, arena: Arena, matrix: GpuMatrix): Promise<ActivationProfile> {
  const recorder = new Recorder(gpu)
  const maximum = magnitudeMax(recorder, arena, matrix)
  const bins = histogram(recorder, arena, matrix, { maximum })
  const stats = channelStats(recorder, arena, matrix)
  const sums = moments(recorder, arena, matrix, maximum)
  const map = magnitudeMap(recorder, arena, matrix)
  const slabWords = stats.maxima.rows * stats.maxima.stride
  const packed = gather(recorder, arena, [
    [maximum, 1],
    [bins.counts, bins.bins],
    [stats.maxima.buffer, slabWords],
    [stats.squares.buffer, slabWords],
    [sums.partials, sums.words],
    [map.cells, map.rows * map.cols],
  ])
  recorder.submit()
  const bytes = await readBuffer(gpu, packed.buffer, 4 * packed.words)

  let offset = 0
  const next = (words: number) => {
    offset += words
    return { bytes, start: 4 * (offset - words), words }
  }
  const maxBits = asWords(next(1))[0]
  const counts = decodeHistogram(asWords(next(bins.bins)), bins)
  const channels = decodeChannelStats(asFloats(next(slabWords)), asFloats(next(slabWords)), matrix)
  const { kurtosis } = decodeMoments(asFloats(next(sums.words)), sums, maxBits)
  const values = asFloats(next(map.rows * map.cols)).slice()
  return {
    histogram: { range: rangeOf(maxBits), counts },
    map: { rows: map.rows, cols: map.cols, values, tokens: matrix.rows, channels: matrix.cols },
    channelMax: channels.max,
    channelRms: channels.rms,
    maxAbsolute: new Float32Array(bytes, 0, 1)[0],
    kurtosis,
    count: matrix.rows * matrix.cols,
  }
}
