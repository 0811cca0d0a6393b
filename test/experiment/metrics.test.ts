import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { operandErrors, outputErrors, zeroNotes } from '../../src/experiment/metrics'

function naiveNorm(values: number[]): number {
  return Math.hypot(...values)
}

test('agrees with the definitions on random vectors', () => {
  const random = createRandom(5)
  const y = Array.from({ length: 200 }, () => random.normal())
  const estimate = y.map((value) => 0.9 * value + 0.05 * random.normal())
  const difference = y.map((value, i) => estimate[i] - value)
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0)
  const errors = outputErrors(
    {
      errorEnergy: dot(difference, difference),
      referenceEnergy: dot(y, y),
      estimateEnergy: dot(estimate, estimate),
      inner: dot(y, estimate),
      maxAbsolute: Math.max(...difference.map(Math.abs)),
    },
    10,
  )
  const relative = naiveNorm(difference) / naiveNorm(y)
  expect(errors.outputRelativeError).toBeCloseTo(relative, 12)
  expect(errors.outputSqnrDb).toBeCloseTo(10 * Math.log10(naiveNorm(y) ** 2 / naiveNorm(difference) ** 2), 10)
  // The least-squares factor from Y to Ŷ.
  expect(
    dot(
      y,
      estimate.map((value, i) => value - errors.gain * y[i]),
    ),
  ).toBeCloseTo(0, 10)
  expect(errors.cosine).toBeCloseTo(dot(y, estimate) / (naiveNorm(y) * naiveNorm(estimate)), 12)
  expect(errors.maxAbsoluteError).toBe(Math.max(...difference.map(Math.abs)))
  expect(errors.tokens).toBe(10)
})

test('a tenth of the amplitude is 20 dB', () => {
  const sums = { errorEnergy: 4, referenceEnergy: 400, estimateEnergy: 400, inner: 400, maxAbsolute: 1 }
  expect(outputErrors(sums, 1).outputRelativeError).toBe(0.1)
  expect(outputErrors(sums, 1).outputSqnrDb).toBeCloseTo(20, 12)
})

test('an exact product has no error and an infinite SQNR; a zero reference leaves both undefined', () => {
  const exact = { errorEnergy: 0, referenceEnergy: 2, estimateEnergy: 2, inner: 2, maxAbsolute: 0 }
  expect(outputErrors(exact, 1)).toMatchObject({ outputRelativeError: 0, outputSqnrDb: Infinity, gain: 1 })
  const silent = { errorEnergy: 0, referenceEnergy: 0, estimateEnergy: 0, inner: 0, maxAbsolute: 0 }
  expect(outputErrors(silent, 1).outputRelativeError).toBeNaN()
  expect(outputErrors(silent, 1).gain).toBeNaN()
})

test('counts become percentages of all elements', () => {
  const sums = { signalEnergy: 1000, noiseEnergy: 1, clipped: 3, flushed: 50, count: 200 }
  expect(operandErrors(sums)).toEqual({ sqnrDb: 30, clippedPercent: 1.5, flushedPercent: 25 })
})

test('an operand of zeros has no SQNR, and a note; others have none', () => {
  const zeros = { signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: 200 }
  expect(operandErrors(zeros).sqnrDb).toBeNaN()
  expect(zeroNotes('W′', zeros)).toEqual(['W′ is zero everywhere, so its SQNR is undefined.'])
  expect([zeroNotes('W′', { ...zeros, signalEnergy: 1e-80 }), zeroNotes('W′', null)]).toEqual([[], []])
})
