import { expect, test } from 'vitest'
import { mxfp4 } from '../../src/formats/mxfp4'
import {
  namedGradients,
  recordedGradients,
  recordedProblem,
  recordedQuantizer,
  relativeError,
} from '../support/flatquant'
import { flatquantOracle } from './flatquant'

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

test('the scale rule is homogeneous: a common factor of the channel scale has no gradient', () => {
  const preScaled = { ...recordedQuantizer, format: mxfp4, preScale: 0.75 as const }
  const { problem, parameters } = recordedProblem({ weight: preScaled, activation: null })
  const { gradients } = flatquantOracle(problem, parameters, { weight: 'scale', activation: 'scale' })
  const sum = gradients.theta.reduce((total, value) => total + value, 0)
  const size = gradients.theta.reduce((total, value) => total + Math.abs(value), 0)
  expect(Math.abs(sum)).toBeLessThan(FLOAT64_TOLERANCE * size)
})
