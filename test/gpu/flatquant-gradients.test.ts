import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { mxfp8E4m3 } from '../../src/formats/mxfp8-e4m3'
import type { QuantConfig, Quantizer } from '../../src/formats/number-format'
import { straightThroughRule } from '../../src/gpu/kernels/straight-through'
import { readFloats, uploadMatrix } from '../../src/gpu/transfer'
import type { FactorParameters } from '../../src/methods/flatquant/factor'
import { backwardPass, type FlatQuantGradients, forwardPass } from '../../src/methods/flatquant/gradients'
import { uploadState } from '../../src/methods/flatquant/parameters'
import {
  flatquantOracle,
  multiply,
  type OracleParameters,
  type OracleProblem,
  type Table,
  transposed,
} from '../oracle/flatquant'
import {
  namedGradients,
  QUANTIZERS,
  recordedGradients,
  recordedProblem,
  recordedQuantizer,
  recordedSvd,
  relativeError,
} from '../support/flatquant'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/**
 * f32 sums of at most 96 · 24 terms that partly cancel: 2304 · 2^-24 ≈ 1.4e-4 of the terms' size at worst, with some
 * room for cancellation.
 */
const GRADIENT_TOLERANCE = 1e-3

const toMatrix = ({ rows, cols, data }: Table) => ({ rows, cols, data: Float32Array.from(data) })
const centred = (values: Float64Array) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

interface Factors {
  readonly p1: FactorParameters
  readonly p2: FactorParameters
}

/** Runs one pass on the GPU; gradients of ½‖E‖². */
async function gpuGradients(
  problem: OracleProblem,
  parameters: OracleParameters,
  { p1, p2 }: Factors = { p1: { form: 'inverse', p: parameters.p1 }, p2: { form: 'inverse', p: parameters.p2 } },
) {
  const { gpu, arena, recorder } = t
  const config: QuantConfig = { weight: problem.weight, activation: problem.activation }
  const state = uploadState(gpu, arena, {
    theta: Float32Array.from(parameters.theta),
    p1,
    p2,
    activationClip: config.activation && Float32Array.from(parameters.activationClip),
    weightClip: config.weight && Float32Array.from(parameters.weightClip),
  })
  const forward = forwardPass(
    recorder,
    arena,
    {
      weight: uploadMatrix(gpu, arena, toMatrix(problem.w), 'w'),
      calibration: uploadMatrix(gpu, arena, toMatrix(problem.x), 'x'),
      reference: uploadMatrix(gpu, arena, toMatrix(problem.y), 'y'),
      config,
    },
    state,
  )
  const gradients = backwardPass(recorder, arena, forward, state)
  recorder.submit()
  const sums = await readFloats(gpu, forward.energySums, 64)
  return { energy: sums.reduce((total, value) => total + value, 0), gradients }
}

async function expectGradients(found: FlatQuantGradients, expected: OracleParameters, factor: number) {
  for (const [name, values] of namedGradients({ ...expected, theta: centred(expected.theta) })) {
    const gradients = found[name as keyof FlatQuantGradients]
    const buffer = Array.isArray(gradients) ? gradients[0] : gradients
    if (buffer === null) {
      expect(values.every((value) => value === 0)).toBe(true)
      continue
    }
    const gradient = (await readFloats(t.gpu, buffer, values.length)).map((value) => factor * value)
    expect(relativeError(gradient, values), name).toBeLessThan(GRADIENT_TOLERANCE)
  }
}

test('loss and gradients of W4A4 equal the recorded ones', async () => {
  const { problem, parameters } = recordedProblem()
  const { energy, gradients } = await gpuGradients(problem, parameters)
  const referenceEnergy = problem.y.data.reduce((sum, value) => sum + value * value, 0)
  const recorded = recordedGradients('sat')
  expect(energy / referenceEnergy / recorded.loss).toBeCloseTo(1, 5)
  await expectGradients(gradients, recorded.gradients, 2 / referenceEnergy)
})

