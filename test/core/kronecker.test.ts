import { expect, test } from 'vitest'
import { kroneckerShape } from '../../src/core/kronecker'
import { goldenText } from '../support/gpu'

const recorded: Record<string, { closest_divisors: [number, number] }> = JSON.parse(
  goldenText('transform/transforms.json'),
).decompose

test.each(Object.entries(recorded))('%s channels factor as recorded', (n, { closest_divisors: [a, b] }) => {
  expect(kroneckerShape(Number(n))).toEqual({ a, b })
})

test('a prime width is one dense factor up to 2048 and refused above', () => {
  expect(kroneckerShape(2039)).toEqual({ a: 1, b: 2039 })
  expect(() => kroneckerShape(2053)).toThrow(/factors of 2053 channels: .*prime above 2048/)
})

test('widths that are no positive whole number are refused', () => {
  expect(() => kroneckerShape(0)).toThrow('found 0')
  expect(() => kroneckerShape(2.5)).toThrow('found 2.5')
})
