import { expect, test } from 'vitest'
import { generateLayer, type SyntheticLayerSpec } from '../../src/io/synthetic-layer'

const SPEC: SyntheticLayerSpec = {
  outDim: 64,
  inDim: 128,
  tokens: 256,
  outlierChannels: 4,
  outlierStrength: 16,
  correlation: 0.5,
  tailDegrees: null,
  clustered: false,
  seed: 7,
}

const column = ({ cols, data }: { readonly cols: number; readonly data: Float32Array }, c: number) =>
  data.filter((_, i) => i % cols === c)
const rms = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
const kurtosis = (values: Float32Array) =>
  (values.reduce((sum, x) => sum + x ** 4, 0) * values.length) / values.reduce((sum, x) => sum + x * x, 0) ** 2

test('the same spec gives the same bits, another seed others', () => {
  expect(generateLayer(SPEC)).toEqual(generateLayer(SPEC))
  const other = generateLayer({ ...SPEC, seed: 8 })
  expect(other.weight.data).not.toEqual(generateLayer(SPEC).weight.data)
})

test('rows and weights are streams of their own', () => {
  const { weight, calibration, evaluation } = generateLayer({ ...SPEC, outlierStrength: 1 })
  expect(calibration.data.slice(0, 128)).not.toEqual(evaluation.data.slice(0, 128))
  expect(weight.data[0] * Math.sqrt(128)).not.toBeCloseTo(calibration.data[0], 5)
})

test('strength multiplies the outlier channels, and the weight there by its power -alpha; nothing else moves', () => {
  const plain = generateLayer({ ...SPEC, outlierStrength: 1 })
  const strong = generateLayer(SPEC)
  expect(strong.channels).toEqual(plain.channels)
  expect(new Set(strong.channels).size).toBe(4)
  const factors = Array.from({ length: 128 }, (_, c) => (strong.channels.includes(c) ? 16 : 1))
  expect(strong.evaluation.data).toEqual(plain.evaluation.data.map((x, i) => x * factors[i % 128]))
  expect(strong.calibration.data).toEqual(plain.calibration.data.map((x, i) => x * factors[i % 128]))
  // 16 to the power 1/2 is a power of two: exact in f32.
  expect(strong.weight.data).toEqual(plain.weight.data.map((w, i) => w / Math.sqrt(factors[i % 128])))
  const negative = generateLayer({ ...SPEC, correlation: -0.5 })
  expect(negative.weight.data).toEqual(plain.weight.data.map((w, i) => w * Math.sqrt(factors[i % 128])))
})

test('more outlier channels contain the fewer', () => {
  expect(generateLayer({ ...SPEC, outlierChannels: 9 }).channels.slice(0, 4)).toEqual(generateLayer(SPEC).channels)
})

test('clustered outliers stand side by side in one block of 32, or in as few as they fit', () => {
  for (const seed of [0, 1, 2, 3, 4]) {
    const { channels } = generateLayer({ ...SPEC, clustered: true, seed })
    expect(channels).toEqual([0, 1, 2, 3].map((i) => channels[0] + i))
    expect(channels[0] % 32).toBe(0)
  }
  const wide = generateLayer({ ...SPEC, outlierChannels: 128, clustered: true })
  expect(wide.channels.length).toBe(128)
  const starts = new Set(
    [...Array(40).keys()].map((seed) => generateLayer({ ...SPEC, clustered: true, seed }).channels[0]),
  )
  expect(starts).toEqual(new Set([0, 32, 64, 96]))
})

test('Gaussian activations have variance 1 and kurtosis 3, weights variance 1 / in', () => {
  // Standard errors over n = 32768: sqrt(2 / n) of the variance, sqrt(24 / n) of the kurtosis; four of them.
  const { weight, evaluation } = generateLayer({ ...SPEC, outlierStrength: 1 })
  const n = evaluation.data.length
  expect(Math.abs(rms(evaluation.data) ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
  expect(Math.abs(kurtosis(evaluation.data) - 3)).toBeLessThan(4 * Math.sqrt(24 / n))
  expect(Math.abs(128 * rms(weight.data) ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / weight.data.length))
})

test('Student t with nu degrees has variance nu / (nu - 2) and the quantiles of t', () => {
  const spec = { ...SPEC, outlierStrength: 1, tokens: 4096 }
  const sorted = (tailDegrees: number) =>
    generateLayer({ ...spec, tailDegrees })
      .evaluation.data.slice()
      .sort()
  const values = sorted(10)
  // Fourth moment of t: kurtosis 3 + 6 / (nu - 4) = 4, so the variance has the standard error sqrt((4 - 1) / n).
  expect(Math.abs(rms(values) ** 2 / (10 / 8) - 1)).toBeLessThan(4 * Math.sqrt(3 / values.length))
  // 97.5 % quantile of t with 3 and with 10 degrees: 3.1824 and 2.2281. Standard error sqrt(p q / n) over the density.
  const at = (all: Float32Array) => all[Math.floor(0.975 * all.length)]
  expect(Math.abs(at(sorted(3)) - 3.1824)).toBeLessThan(4 * (Math.sqrt((0.025 * 0.975) / values.length) / 0.0179))
  expect(Math.abs(at(values) - 2.2281)).toBeLessThan(4 * (Math.sqrt((0.025 * 0.975) / values.length) / 0.0419))
})

test('a tail of a hundred degrees is nearly the Gaussian of the same seed', () => {
  const spec = { ...SPEC, outlierStrength: 1 }
  const gaussian = generateLayer(spec).evaluation.data
  const near = generateLayer({ ...spec, tailDegrees: 100 }).evaluation.data
  // Bailey's radius² is −2 ln u (1 + (−ln u) / nu + …): with |x| ≤ 4.5, −ln u is at most about 14 here.
  expect(near.every((x, i) => Math.abs(x - gaussian[i]) <= 0.12 * Math.abs(gaussian[i]))).toBe(true)
  expect(near).not.toEqual(gaussian)
})

test('correlation acts on the columns of the outliers only', () => {
  const { weight, channels } = generateLayer({ ...SPEC, outDim: 512, correlation: 1 })
  for (const c of channels) expect(rms(column(weight, c)) * 16 * Math.sqrt(128)).toBeCloseTo(1, 0)
})

test.each([
  [{ outDim: 0 }, 'output channels: expected a whole number from 1 to 8,192, found 0'],
  [{ inDim: 9000 }, 'input channels: expected a whole number from 1 to 8,192, found 9000'],
  [{ tokens: 1.5 }, 'tokens: expected a whole number from 1 to 8,192, found 1.5'],
  [{ outlierChannels: 129 }, 'outlier channels: expected a whole number from 0 to 128, found 129'],
  [{ outlierStrength: 0.5 }, 'outlier strength: expected 1 to 65,536, found 0.5'],
  [{ correlation: 3 }, 'correlation: expected −2 to 2, found 3'],
  [{ tailDegrees: 1 }, 'tail degrees: expected 2 to 100, found 1'],
  [{ tailDegrees: Number.NaN }, 'tail degrees: expected 2 to 100, found NaN'],
  [{ seed: -1 }, 'seed: expected a whole number from 0 to 4,294,967,295, found -1'],
] as const)('%o is refused with its range', (change, message) => {
  expect(() => generateLayer({ ...SPEC, ...change })).toThrow(
    expect.objectContaining({ code: 'AC-06', message: `synthetic layer: ${message}.` }),
  )
})
