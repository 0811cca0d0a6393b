import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import { explainRotation, type NoiseAttribution, type RotationQuery } from '../../src/experiment/rotation-causes'
import type { ComparisonLayer } from '../../src/experiment/run-comparison'
import { quantizersOf, settingOf } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { Recorder } from '../../src/gpu/recorder'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { generateLayer } from '../../src/io/synthetic-layer'
import { quarot } from '../../src/methods/transforms/quarot'
import { fitContext, fitInput } from '../support/fit'
import { compareGolden } from '../support/golden-comparison'
import { goldenText, gpuFixture } from '../support/gpu'
import { gaussian } from '../support/matrices'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

const QUERY: RotationQuery = {
  ...STANDARD_MX,
  weightFormat: 'mxfp4',
  activationFormat: 'mxfp4',
  method: { id: 'quarot', options: {} },
  seed: 0,
  headDim: null,
}

const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'layer')

function layerOf(weight: Matrix, evaluation: Matrix): ComparisonLayer {
  const rows = upload(evaluation)
  return { name: 'layer', weight: upload(weight), calibration: rows, evaluation: rows, weightBits: 16 }
}

const explain = (layer: ComparisonLayer, query: Partial<RotationQuery> = {}) =>
  explainRotation(layer, { ...QUERY, ...query }, { gpu: t.gpu, signal: new AbortController().signal })

/** A layer with outlier channels, on the CPU. */
function synthetic() {
  const { weight, evaluation } = generateLayer({
    ...{ outDim: 40, inDim: 96, tokens: 70, outlierChannels: 3, outlierStrength: 20 },
    ...{ correlation: 0.5, tailDegrees: 4, clustered: false, seed: 1 },
  })
  return { weight, evaluation }
}

const squares = ({ data, cols }: Matrix) => {
  const sums = new Float64Array(cols)
  data.forEach((value, i) => {
    sums[i % cols] += value ** 2
  })
  return sums
}
const total = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0)
const minus = (a: Matrix, b: Matrix) => ({
  rows: a.rows,
  cols: a.cols,
  data: a.data.map((value, i) => value - b.data[i]),
})

/** ‖a bᵀ‖² and ‖a bᵀ − c dᵀ‖² in float64. */
function productEnergies(a: Matrix, b: Matrix, [c, d]: readonly [Matrix, Matrix]) {
  const at = (x: Matrix, w: Matrix, row: number, out: number) => {
    let sum = 0
    for (let k = 0; k < x.cols; k++) sum += x.data[row * x.cols + k] * w.data[out * x.cols + k]
    return sum
  }
  const energies = { reference: 0, error: 0 }
  for (let row = 0; row < a.rows; row++) {
    for (let out = 0; out < b.rows; out++) {
      const y = at(a, b, row, out)
      energies.reference += y ** 2
      energies.error += (at(c, d, row, out) - y) ** 2
    }
  }
  return energies
}

/** Rows rounded by the kernel, which has tests of its own. */
async function rounded(matrix: Matrix, format: string): Promise<Matrix> {
  const { weight } = quantizersOf(
    settingOf({ weightFormat: format, activationFormat: null, outputFormat: null }),
    QUERY,
  )
  if (!weight) throw new Error(`no quantizer for ${format}`)
  const recorder = new Recorder(t.gpu)
  const values = fakeQuantize(recorder, t.arena, upload(matrix), weight)
  recorder.submit()
  return readMatrix(t.gpu, values)
}

/** The attribution by its definition. */
async function attributed(x: Matrix, w: Matrix, format: string) {
  const [xRounded, wRounded] = [await rounded(x, format), await rounded(w, format)]
  const [e, omega] = [squares(x), squares(w)]
  const [xNoise, wNoise] = [squares(minus(xRounded, x)), squares(minus(wRounded, w))]
  const output = productEnergies(x, w, [xRounded, wRounded])
  return { e, omega, xNoise, wNoise, output }
}

/** Sums of 32 + rows / 32 terms in f32, of squares of differences that are rounded once; twice over in a product. */
const ATTRIBUTION_BOUND = 2 * (32 + 3 + 4) * 2 ** -23

