import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  DEFAULT_SYNTHETIC,
  describeSynthetic,
  generateActivations,
  MAX_SYNTHETIC_TOKENS,
  outlierChannels,
} from '../../src/io/synthetic'

const PLAIN = { ...DEFAULT_SYNTHETIC, outlierChannels: 0 }
const SMALL = { ...DEFAULT_SYNTHETIC, tokens: 40, outlierChannels: 3, outlierGain: 20, seed: 7 }

test('every row has root mean square 1 before the outliers', () => {
  const { rows, cols, data } = generateActivations(PLAIN, 96)
  expect([rows, cols]).toEqual([512, 96])
  for (let token = 0; token < rows; token++) {
    const row = data.subarray(token * cols, (token + 1) * cols)
    const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / cols
    // Each value is rounded to f32 once: a relative 2^-24, twice that in its square.
    expect(Math.abs(meanSquare - 1)).toBeLessThan(2 * 2 ** -24 + 2 ** -45)
  }
})

test('values are normal: mean 0, variance 1, kurtosis 3 of a row-normalised Gaussian', () => {
  const inDim = 256
  const { data } = generateActivations(PLAIN, inDim)
  const n = data.length
  const moment = (power: number) => data.reduce((sum, value) => sum + value ** power, 0) / n
  // Five standard errors: 1/√n, √(15/n), and √(96/n) for the fourth moment, 3·in/(in + 2) after normalisation.
  expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(n))
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n))
  expect(Math.abs(moment(4) - (3 * inDim) / (inDim + 2))).toBeLessThan(5 * Math.sqrt(96 / n))
})

test('outlier channels are multiplied by the gain and nothing else changes', () => {
  const inDim = 96
  const [plain, spiky] = [
    generateActivations({ ...SMALL, outlierChannels: 0 }, inDim),
    generateActivations(SMALL, inDim),
  ]
  const chosen = outlierChannels(SMALL, inDim)
  expect(new Set(chosen).size).toBe(3)
  for (let i = 0; i < plain.data.length; i++) {
    const outlier = chosen.includes(i % inDim)
    if (!outlier) expect(spiky.data[i]).toBe(plain.data[i])
    // Two roundings apart: round(20 z) against 20 round(z).
    else expect(Math.abs(spiky.data[i] / (20 * plain.data[i]) - 1)).toBeLessThan(2 ** -22)
  }
})

test('more outlier channels contain the fewer, and the choice follows the seed', () => {
  const few = outlierChannels(SMALL, 96)
  expect(outlierChannels({ ...SMALL, outlierChannels: 10 }, 96).slice(0, 3)).toEqual(few)
  expect(outlierChannels({ ...SMALL, seed: 8 }, 96)).not.toEqual(few)
  expect(outlierChannels({ ...SMALL, outlierChannels: 96 }, 96).sort((a, b) => a - b)).toEqual([...Array(96).keys()])
})

test('every channel is chosen about equally often', () => {
  const counts = new Array<number>(16).fill(0)
  for (let seed = 0; seed < 4000; seed++) {
    for (const channel of outlierChannels({ ...SMALL, outlierChannels: 4, seed }, 16)) counts[channel]++
  }
  // Binomial(4000, 1/4): mean 1000, standard deviation 27.4; five of them.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(137)
})

