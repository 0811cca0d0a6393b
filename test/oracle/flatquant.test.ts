import { expect, test } from 'vitest'
import type { MxQuantizer } from '../../src/formats/number-format'
import { straightThroughRule } from '../../src/gpu/kernels/straight-through'
import {
  namedGradients,
  QUANTIZERS,
  quantizerCalled,
  recordedGradients,
  recordedProblem,
  recordedQuantizer,
  relativeError,
} from '../support/flatquant'
import { flatquantOracle, type OracleParameters, smoothObjective } from './flatquant'

/** Rounding of float64 sums of a few thousand terms, with the cancellation of a gradient. */
const FLOAT64_TOLERANCE = 1e-10

test.each([
  ['pass', 'pass'],
  ['sat', 'saturation'],
] as const)('the oracle gives the recorded loss and gradients under %s', (name, rule) => {
  const { problem, parameters } = recordedProblem()
  const result = flatquantOracle(problem, parameters, { weight: rule, activation: rule })
  const { loss, gradients } = recordedGradients(name)
  expect(result.energy / result.referenceEnergy).toBeCloseTo(loss, 12)
  const expected = new Map(namedGradients(gradients))
  for (const [parameter, values] of namedGradients(result.gradients)) {
    const ofLoss = values.map((value) => (2 * value) / result.referenceEnergy)
    expect(relativeError(ofLoss, expected.get(parameter) ?? []), parameter).toBeLessThan(FLOAT64_TOLERANCE)
  }
})

/** Central differences of the objective whose gradient the straight-through rule is, parameter by parameter. */
function differences(objective: (parameters: OracleParameters) => number, base: OracleParameters, step: number) {
  const moved = (name: string, index: number, by: number): OracleParameters => {
    const nudged = (values: Float64Array) => values.map((value, i) => value + (i === index ? by : 0))
    if (name === 'p1' || name === 'p2') return { ...base, [name]: { ...base[name], data: nudged(base[name].data) } }
    return { ...base, [name]: nudged(base[name as 'theta' | 'activationClip' | 'weightClip']) }
  }
  return namedGradients(base).map(([name, values]) => {
    const slope = (_: number, index: number) =>
      (objective(moved(name, index, step)) - objective(moved(name, index, -step))) / (2 * step)
    return [name, values.map(slope)] as const
  })
}

/**
 * The objective is smooth up to a kink where two elements change places as a block's largest: with steps of 1e-6 the
 * differences are off by about 1e-12 / 1e-6 for float64 and by the square of the step.
 */
const DIFFERENCE_STEP = 1e-6
const DIFFERENCE_TOLERANCE = 1e-5

/** One of each way a rounded value depends on its block. */
const differentiated = [
  'MXFP4 floor',
  'MXFP4 rceil',
  'MXFP4 best',
  'MXFP4 times 0.9',
  'MXFP4 rceil, times 0.6 before the scale',
  'NVFP4 four over six',
  'INT4',
  'INT4 asym',
  'INT4 asym in groups of 64',
  'FP16',
].map((name) => [name, quantizerCalled(name)] as const)

test.each(differentiated)('gradients under %s equal finite differences of what they differentiate', (_, quantizer) => {
  const config = { weight: quantizer, activation: quantizer }
  const { problem, parameters } = recordedProblem(config)
  const rule = straightThroughRule(quantizer)
  const rules = { weight: rule, activation: rule }
  const { gradients } = flatquantOracle(problem, parameters, rules)
  const found = new Map(namedGradients(gradients))
  const slopes = differences(smoothObjective(problem, parameters, rules), parameters, DIFFERENCE_STEP)
  for (const [name, expected] of slopes) {
    expect(relativeError(found.get(name) ?? [], expected), name).toBeLessThan(DIFFERENCE_TOLERANCE)
  }
})

const followingMaximum = QUANTIZERS.filter(([, quantizer]) => straightThroughRule(quantizer) === 'scale')

test.each(followingMaximum)(
  '%s is homogeneous: a common factor of the channel scale has no gradient',
  (_, quantizer) => {
    const { problem, parameters } = recordedProblem({ weight: quantizer, activation: null })
    const { gradients } = flatquantOracle(problem, parameters, { weight: 'scale', activation: 'scale' })
    const sum = gradients.theta.reduce((total, value) => total + value, 0)
    const size = gradients.theta.reduce((total, value) => total + Math.abs(value), 0)
    expect(Math.abs(sum)).toBeLessThan(FLOAT64_TOLERANCE * size)
  },
)

test('what can saturate follows the saturation rule, what cannot the scale', () => {
  const of = (change: Partial<MxQuantizer>) => straightThroughRule({ ...recordedQuantizer, ...change })
  const rules = (['floor', 'even', 'best', 'rceil', 'ceil', 'fp32'] as const).map((scaleRule) => of({ scaleRule }))
  expect(rules).toEqual(['saturation', 'saturation', 'saturation', 'scale', 'scale', 'scale'])
  expect(of({ preScale: { factor: 0.75, variant: 'exact' } })).toBe('scale')
  expect(of({ preScale: { factor: 0.76, variant: 'exact' } })).toBe('saturation')
  expect(of({ preScale: { factor: 0.85, variant: 'exact' }, scaleRule: 'even' })).toBe('scale')
  expect(of({ preScale: { factor: 0.86, variant: 'exact' }, scaleRule: 'even' })).toBe('saturation')
  expect(of({ preScale: { factor: 0.75, variant: 'literal' } })).toBe('saturation')
  const others = ['NVFP4', 'INT4', 'INT4 asym', 'BF16'].map((name) => straightThroughRule(quantizerCalled(name)))
  expect(others).toEqual(['scale', 'scale', 'scale', 'saturation'])
})