function expectAttribution(found: NoiseAttribution, exact: Awaited<ReturnType<typeof attributed>>) {
  const { e, omega, xNoise, wNoise, output } = exact
  const parts = [
    [found.activationNoise, xNoise, omega],
    [found.weightNoise, e, wNoise],
    [found.bothNoise, xNoise, wNoise],
  ] as const
  let sum = 0
  for (const [values, left, right] of parts) {
    values.forEach((value, c) => {
      const expected = (left[c] * right[c]) / output.reference
      sum += expected
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(ATTRIBUTION_BOUND * expected)
    })
  }
  expect(Math.abs(found.predicted / Math.sqrt(sum) - 1)).toBeLessThan(ATTRIBUTION_BOUND)
  expect(Math.abs(found.measured / Math.sqrt(output.error / output.reference) - 1)).toBeLessThan(1e-5)
}

test.each(['mxfp4', 'int4'])('%s: attribution before and after is the definition in float64', async (format) => {
  const { weight, evaluation } = synthetic()
  const layer = layerOf(weight, evaluation)
  const found = await explain(layer, { weightFormat: format, activationFormat: format })
  const plain = await attributed(evaluation, weight, format)
  expectAttribution(found.before, plain)
  const config = { weight: null, activation: null }
  const fitted = await quarot.fit(
    fitInput(t.gpu, t.arena, { layer, config, transform: quarot }),
    fitContext(t.gpu, t.arena),
  )
  const [x, w] = [await readMatrix(t.gpu, fitted.apply(layer.evaluation)), await readMatrix(t.gpu, fitted.weight)]
  expectAttribution(found.after, await attributed(x, w, format))

  const { e, omega, output } = plain
  const chi = Math.sqrt((total(e) * total(omega)) / (96 * output.reference))
  expect(found.chi / chi).toBeCloseTo(1, 5)
  const { weightKappa: a, activationKappa: b } = found
  expect(found.closedForm / (chi * Math.sqrt(a + b + a * b))).toBeCloseTo(1, 5)
  const mismatch = (total(e) * total(omega)) / (96 * total(e.map((value, c) => value * omega[c])))
  expect(found.mismatch / mismatch).toBeCloseTo(1, 5)
  expect(found).toMatchObject({
    layerName: 'layer',
    inDim: 96,
    tokens: 70,
    notes: [expect.any(String), expect.any(String)],
  })
})

test('an operand left as loaded has no noise', async () => {
  const { weight, evaluation } = synthetic()
  const found = await explain(layerOf(weight, evaluation), { activationFormat: null })
  expect(total(found.before.activationNoise)).toBe(0)
  expect(total(found.after.bothNoise)).toBe(0)
  expect(total(found.after.weightNoise)).toBeGreaterThan(0)
  expect([found.activationKappa, found.token.after.otherChannelsError]).toEqual([0, 0])
})

interface Shape {
  readonly shape: string
  readonly [format: string]: unknown
}
const SHAPES: readonly Shape[] = JSON.parse(goldenText('transform/sweep-rotation.json'))[
  'relative MSE by shape and by scale phase (log2 of the scale, one octave)'
]

test.each([
  ['mxfp4', 'mxfp4', null],
  ['mxfp8_e4m3', 'mxfp8', null],
  ['mxfp4', 'mxfp4_prescale', { factor: 0.75, variant: 'exact' }],
] as const)('%s: noise of Gaussian data is the recorded one (%s)', async (format, name, preScale) => {
  const phases = SHAPES.find(({ shape }) => shape === 'gaussian')?.[name] as readonly number[]
  // The last phase is the first again.
  const recorded = total(phases.slice(0, -1)) / (phases.length - 1)
  const { weight, evaluation } = synthetic()
  const found = await explain(layerOf(weight, evaluation), { weightFormat: format, preScale })
  // 2^13 blocks whose noise scatters by about 0.3 of its mean: three standard errors, and the recorded mean's own scatter.
  expect(Math.abs(found.weightKappa / recorded - 1)).toBeLessThan(3 * (0.3 / Math.sqrt(2 ** 13)) * Math.SQRT2)
})

function goldenLayer(name: string): ComparisonLayer {
  const tensors = readGolden(`layers/${name}.safetensors`)
  const [weight, calibration, evaluation] = ['layer.weight', 'calib.input', 'eval.input'].map((key) => {
    const tensor = tensors.get(key)
    if (!tensor) throw new Error(`${name}: no ${key}`)
    return upload({ rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() })
  })
  return { name, weight, calibration, evaluation, weightBits: 16 }
}