test('the same spec gives the same bits, for ever; another seed gives others', () => {
  const { data } = generateActivations(SMALL, 33)
  expect(generateActivations(SMALL, 33).data).toEqual(data)
  expect(generateActivations({ ...SMALL, seed: 8 }, 33).data).not.toEqual(data)
  // Recomputed in Python from the definition of the generator; links and built-in layers depend on these values.
  expect(outlierChannels(DEFAULT_SYNTHETIC, 256)).toEqual([140, 237, 0, 58, 22, 16])
  expect(createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex').slice(0, 16)).toBe('d8cd2dc3a0e35d08')
})

test('the caption names every control', () => {
  expect(describeSynthetic(DEFAULT_SYNTHETIC)).toBe('synthetic: 512 tokens, 6 outlier channels x 20, seed 0')
  expect(describeSynthetic({ ...SMALL, tokens: 1, outlierChannels: 1 })).toBe(
    'synthetic: 1 token, 1 outlier channel x 20, seed 7',
  )
  expect(describeSynthetic({ ...PLAIN, tokens: 2048 })).toBe('synthetic: 2,048 tokens, no outlier channels, seed 0')
})

test.each([
  [{ tokens: 0 }, 'tokens: expected a whole number from 1 to 8,192, found 0.'],
  [{ tokens: MAX_SYNTHETIC_TOKENS + 1 }, 'tokens: expected a whole number from 1 to 8,192, found 8193.'],
  [{ outlierChannels: 65 }, 'outlier channels: expected a whole number from 0 to 64, found 65.'],
  [{ outlierChannels: 0.5 }, 'outlier channels: expected a whole number from 0 to 64, found 0.5.'],
  [{ seed: -1 }, 'seed: expected a whole number from 0 to 4,294,967,295, found -1.'],
  [{ tailDegrees: 2 - 1 }, 'degrees of freedom: expected 2 to 100, found 1.'],
  [{ correlation: 1 }, 'channel correlation: expected 0 to 0.99, found 1.'],
  [{ massive: { channels: 97, size: 5 } }, 'massive channels: expected a whole number from 1 to 64, found 97.'],
  [{ massive: { channels: 1, size: 0 } }, 'massive size: expected a number above 0 and at most 1,000,000, found 0.'],
  [{ outlierGain: 0 }, 'outlier gain: expected a number above 0 and at most 1,000,000, found 0.'],
  [{ outlierGain: Number.NaN }, 'outlier gain: expected a number above 0 and at most 1,000,000, found NaN.'],
])('refuses %o', (change, message) => {
  expect(() => generateActivations({ ...SMALL, ...change }, 64)).toThrow(
    expect.objectContaining({ code: 'AC-04', message: `synthetic activations: ${message}` }),
  )
})

test('a gain scales the channels, and outliers go to the largest gains', () => {
  const inDim = 96
  const gain = Float32Array.from({ length: inDim }, (_, k) => 1 + ((k * 37) % inDim) / inDim)
  const spec = { ...SMALL, outlierChannels: 0 }
  const [plain, scaled] = [generateActivations(spec, inDim), generateActivations(spec, inDim, gain)]
  for (let i = 0; i < plain.data.length; i++) {
    expect(Math.abs(scaled.data[i] - gain[i % inDim] * plain.data[i])).toBeLessThan(4e-7 * Math.abs(scaled.data[i]))
  }
  const spiky = generateActivations(SMALL, inDim, gain)
  const raised = [...Array(inDim).keys()].filter((k) => Math.abs(spiky.data[k] / scaled.data[k] - 20) < 1e-4)
  const largest = [...Array(inDim).keys()].sort((a, b) => gain[b] - gain[a]).slice(0, 3)
  expect(raised.sort((a, b) => a - b)).toEqual(largest.sort((a, b) => a - b))
})

test('ties of the gain go by the seed', () => {
  const flat = new Float32Array(96).fill(1)
  expect(generateActivations(SMALL, 96, flat).data).toEqual(generateActivations(SMALL, 96).data)
})

test('neighbouring channels correlate as asked, channels further apart by powers of it', () => {
  const inDim = 128
  const { data, rows } = generateActivations({ ...PLAIN, tokens: 2048, correlation: 0.8 }, inDim)
  const correlation = (distance: number) => {
    let sum = 0
    for (let t = 0; t < rows; t++)
      for (let k = distance; k < inDim; k++) sum += data[t * inDim + k] * data[t * inDim + k - distance]
    return sum / (rows * (inDim - distance))
  }
  expect(correlation(1)).toBeCloseTo(0.8, 1)
  expect(correlation(3)).toBeCloseTo(0.512, 1)
  expect(Math.abs(correlation(40))).toBeLessThan(0.05)
})

test('fewer degrees of freedom make heavier tails', () => {
  const kurtosis = (tailDegrees: number | null) => {
    const { data } = generateActivations({ ...PLAIN, tailDegrees }, 256)
    return data.reduce((sum, value) => sum + value ** 4, 0) / data.length
  }
  expect(kurtosis(4)).toBeGreaterThan(2 * kurtosis(null))
})

test('one token is massive, in so many channels and of that size', () => {
  const spec = { ...SMALL, massive: { channels: 2, size: 500 } }
  const inDim = 96
  const [plain, massive] = [generateActivations(SMALL, inDim), generateActivations(spec, inDim)]
  const changed = [...plain.data.keys()].filter((i) => plain.data[i] !== massive.data[i])
  expect(changed.length).toBe(2)
  const token = Math.floor(changed[0] / inDim)
  expect(Math.floor(changed[1] / inDim)).toBe(token)
  const row = plain.data.subarray(token * inDim, (token + 1) * inDim)
  const rms = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / inDim)
  for (const i of changed) {
    expect(Math.abs(massive.data[i])).toBeCloseTo(500 * rms, 2)
    expect(Math.sign(massive.data[i])).toBe(Math.sign(plain.data[i]))
  }
})

test('the caption says every control', () => {
  const spec = { ...SMALL, tailDegrees: 4, correlation: 0.5, massive: { channels: 2, size: 500 } }
  expect(describeSynthetic(spec, 'input_layernorm.weight')).toBe(
    'synthetic: 40 tokens, gain of input_layernorm.weight, 3 outlier channels x 20, Student t with 4 degrees of freedom, ' +
      'channel correlation 0.5, one massive token, 2 channels at 500 rms, seed 7',
  )
})
