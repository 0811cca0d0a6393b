import { expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { createRandom } from '../../src/core/random'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { readFloats, readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { Context } from '../../src/methods/method'
import { blockAffine } from '../../src/methods/transforms/block-affine'
import { fitContext, fitInput, outputError } from '../support/fit'
import { quantizerCalled } from '../support/flatquant'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'

const t = gpuFixture()
const TOKENS = 96
const OUT = 64
const IN = 96

const fp4 = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const W4A4: QuantConfig = { weight: fp4, activation: fp4 }

/** Every 12th activation channel is 16 times as large and meets a weight column a quarter as large. */
function layerWithOutliers(channels = IN, tokens = TOKENS) {
  const random = createRandom(7)
  const matrix = (rows: number, gain: number) => ({
    rows,
    cols: channels,
    data: Float32Array.from(
      { length: rows * channels },
      (_, i) => random.normal() * ((i % channels) % 12 === 5 ? gain : 1),
    ),
  })
  const cpu = { weight: matrix(OUT, 0.25), calibration: matrix(tokens, 16), evaluation: matrix(tokens, 16) }
  const upload = (name: keyof typeof cpu) => uploadMatrix(t.gpu, t.arena, cpu[name], name)
  return {
    cpu,
    layer: { weight: upload('weight'), calibration: upload('calibration'), evaluation: upload('evaluation') },
  }
}

async function train(
  config: QuantConfig,
  options: OptionValues,
  { channels, tokens, ...given }: Partial<Context> & { channels?: number; tokens?: number } = {},
) {
  const { cpu, layer } = layerWithOutliers(channels, tokens)
  const input = fitInput(t.gpu, t.arena, { layer, config, transform: blockAffine, options })
  const fitted = await blockAffine.fit(input, fitContext(t.gpu, t.arena, given))
  const error = (rows: typeof layer.weight) => outputError(t.gpu, { fitted, rows, weight: layer.weight, config })
  return { cpu, layer, fitted, error }
}

const BOTH = ['MXFP4 times 0.75', 'NVFP4', 'INT4', 'INT4 in groups of 32', 'MXFP4 best']
const CONFIGS: readonly (readonly [string, QuantConfig])[] = [
  ['MXFP4', W4A4],
  ['MXFP4 weights alone', { weight: fp4, activation: null }],
  ['MXFP4 activations alone', { weight: null, activation: fp4 }],
  ...BOTH.map((name): [string, QuantConfig] => {
    const quantizer = quantizerCalled(name)
    return [name, { weight: quantizer, activation: quantizer }]
  }),
]

test.each(CONFIGS)('%s: training beats its start and stays bounded', async (_, config) => {
  const { layer, fitted, error } = await train(config, { steps: 15 })
  const { losses, bestStep } = fitted.report.training ?? { losses: [], bestStep: -1 }
  expect(losses).toHaveLength(16)
  expect(Math.max(...losses)).toBeLessThan(1.5 * losses[0])
  expect(losses[bestStep]).toBe(Math.min(...losses))
  expect(losses[bestStep]).toBeLessThan(0.97 * losses[0])
  // What is returned is the best state: inverses in float64 against Newton's, so a code may flip here and there.
  expect((await error(layer.calibration)) / losses[bestStep]).toBeCloseTo(1, 2)
  expect(fitted.clip?.activationBlocks === null).toBe(config.activation === null)
  expect(fitted.clip?.weightBlocks === null).toBe(config.weight === null)
})

test.each([
  ['16', 48],
  ['32', 96],
  ['64', 192],
  ['128', 128],
])("X'W'ᵀ equals XWᵀ after training with blocks of %s in %i channels", async (size, channels) => {
  const { cpu, fitted } = await train(W4A4, { size, steps: 5 }, { channels })
  await expectInvariance(t, fitted, cpu.weight, cpu.evaluation)
  expect(fitted.report.onlineOperations).toBe(channels * Number(size))
  expect(fitted.report.onlineBytes).toBe(2 * channels * Number(size))
})

test('starts at a channel scale and a Hadamard rotation of each block, which mixes no two', async () => {
  const { cpu, fitted } = await train(W4A4, { steps: 0 })
  const data = new Float32Array(2 * IN)
  data[40] = 1
  data[IN + 50] = 1
  const applied = await readMatrix(t.gpu, fitted.apply(uploadMatrix(t.gpu, t.arena, { rows: 2, cols: IN, data }, 'x')))
  const largest = (values: Float32Array, channel: number) =>
    values.reduce((top, value, i) => (i % IN === channel ? Math.max(top, Math.abs(value)) : top), 0)
  for (const [row, channel] of [
    [0, 40],
    [1, 50],
  ]) {
    const d = largest(cpu.weight.data, channel) ** 0.7 / largest(cpu.calibration.data, channel) ** 0.3
    applied.data.subarray(row * IN, (row + 1) * IN).forEach((value, i) => {
      if (i < 32 || i >= 64) expect(value).toBe(0)
      else expect(Math.abs(value) / (d / Math.sqrt(32))).toBeCloseTo(1, 5)
    })
  }
})

test('the same seed gives the same bits', async () => {
  const [first, again] = [await train(W4A4, { steps: 5 }), await train(W4A4, { steps: 5 })]
  const read = async ({ fitted }: typeof first) => {
    const { activationBlocks, weightBlocks } = fitted.clip ?? { activationBlocks: null, weightBlocks: null }
    if (!activationBlocks || !weightBlocks) throw new Error('expected clips on both sides')
    return [
      (await readMatrix(t.gpu, fitted.weight)).data,
      await readFloats(t.gpu, activationBlocks.factors, IN / 32),
      await readFloats(t.gpu, weightBlocks.factors, (OUT * IN) / 32),
    ]
  }
  expect(await read(again)).toEqual(await read(first))
})

test('the clips move from 0.982, one per block of activations and one per row and block of weights', async () => {
  const { fitted } = await train(W4A4, { steps: 10 })
  const { activationBlocks, weightBlocks } = fitted.clip ?? { activationBlocks: null, weightBlocks: null }
  if (!activationBlocks || !weightBlocks) throw new Error('expected clips on both sides')
  expect([activationBlocks.per, activationBlocks.width, weightBlocks.per, weightBlocks.width]).toEqual([
    'column',
    32,
    'block',
    32,
  ])
  const start = 1 / (1 + Math.exp(-4))
  for (const [buffer, count] of [
    [activationBlocks.factors, 3],
    [weightBlocks.factors, 3 * OUT],
  ] as const) {
    const shares = await readFloats(t.gpu, buffer, count)
    expect(new Set(shares).size).toBeGreaterThan(0.8 * count)
    // A block whose largest element saturates has no gradient to move its clip by.
    expect(shares.filter((share) => Math.abs(share - start) > 1e-4).length).toBeGreaterThan(0.8 * count)
    for (const share of shares) expect(share).toBeLessThan(1)
  }
})

test('a rate that blows up never returns worse than the start', async () => {
  const { layer, fitted, error } = await train(W4A4, { steps: 20, learningRate: 0.1 })
  const losses = fitted.report.training?.losses ?? []
  expect(await error(layer.calibration)).toBeLessThan(1.01 * losses[0])
})

test('warns below eight calibration rows per channel, and not from there on', async () => {
  const few = await train(W4A4, { steps: 0 })
  expect(few.fitted.report.notes.join(' ')).toMatch(
    /96 calibration rows for 96 channels: below 8 per channel.*held-out error/,
  )
  const enough = await train(W4A4, { steps: 0 }, { channels: 32, tokens: 256 })
  expect(enough.fitted.report.notes.join(' ')).not.toMatch(/held-out/)
})

test('cancelling stops within a few steps with an AbortError', async () => {
  const controller = new AbortController()
  let seen = 0
  const onProgress: Context['onProgress'] = ({ stage, done, loss }) => {
    expect(stage).toBe('Block affine')
    expect(loss).toBeGreaterThan(0)
    seen = Math.max(seen, done)
    if (done >= 5) controller.abort()
  }
  await expect(train(W4A4, { steps: 1000 }, { signal: controller.signal, onProgress })).rejects.toThrow(/abort/i)
  expect(seen).toBeLessThan(60)
})

test('nothing to quantize: nothing is learned', async () => {
  const { layer, fitted, error } = await train({ weight: null, activation: null }, {})
  expect(fitted.report.training).toBeNull()
  expect(fitted.clip).toBeNull()
  expect(await error(layer.calibration)).toBeLessThan(1e-5)
})

test('refuses a width that is no multiple of its blocks', async () => {
  const refused = train(W4A4, { size: '64' })
  await expect(refused).rejects.toThrow('block affine transform: expected a multiple of 64 channels, found 96.')
  await expect(refused).rejects.toMatchObject({ code: 'MD-08' })
})
