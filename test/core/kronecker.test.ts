import { expect, test } from 'vitest'
import { kroneckerShape, kroneckerShapeWith } from '../../src/core/kronecker'
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

test('a left factor can be chosen among the divisors that leave both factors at most 2048', () => {
  expect(kroneckerShapeWith(96, 32)).toEqual({ a: 32, b: 3 })
  expect(kroneckerShapeWith(14336, 7)).toEqual({ a: 7, b: 2048 })
  expect(() => kroneckerShapeWith(14336, 4)).toThrow(/left factor of 7, 8, 14, .*, 1792, 2048 \(.*found 4/)
  expect(() => kroneckerShapeWith(96, 7)).toThrow(/of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96 \(.*found 7/)
  expect(() => kroneckerShapeWith(2053, 1)).toThrow('no size at all')
})
