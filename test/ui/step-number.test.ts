import { expect, it } from 'vitest'
import { stepNumber } from '../../src/ui/step-number'

const range = { min: -1, max: 2 }

it.each([
  ['0.1', 0.2, '0.3'],
  ['0.75', -0.01, '0.74'],
  ['1', 0.005, '1.005'],
  ['1.98', 0.05, '2'],
  ['-0.98', -0.05, '-1'],
  ['', 0.05, '0'],
  ['1e-3', 0.001, '0.002'],
  ['abc', 1, 'abc'],
])('from "%s" by %d to "%s"', (text, by, expected) => {
  expect(stepNumber(text, by, range)).toBe(expected)
})
