import { expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { createRandom } from '../../src/core/random'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { Context } from '../../src/methods/method'
import { cleaned, orthogonalityError } from '../../src/methods/spinquant/orthogonal'
import { quarot } from '../../src/methods/transforms/quarot'
import { spinquant } from '../../src/methods/transforms/spinquant'
import { fitContext, fitInput, outputError } from '../support/fit'
import { quantizerCalled, relativeError } from '../support/flatquant'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'

const t = gpuFixture()
const TOKENS = 96
const OUT = 64
const IN = 96

const fp4 = makeQuantizer(parseFormat('mxfp4'), STANDARD_MX)
const W4A4: QuantConfig = { weight: fp4, activation: fp4 }
const W4A16: QuantConfig = { weight: fp4, activation: null }

/** Every 12th activation channel is 16 times as large and meets a weight column a quarter as large. */
function layerWithOutliers(channels = IN) {
  const random = createRandom(7)
  const values = (rows: number, gain: number) => ({
    rows,
    cols: channels,
    data: Float32Array.from(
      { length: rows * channels },
      (_, i) => random.normal() * ((i % channels) % 12 === 5 ? gain : 1),
    ),
  })
  const data = { weight: values(OUT, 0.25), calibration: values(TOKENS, 16), evaluation: values(TOKENS, 16) }
  const upload = (name: keyof typeof data) => uploadMatrix(t.gpu, t.arena, data[name], name)
  return {
    data,
    layer: { weight: upload('weight'), calibration: upload('calibration'), evaluation: upload('evaluation') },
  }
}

interface Case {
  readonly config?: QuantConfig
  readonly options?: OptionValues
  readonly context?: Partial<Context>
  readonly channels?: number
}

async function learned({ config = W4A4, options = {}, context = {}, channels = IN }: Case) {
  const { data, layer } = layerWithOutliers(channels)
  const input = fitInput(t.gpu, t.arena, { layer, config, transform: spinquant, options })
  const fitted = await spinquant.fit(input, fitContext(t.gpu, t.arena, context))
  const error = (rows: typeof layer.weight) => outputError(t.gpu, { fitted, rows, weight: layer.weight, config })
  const { losses, bestStep } = fitted.report.training ?? { losses: [], bestStep: -1 }
  return {
    data,
    layer,
    fitted,
    losses,
    bestStep,
    notes: fitted.report.notes.join(' '),
    calibration: await error(layer.calibration),
    evaluation: await error(layer.evaluation),
  }
}

/** max |RᵀR − I| as the notes say it. */
function statedError(notes: string): number {
  const [, number] = /Largest entry of \|RᵀR − I\|: (\S+)\./.exec(notes) ?? []
  return Number(number)
}

test('60 steps on 96 channels: well below the start, on rows it has not seen too, and R stays orthogonal', async () => {
  const { data, fitted, losses, calibration, evaluation, notes } = await learned({})
  const start = await learned({ options: { steps: 0 } })
  expect(losses).toHaveLength(61)
  expect(calibration).toBeLessThan(0.9 * start.calibration)
  expect(evaluation).toBeLessThan(0.95 * start.evaluation)
  expect(statedError(notes)).toBeLessThan(1e-5)
  await expectInvariance(t, fitted, data.weight, data.evaluation)
})

test('the start is the rotation of QuaRot with the same seed, and 0 steps keep it', async () => {
  const { layer, fitted, losses, calibration, notes } = await learned({ options: { steps: 0 }, context: { seed: 3 } })
  const input = fitInput(t.gpu, t.arena, { layer, config: W4A4, transform: quarot })
  const random = await quarot.fit(input, fitContext(t.gpu, t.arena, { seed: 3 }))
  const [found, expected] = await Promise.all([fitted, random].map(({ weight }) => readMatrix(t.gpu, weight)))
  expect(relativeError(found.data, expected.data)).toBeLessThan(1e-6)
  expect(losses).toHaveLength(1)
  expect(losses[0]).toBeCloseTo(calibration, 6)
  expect(notes).toMatch(/randomized Hadamard matrix, signs from seed 3\. Hadamard matrix of order 96 = 12 · 8/)
})

test('the identity start begins at the error without a rotation and improves on it', async () => {
  const { losses, calibration, notes } = await learned({ options: { start: 'identity', steps: 20 } })
  const plain = await learned({ options: { start: 'identity', steps: 0 } })
  const { layer } = layerWithOutliers()
  const untouched = { weight: layer.weight, apply: (matrix: typeof layer.weight) => matrix, online: [], clip: null }
  const fitted = { ...untouched, report: plain.fitted.report }
  const rtn = await outputError(t.gpu, { fitted, rows: layer.calibration, weight: layer.weight, config: W4A4 })
  expect(losses[0]).toBeCloseTo(rtn, 6)
  expect(calibration).toBeLessThan(0.97 * rtn)
  expect(notes).toMatch(/Started from the identity\./)
})

test.each([
  ['MXFP4 floor', 'hadamard', 8],
  ['NVFP4', 'identity', 3],
])('%s from %s: what it returns is the best state of the curve, not the last', async (name, start, steps) => {
  const quantizer = quantizerCalled(name)
  const { losses, bestStep, calibration } = await learned({
    config: { weight: quantizer, activation: quantizer },
    options: { start, steps },
  })
  expect(losses[bestStep]).toBe(Math.min(...losses))
  expect(bestStep).toBeGreaterThan(0)
  expect(bestStep).toBeLessThan(steps)
  // The same R, rounded by the same kernels; the sums of the errors are taken in another order.
  expect(calibration / losses[bestStep]).toBeCloseTo(1, 5)
})

test('where every step is worse than the start, the start is returned, and the notes say so', async () => {
  const quantizer = quantizerCalled('INT4')
  const { losses, bestStep, calibration, notes } = await learned({
    config: { weight: quantizer, activation: quantizer },
    options: { start: 'identity', steps: 5 },
  })
  expect(Math.min(...losses.slice(1))).toBeGreaterThan(1.02 * losses[0])
  expect(bestStep).toBe(0)
  expect(calibration / losses[0]).toBeCloseTo(1, 5)
  expect(notes).toMatch(/No step improved on the start/)
})

test('the same seed gives the same bits, another seed another rotation', async () => {
  const seeds = [0, 0, 1]
  const weights: Float32Array[] = []
  for (const seed of seeds) {
    const { fitted } = await learned({ options: { steps: 4 }, context: { seed } })
    weights.push((await readMatrix(t.gpu, fitted.weight)).data)
  }
  expect(weights[1]).toEqual(weights[0])
  expect(weights[2]).not.toEqual(weights[0])
})

test.each(['MXFP4 floor', 'MXFP4 times 0.75', 'MXFP4 rceil', 'NVFP4', 'INT4'])(
  '%s: never worse than its start, weights alone and both sides',
  async (name) => {
    const quantizer = quantizerCalled(name)
    for (const activation of [quantizer, null]) {
      const { losses, calibration, notes } = await learned({
        config: { weight: quantizer, activation },
        options: { steps: 10 },
      })
      expect(calibration).toBeLessThan(losses[0] * (1 + 1e-5))
      expect(Math.min(...losses)).toBeLessThan(0.99 * losses[0])
      expect(statedError(notes)).toBeLessThan(1e-5)
    }
  },
)

test('learned with activations alone, R is better for them and another one; the notes say so', async () => {
  const alone: QuantConfig = { weight: null, activation: fp4 }
  const activations = await learned({ options: { steps: 30, objective: 'activations' } })
  const both = await learned({ options: { steps: 30 } })
  const errorOf = ({ fitted, layer }: typeof both) =>
    outputError(t.gpu, { fitted, rows: layer.calibration, weight: layer.weight, config: alone })
  expect(await errorOf(activations)).toBeLessThan(0.99 * (await errorOf(both)))
  expect(both.calibration).toBeLessThan(activations.calibration)
  expect(activations.losses[activations.bestStep]).toBeCloseTo(await errorOf(activations), 5)
  expect(activations.notes).toMatch(/learned with activations quantized alone/)
  expect(both.notes).not.toMatch(/alone/)
})

test('without quantized activations it learns with the weights and says so', async () => {
  const options = { steps: 6 }
  const fallback = await learned({ config: W4A16, options: { ...options, objective: 'activations' } })
  const both = await learned({ config: W4A16, options })
  expect(fallback.losses).toEqual(both.losses)
  expect(fallback.notes).toMatch(/Activations are not quantized, so R was learned with quantized weights/)
})

test('the Kronecker form says what it is, beats its start and leaves the product unchanged', async () => {
  const channels = 84
  const { data, fitted, losses, calibration, notes } = await learned({
    channels,
    options: { form: 'kronecker', steps: 20 },
  })
  expect(calibration).toBeLessThan(0.95 * losses[0])
  expect(notes).toMatch(/^Kronecker rotation: R = R_a ⊗ R_b with learned factors 7 x 7 and 12 x 12/)
  expect(statedError(notes)).toBeLessThan(1e-5)
  expect(fitted.report.onlineOperations).toBe(84 * 19)
  expect(fitted.report.onlineBytes).toBe(2 * (49 + 144))
  await expectInvariance(t, fitted, data.weight, data.evaluation)
})

test('a dense rotation costs n² multiply-adds and 2n² bytes', async () => {
  const { fitted } = await learned({ options: { steps: 0 } })
  expect([fitted.report.onlineOperations, fitted.report.onlineBytes]).toEqual([IN * IN, 2 * IN * IN])
})

test('wider than 2048 channels it is a Kronecker rotation of itself', async () => {
  const { notes } = await learned({ channels: 2080, options: { steps: 1 } })
  expect(notes).toMatch(/^Kronecker rotation: .* 40 x 40 and 52 x 52/)
})

test('a dense rotation that fits no buffer is refused with its size', async () => {
  const { gpu, arena } = t
  const { layer } = layerWithOutliers(2080)
  const small = { ...gpu, adapter: { ...gpu.adapter, maxBindingBytes: 2 ** 24 } }
  const input = fitInput(gpu, arena, { layer, config: W4A4, transform: spinquant, options: { form: 'dense' } })
  await expect(spinquant.fit(input, { ...fitContext(gpu, arena), gpu: small })).rejects.toThrow(
    expect.objectContaining({
      code: 'MD-12',
      message:
        'spinquant.form dense: expected a rotation of at most 16 MiB on this device, found 2080 x 2080, 17 MiB. ' +
        'Use form kronecker or auto.',
    }),
  )
})

test('cancelling stops within a few steps with an AbortError', async () => {
  const controller = new AbortController()
  let seen = 0
  const onProgress: Context['onProgress'] = ({ done, loss }) => {
    expect(loss).toBeGreaterThan(0)
    seen = Math.max(seen, done)
    if (done >= 5) controller.abort()
  }
  const context = { signal: controller.signal, onProgress }
  await expect(learned({ options: { steps: 1000 }, context })).rejects.toThrow(/abort/i)
  expect(seen).toBeLessThan(60)
})

test('nothing to quantize: nothing is learned, the start is returned', async () => {
  const { fitted, calibration, notes } = await learned({ config: { weight: null, activation: null } })
  expect(fitted.report.training).toBeNull()
  expect(calibration).toBeLessThan(1e-5)
  expect(notes).toMatch(/nothing was learned/)
})

test('few calibration rows per channel are pointed out', async () => {
  const { notes } = await learned({ options: { steps: 0 } })
  expect(notes).toMatch(/96 calibration rows for 96 channels: below 8 per channel/)
})

test('a matrix that is not orthogonal is cleaned, and its error stated', async () => {
  const { gpu, arena } = t
  const data = Float32Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1.01 : 0))
  const matrix = uploadMatrix(gpu, arena, { rows: 5, cols: 5, data }, 'R')
  expect(await orthogonalityError(gpu, matrix)).toBeCloseTo(1.01 ** 2 - 1, 6)
  const { rotation, error } = await cleaned(gpu, arena, matrix)
  expect(error).toBeLessThan(1e-6)
  expect(await orthogonalityError(gpu, rotation)).toBe(error)
})
