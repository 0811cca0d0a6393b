import { expect, test } from 'vitest'
import { createRandom, randomSigns } from '../../src/core/random'
import { goldenText } from '../support/gpu'

const recorded: Record<string, { u32: number[]; signs16: number[] }> = JSON.parse(
  goldenText('transform/transforms.json'),
).rng

test.each(Object.entries(recorded))('seed %s gives the recorded words and signs', (seed, { u32, signs16 }) => {
  const random = createRandom(Number(seed))
  expect(u32.map(() => random.uint32())).toEqual(u32)
  expect([...randomSigns(16, Number(seed))]).toEqual(signs16)
})

test('normal values have mean 0, variance 1 and fourth moment 3', () => {
  const random = createRandom(2)
  const n = 40_000
  const values = Array.from({ length: n }, () => random.normal())
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / n
  // Five standard errors: the variances of x, x² and x⁴ are 1, 2 and 96.
  expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n))
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n))
})

test('uniform values stay strictly between 0 and 1', () => {
  const random = createRandom(3)
  const values = Array.from({ length: 1000 }, () => random.uniform())
  expect(Math.min(...values)).toBeGreaterThan(0)
  expect(Math.max(...values)).toBeLessThan(1)
})
