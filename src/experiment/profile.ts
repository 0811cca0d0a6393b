import { type CentralMoments, combineMoments } from '../core/moments'
import type { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { channelStats, decodeChannelStats } from '../gpu/kernels/channel-stats'
import { decodeHistogram, histogram } from '../gpu/kernels/histogram'
import { magnitudeMap, type RowPlace } from '../gpu/kernels/magnitude-map'
import { magnitudeMax, rangeOf } from '../gpu/kernels/magnitude-max'
import { decodeCentralMoments, moments } from '../gpu/kernels/moments'
import { Recorder } from '../gpu/recorder'
import { readBuffer } from '../gpu/transfer'
import type { ActivationProfile, Histogram, MagnitudeMap } from './result'

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

/** What some rows [tokens, channels] add to a profile, on the CPU. */
export interface ProfilePart {
  readonly histogram: Histogram
  readonly map: MagnitudeMap
  readonly channelMax: Float32Array
  /** Σ x² per channel. */
  readonly channelEnergy: Float64Array
  readonly maxAbsolute: number
  readonly moments: CentralMoments
}

/**
 * The distribution of `matrix` [tokens, channels]: histogram, pooled magnitudes, channel statistics, kurtosis. One
 * submit and one read-back. Scratch memory (about an eighth of the matrix) comes from `arena`. Elements must be finite.
 * Kurtosis is NaN when all elements are equal.
 */
export async function profileActivations(gpu: Gpu, arena: Arena, matrix: GpuMatrix): Promise<ActivationProfile> {
  return finishProfile(await profilePart(gpu, arena, matrix, { first: 0, total: matrix.rows }))
}

/** What `matrix` adds to the profile of a taller matrix, in which its rows stand at `place`. */
export async function profilePart(gpu: Gpu, arena: Arena, matrix: GpuMatrix, place: RowPlace): Promise<ProfilePart> {
  const recorder = new Recorder(gpu)
  const maximum = magnitudeMax(recorder, arena, matrix)
  const bins = histogram(recorder, arena, matrix, { maximum })
  const stats = channelStats(recorder, arena, matrix)
  const sums = moments(recorder, arena, matrix, maximum)
  const map = magnitudeMap(recorder, arena, matrix, place)
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
  const central = decodeCentralMoments(asFloats(next(sums.words)), sums, maxBits)
  const values = asFloats(next(map.rows * map.cols)).slice()
  return {
    histogram: { range: rangeOf(maxBits), counts },
    map: { rows: map.rows, cols: map.cols, values, tokens: place.total, channels: matrix.cols },
    channelMax: channels.max,
    channelEnergy: channels.energy,
    maxAbsolute: new Float32Array(bytes, 0, 1)[0],
    moments: central,
  }
}

/** The part of both sets of rows together. */
export function mergeParts(a: ProfilePart, b: ProfilePart): ProfilePart {
  const larger = (x: Float32Array, y: Float32Array) => x.map((value, i) => Math.max(value, y[i]))
  return {
    histogram: mergeHistograms(a.histogram, b.histogram),
    map: { ...a.map, values: larger(a.map.values, b.map.values) },
    channelMax: larger(a.channelMax, b.channelMax),
    channelEnergy: a.channelEnergy.map((energy, i) => energy + b.channelEnergy[i]),
    maxAbsolute: Math.max(a.maxAbsolute, b.maxAbsolute),
    moments: combineMoments(a.moments, b.moments),
  }
}

/** Counts of both in the bins of the wider one: bins nest, so nothing is lost. */
function mergeHistograms(a: Histogram, b: Histogram): Histogram {
  if (a.range < b.range) return mergeHistograms(b, a)
  const counts = a.counts.slice()
  const half = counts.length / 2
  const share = a.range / b.range
  for (const [bin, count] of b.counts.entries()) counts[half + Math.floor((bin - half) / share)] += count
  return { range: a.range, counts }
}

/** The profile of the rows that `part` stands for. */
export function finishProfile(part: ProfilePart): ActivationProfile {
  const { histogram: bins, map, channelMax, channelEnergy, maxAbsolute } = part
  const { count, m2, m4 } = part.moments
  return {
    histogram: bins,
    map,
    channelMax,
    channelRms: Float32Array.from(channelEnergy, (energy) => Math.sqrt(energy / map.tokens)),
    maxAbsolute,
    kurtosis: (count * m4) / m2 ** 2,
    count,
  }
}