test('loss and gradients of the svd form equal the recorded ones', async () => {
  const { problem, parameters, p1, p2, loss, gradients: expected } = recordedSvd()
  const { energy, gradients } = await gpuGradients(problem, parameters, { p1: p1.factor, p2: p2.factor })
  const referenceEnergy = problem.y.data.reduce((sum, value) => sum + value * value, 0)
  expect(energy / referenceEnergy / loss).toBeCloseTo(1, 5)
  const { theta, activationClip, weightClip } = gradients
  const pairs: [string, GPUBuffer | null, Float64Array][] = [
    ['theta', theta, centred(expected.theta)],
    ['activation clip', activationClip, expected.activationClip],
    ['weight clip', weightClip, expected.weightClip],
    ...[p1, p2].flatMap((factor, index) =>
      factor.gradients.map((values, part): [string, GPUBuffer, Float64Array] => [
        `P${index + 1}: ${['theta of U', 'sigma', 'theta of V'][part]}`,
        (index === 0 ? gradients.p1 : gradients.p2)[part],
        values,
      ]),
    ),
  ]
  for (const [name, buffer, values] of pairs) {
    if (!buffer) throw new Error(`no gradient of ${name}`)
    const found = (await readFloats(t.gpu, buffer, values.length)).map((value) => (2 * value) / referenceEnergy)
    expect(relativeError(found, values), name).toBeLessThan(GRADIENT_TOLERANCE)
  }
})

/** Seven and a half codes: one rounding of the transformed value decides which code the largest element gets. */
const MAXIMUM_ON_A_TIE = 'INT4 sym-half'
const fp4 = recordedQuantizer
const fp8: Quantizer = { ...fp4, format: mxfp8E4m3 }
const preScaled: Quantizer = { ...fp4, preScale: { factor: 0.75, variant: 'exact' } }

test.each<[string, QuantConfig]>([
  ['W4A8', { weight: fp4, activation: fp8 }],
  ['W4A16', { weight: fp4, activation: null }],
  ['W16A4', { weight: null, activation: fp4 }],
  ['W4A8 pre-scaled', { weight: preScaled, activation: fp8 }],
  ['W4A16 pre-scaled', { weight: preScaled, activation: null }],
  ...QUANTIZERS.filter(([name]) => name !== MAXIMUM_ON_A_TIE).map(([name, quantizer]): [string, QuantConfig] => [
    name,
    { weight: quantizer, activation: quantizer },
  ]),
])('loss and gradients of %s equal the float64 oracle', async (_, config) => {
  const { problem, parameters } = recordedProblem(config)
  const rule = (quantizer: Quantizer | null) => (quantizer ? straightThroughRule(quantizer) : 'pass')
  const expected = flatquantOracle(problem, parameters, {
    weight: rule(config.weight),
    activation: rule(config.activation),
  })
  const { energy, gradients } = await gpuGradients(problem, parameters)
  expect(energy / expected.energy).toBeCloseTo(1, 4)
  await expectGradients(gradients, expected.gradients, 1)
})

test.each([
  ['90 channels, 9 x 10: factors without vec4 rows, a short last block', 9, 10],
  ['7 channels, 1 x 7: a dense factor', 1, 7],
])('loss and gradients equal the float64 oracle for %s', async (_, a, b) => {
  const random = createRandom(3)
  const table = (rows: number, cols: number, gain: number): Table => ({
    rows,
    cols,
    data: Float64Array.from({ length: rows * cols }, () => Math.fround(gain * random.normal())),
  })
  const [tokens, out] = [13, 5]
  const x = table(tokens, a * b, 1)
  const w = table(out, a * b, 1)
  const y = multiply(x, transposed(w))
  const problem: OracleProblem = { x, w, y, weight: fp4, activation: fp4 }
  const nearIdentity = (size: number): Table => {
    const noise = table(size, size, 0.1)
    return { ...noise, data: noise.data.map((value, i) => value + Number(i % (size + 1) === 0)) }
  }
  const parameters: OracleParameters = {
    theta: table(1, a * b, 0.2).data,
    p1: nearIdentity(a),
    p2: nearIdentity(b),
    activationClip: Float64Array.of(1, 1.5),
    weightClip: table(out, 2, 1).data,
  }
  const expected = flatquantOracle(problem, parameters, { weight: 'saturation', activation: 'saturation' })
  const { energy, gradients } = await gpuGradients(problem, parameters)
  expect(energy / expected.energy).toBeCloseTo(1, 4)
  await expectGradients(gradients, expected.gradients, 1)
})