describe.each([
  ['layer-a', null],
  ['layer-b', 2.9],
  ['layer-r', 4.6],
] as const)('%s', (name, mismatch) => {
  // 5 %: what the recorded study states for attribution and closed form on these layers under MX formats. Plain INT4 flushes
  // what lies below its outliers, so its noise depends on the values; its attribution is 5.1 % off on the third layer.
  test.each([
    ['mxfp4', 'mxfp4'],
    ['mxfp4', null],
    ['mxfp8_e4m3', 'mxfp8_e4m3'],
    ['int4', 'int4'],
  ] as const)(
    '%s/%s: attribution and closed form agree with what is measured',
    async (weightFormat, activationFormat) => {
      const found = await explain(goldenLayer(name), { weightFormat, activationFormat })
      const bound = weightFormat === 'int4' ? 0.06 : 0.05
      expect(Math.abs(found.before.predicted / found.before.measured - 1)).toBeLessThan(bound)
      expect(Math.abs(found.after.predicted / found.after.measured - 1)).toBeLessThan(0.05)
      if (weightFormat !== 'int4') expect(Math.abs(found.closedForm / found.after.measured - 1)).toBeLessThan(0.05)
      if (mismatch !== null) expect(Math.abs(found.mismatch / mismatch - 1)).toBeLessThan(0.03)
    },
  )
})

test('what is measured is what a comparison measures', async () => {
  const found = await explain(goldenLayer('layer-a'), { rounding: 'half-away' })
  const results = await compareGolden(t, { layer: 'layer-a', key: 'mx:W4A4' }, [{ id: 'rtn' }, { id: 'quarot' }])
  const [rtn, rotated] = results.map(({ evaluation }) => evaluation.outputRelativeError)
  expect([found.before.measured, found.after.measured]).toEqual([rtn, rotated])
})

/**
 * Tokens of 768 Gaussian channels, one of them `k` to 2k large: what rounding does to the other 767, as the root mean square
 * over the tokens, and the kurtosis of all rotated values together.
 */
async function outlierTokens(k: number, format: string) {
  const random = createRandom(5)
  const weight = gaussian(4, 768, 6)
  const tokens = 24
  const energies = { plain: 0, rotated: 0, others: 0, second: 0, fourth: 0 }
  for (let token = 0; token < tokens; token++) {
    const data = Float32Array.from({ length: 768 }, () => random.normal())
    const channel = Math.floor(random.uniform() * 768)
    data[channel] = (random.uniform() < 0.5 ? -1 : 1) * k * 2 ** ((token + 0.5) / tokens)
    const layer = layerOf(weight, { rows: 1, cols: 768, data })
    const { before, after, ...found } = (
      await explain(layer, { weightFormat: null, activationFormat: format, seed: token })
    ).token
    expect(found).toEqual({ token: 0, channel })
    expect(before.values).toEqual(data)
    expect(before.largestShare).toBeCloseTo(data[channel] ** 2 / total(data.map((x) => x ** 2)), 5)
    const others = total(data.map((x, c) => (c === channel ? 0 : x ** 2)))
    energies.others += others
    energies.plain += others * before.otherChannelsError ** 2
    energies.rotated += others * after.otherChannelsError ** 2
    energies.second += total(after.values.map((x) => x ** 2))
    energies.fourth += total(after.values.map((x) => x ** 4))
  }
  return {
    plain: Math.sqrt(energies.plain / energies.others),
    rotated: Math.sqrt(energies.rotated / energies.others),
    kurtosis: (energies.fourth * tokens * 768) / energies.second ** 2,
  }
}

// 4 %: each is a mean over tokens of the recorded sweep's own draws. Of a token's error 1 / √767 is sampling, over 24 tokens
// less than 1 %; the rest is where in the octave the outliers lie, which moves errors of two-valued data most.
test.each([
  ['mxfp4', 0.2305, 0.3825],
  ['int4', 1, 0.2709],
])('%s: other channels of a token with one outlier of 64 to 128, as recorded', async (format, plain, rotated) => {
  const found = await outlierTokens(64, format)
  expect(Math.abs(found.plain / plain - 1)).toBeLessThan(0.04)
  expect(Math.abs(found.rotated / rotated - 1)).toBeLessThan(0.04)
  expect(Math.abs(found.kurtosis / 1.428 - 1)).toBeLessThan(0.04)
})

