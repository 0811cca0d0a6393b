import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { profileActivations } from '../../src/experiment/profile'
import { histogram } from '../../src/gpu/kernels/histogram'
import { magnitudeMax, rangeOf } from '../../src/gpu/kernels/magnitude-max'
import { decodeMoments, moments } from '../../src/gpu/kernels/moments'
import { readFloats, readWords, uploadMatrix } from '../../src/gpu/transfer'
import { exactChannels, exactHistogram, exactMap, exactMoments } from '../oracle/statistics'
import { gpuFixture } from '../support/gpu'
import { gaussian, poison } from '../support/matrices'

const t = gpuFixture()

const upload = (m: Matrix) => uploadMatrix(t.gpu, t.arena, m, 'x')

/** Gaussian activations, channel c scaled by 30 for every 17th c, moved by `offset`. */
function activations(rows: number, cols: number, offset = 0): Matrix {
  const m = gaussian(rows, cols, 5)
  return { ...m, data: m.data.map((x, i) => offset + x * ((i % cols) % 17 === 3 ? 30 : 1)) }
}

const SIZES: [number, number][] = [
  [1, 1],
  [7, 33],
  [65, 100],
  [200, 300],
  [130, 257],
]

test.each(SIZES)('profile of a [%i, %i] matrix equals the oracles', async (rows, cols) => {
  const m = activations(rows, cols)
  poison(t.gpu, t.arena, rows, cols)
  const profile = await profileActivations(t.gpu, t.arena, upload(m))

  const largest = m.data.reduce((max, x) => Math.max(max, Math.abs(x)), 0)
  expect(profile.maxAbsolute).toBe(largest)
  expect(profile.count).toBe(rows * cols)

  const { range, counts } = profile.histogram
  expect(range).toBe(2 ** (Math.floor(Math.log2(largest)) + 1))
  expect([...counts]).toEqual(exactHistogram(m, range, 512))
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(rows * cols)

  const channels = exactChannels(m)
  expect([...profile.channelMax]).toEqual(channels.max)
  // 64 additions of rounded squares per slab, halved by the root; one more rounding to f32.
  const bound = (65 / 2 + 1) * 2 ** -24
  channels.rms.forEach((rms, col) => {
    expect(Math.abs(profile.channelRms[col] / rms - 1)).toBeLessThan(bound)
  })

  expect([profile.map.rows, profile.map.cols]).toEqual([Math.min(rows, 128), Math.min(cols, 256)])
  expect([profile.map.tokens, profile.map.channels]).toEqual([rows, cols])
  expect([...profile.map.values]).toEqual(exactMap(m, profile.map.rows, profile.map.cols))

  const { kurtosis } = exactMoments(m)
  if (rows * cols === 1) expect(profile.kurtosis).toBeNaN()
  else expect(Math.abs(profile.kurtosis / kurtosis - 1)).toBeLessThan(1e-5)
})

test.each([0, 1000])('mean, variance and kurtosis survive an offset of %i standard deviations', async (offset) => {
  const m = { ...gaussian(150, 70, 6) }
  const moved = { ...m, data: m.data.map((x) => x + offset) }
  const x = upload(moved)
  const maximum = magnitudeMax(t.recorder, t.arena, x)
  const sums = moments(t.recorder, t.arena, x, maximum)
  t.recorder.submit()
  const maxBits = (await readWords(t.gpu, maximum, 1))[0]
  const found = decodeMoments(await readFloats(t.gpu, sums.partials, sums.words), sums, maxBits)
  const exact = exactMoments(moved)
  expect(Math.abs(found.mean - exact.mean)).toBeLessThan(1e-5)
  expect(Math.abs(found.variance / exact.variance - 1)).toBeLessThan(1e-5)
  expect(Math.abs(found.kurtosis / exact.kurtosis - 1)).toBeLessThan(1e-5)
})

test.each([2 ** -100, 2 ** 60, 2 ** 125])('the profile of x · %d is that of x, scaled', async (factor) => {
  const m = gaussian(40, 90, 7)
  const scaled = { ...m, data: m.data.map((x) => x * factor) }
  const [small, large] = [
    await profileActivations(t.gpu, t.arena, upload(m)),
    await profileActivations(t.gpu, t.arena, upload(scaled)),
  ]
  expect(large.histogram.range).toBe(small.histogram.range * factor)
  expect(large.histogram.counts).toEqual(small.histogram.counts)
  expect(large.kurtosis).toBeCloseTo(small.kurtosis, 5)
})

test('a matrix of zeros has range 1, every count in the bin that starts at 0, and no kurtosis', async () => {
  const profile = await profileActivations(t.gpu, t.arena, upload({ rows: 3, cols: 5, data: new Float32Array(15) }))
  expect(profile.histogram.range).toBe(1)
  expect(profile.histogram.counts[256]).toBe(15)
  expect(profile.maxAbsolute).toBe(0)
  expect(profile.kurtosis).toBeNaN()
})

test('bins are half open: an element on an edge belongs to the bin above it', async () => {
  const edges = Float32Array.from([-4, -2.015625, -2, -1e-20, 0, 2, 3.984375])
  const profile = await profileActivations(t.gpu, t.arena, upload({ rows: 1, cols: edges.length, data: edges }))
  const filled = [...profile.histogram.counts].flatMap((n, bin) => (n > 0 ? [[bin, n]] : []))
  // Range 8, bins 1 / 32 wide.
  expect(profile.histogram.range).toBe(8)
  expect(filled).toEqual([
    [128, 1],
    [191, 1],
    [192, 1],
    [255, 1],
    [256, 1],
    [320, 1],
    [383, 1],
  ])
})

test('the range is the power of two strictly above the maximum', () => {
  const bits = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0]
  expect(rangeOf(bits(1))).toBe(2)
  expect(rangeOf(bits(0.99))).toBe(1)
  expect(rangeOf(bits(4))).toBe(8)
  expect(rangeOf(bits(3e38))).toBe(2 ** 128)
  expect(rangeOf(bits(1e-40))).toBe(2 ** -119)
  expect(rangeOf(0)).toBe(1)
})

test('a number of bins that is no power of two is refused', () => {
  const x = upload(gaussian(2, 2, 1))
  const maximum = magnitudeMax(t.recorder, t.arena, x)
  expect(() => histogram(t.recorder, t.arena, x, { maximum, bins: 100 })).toThrow('found 100')
  t.recorder.submit()
})
