import { expect, test } from 'vitest'
import { compareProducts, roundedProduct, roundedQuotient, roundedSum } from '../../src/formats/codec-exact'
import { fractionOf, oracleF32 } from '../oracle/codec'

const MAX_F32 = (2 - 2 ** -23) * 2 ** 127
const MIN_F32 = 2 ** -149

test('products that float64 cannot tell apart are told apart', () => {
  const a = 1 + 2 ** -23
  const factor = 0.75 + 2 ** -53
  expect(a * factor).toBe(a * factor * (1 - 2 ** -54))
  expect(compareProducts(a, factor, a * factor, 1)).toBe(Number(fractionSign(a, factor, a * factor)))
  expect(compareProducts(3, 0.75, 2.25, 1)).toBe(0)
  expect(compareProducts(3, 0.75 + 2 ** -53, 2.25, 1)).toBe(1)
  expect(compareProducts(3, 0.75 - 2 ** -53, 2.25, 1)).toBe(-1)
  expect(compareProducts(0, 1, 0, 5)).toBe(0)
  expect(compareProducts(MIN_F32, 1, 1, 2 ** -158)).toBe(1)
})

function fractionSign(a: number, b: number, c: number): bigint {
  const [x, y, z] = [a, b, c].map(fractionOf)
  const difference = x.n * y.n * z.d - z.n * x.d * y.d
  return difference > 0n ? 1n : difference < 0n ? -1n : 0n
}

test('a quotient just beside the middle of two f32 values is rounded once', () => {
  // n / d is 1.5 ulp of f32 above 1 and a little less, or more, than float64 can show
  const d = 1 - 2 ** -53
  const middle = 1 + 1.5 * 2 ** -23
  for (const n of [middle, 1 + 2 ** -24, 1 + 2.5 * 2 ** -23]) {
    const exact = fractionOf(n)
    const by = fractionOf(d)
    expect(roundedQuotient(n, d)).toBe(oracleF32({ n: exact.n * by.d, d: exact.d * by.n }))
  }
  // rounded twice, a tie to even would go down: 1 + 2^-24 over a little less than 1 is more than half-way
  expect(roundedQuotient(1 + 2 ** -24, d)).toBe(1 + 2 ** -23)
})

test('a product just beside the middle of two f32 values is rounded once', () => {
  const values = Array.from({ length: 2000 }, (_, i) => 1 + (i * 4099 + 1) * 2 ** -23)
  for (const factor of [0.7, 0.62, 0.99, 0.5 + 2 ** -53]) {
    for (const value of values) {
      const [x, y] = [fractionOf(value), fractionOf(factor)]
      expect(roundedProduct(value, factor)).toBe(oracleF32({ n: x.n * y.n, d: x.d * y.d }))
      expect(roundedProduct(-value, factor)).toBe(-roundedProduct(value, factor))
    }
  }
  // (1 + 3·2^-23)·(0.5 + 2^-53) is half-way and 2^-53 more
  expect(roundedProduct(2 ** -126 + 2 ** -149, 0.5 + 2 ** -53)).toBe(2 ** -127 + 2 ** -149)
  expect(roundedProduct(2 ** -126 + 2 ** -149, 0.5)).toBe(2 ** -127)
})

test('quotients overflow to infinity from half-way beyond the largest f32, and vanish below half the smallest', () => {
  expect(roundedQuotient(MAX_F32, 1 - 2 ** -26)).toBe(MAX_F32)
  expect(roundedQuotient(MAX_F32, 1 - 2 ** -24)).toBe(Infinity)
  expect(roundedQuotient(MAX_F32, 0.5)).toBe(Infinity)
  expect(roundedQuotient(MIN_F32, 2)).toBe(0)
  expect(roundedQuotient(MIN_F32, 2 - 2 ** -52)).toBe(MIN_F32)
  expect(roundedQuotient(0, 6)).toBe(0)
})

test('a sum keeps 24 bits, half to even, without a largest exponent', () => {
  expect(roundedSum(1, 2 ** -24)).toBe(1)
  expect(roundedSum(1 + 2 ** -23, 2 ** -24)).toBe(1 + 2 ** -22)
  expect(roundedSum(1, MIN_F32)).toBe(1)
  // the tie is broken by a bit float64 does not hold
  expect(roundedSum(1 + 2 ** -23, 2 ** -24 - 2 ** -48)).toBe(1 + 2 ** -23)
  expect(roundedSum(2 ** 30 + 2 ** 7, 64 - 2 ** -18)).toBe(2 ** 30 + 2 ** 7)
  expect(roundedSum(MAX_F32, MAX_F32)).toBe(2 * MAX_F32)
  expect(roundedSum(MAX_F32, MIN_F32)).toBe(MAX_F32)
  expect(roundedSum(MIN_F32, MIN_F32)).toBe(2 * MIN_F32)
})