test('the error of the rotated token is brought back by the inverse rotation, its own channel left out', async () => {
  const evaluation = gaussian(1, 64, 10)
  evaluation.data[7] = 90
  const layer = layerOf(gaussian(8, 64, 8), evaluation)
  const { token } = await explain(layer)
  const config = { weight: null, activation: null }
  const input = fitInput(t.gpu, t.arena, { layer, config, transform: quarot })
  const fitted = await quarot.fit(input, fitContext(t.gpu, t.arena))
  const unit = { rows: 64, cols: 64, data: Float32Array.from({ length: 64 * 64 }, (_, i) => Number(i % 65 === 0)) }
  const matrix = await readMatrix(t.gpu, fitted.apply(upload(unit)))
  const values = await readMatrix(t.gpu, fitted.apply(layer.evaluation))
  const noise = minus(await rounded(values, 'mxfp4'), values).data
  // e = e' Tᵀ, T orthogonal.
  const back = Array.from({ length: 64 }, (_, c) => total(noise.map((value, k) => value * matrix.data[64 * c + k])))
  const energyBut = (row: ArrayLike<number>) => total(Array.from(row, (value, c) => (c === 7 ? 0 : value ** 2)))
  const expected = Math.sqrt(energyBut(back) / energyBut(evaluation.data))
  // The outlier's own channel has its share of the error: the test would not see a projection left out otherwise.
  expect(back[7] ** 2).toBeGreaterThan(0.02 * total(back.map((value) => value ** 2)))
  expect(Math.abs(token.after.otherChannelsError / expected - 1)).toBeLessThan(1e-4)
  expect([...token.after.values]).toEqual([...values.data])
})

test('the token with the largest share of one channel is found, and its own kurtosis told', async () => {
  const evaluation = gaussian(50, 64, 9)
  evaluation.data.fill(0, 31 * 64, 32 * 64)
  evaluation.data[31 * 64 + 7] = 1e-3
  const { token } = await explain(layerOf(gaussian(8, 64, 8), evaluation))
  expect(token).toMatchObject({ token: 31, channel: 7, before: { largestShare: 1 } })
  // One element among 64: kurtosis about the mean is 64 - 2 + 1 / 63 exactly.
  expect(token.before.kurtosis).toBeCloseTo(62 + 1 / 63, 3)
  // All others are zero: no relative error.
  expect(token.before.otherChannelsError).toBeNaN()
  // Rotated, all 64 have one magnitude.
  expect(token.after.largestShare).toBeCloseTo(1 / 64, 5)
  expect([...token.after.values].every((x) => Math.abs(Math.abs(x) - 1e-3 / 8) < 1e-9)).toBe(true)
})

test.each([
  [{ method: { id: 'flatquant', options: {} } }, 'RC-01', /expected one of quarot, .*found "flatquant"/],
  [{ method: { id: 'quarot+gptq', options: {} } }, 'RC-01', /expected one of .*found "quarot\+gptq"/],
  [{ weightFormat: null, activationFormat: null }, 'RC-01', /expected a format for weights or activations, found none/],
  [{ method: { id: 'quarot', options: { signs: 'maybe' } } }, 'MD-03', /signs/],
] as const)('%o is refused', async (change, code, message) => {
  const { weight, evaluation } = synthetic()
  const asked = explain(layerOf(weight, evaluation), change)
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})

test('values whose squares leave f32, and an output of zeros, are refused', async () => {
  const { weight, evaluation } = synthetic()
  const scaled = (factor: number) => ({ ...evaluation, data: evaluation.data.map((x) => x * factor) })
  await expect(explain(layerOf(weight, scaled(1e19)))).rejects.toMatchObject({
    code: 'RC-02',
    message: expect.stringMatching(
      /^causes of a rotation: expected sums of squares within f32, found an overflow at channel \d+\.$/,
    ),
  })
  await expect(explain(layerOf(weight, scaled(0)))).rejects.toMatchObject({ code: 'RC-02' })
})
