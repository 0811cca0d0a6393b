import { expect, it } from 'vitest'
import {
  formatBits,
  formatCount,
  formatDecibelDifference,
  formatDecibels,
  formatKurtosis,
  formatMagnitude,
  formatPercent,
  formatRelativeError,
  formatSeconds,
  shownDifference,
} from '../../src/figures/format-number'

it('writes decibels with one decimal and a true minus sign', () => {
  expect([14.849, 0, -0.04, -1.25, 120].map(formatDecibels)).toEqual(['14.8', '0.0', '0.0', '−1.3', '120.0'])
  expect(formatDecibels(Number.POSITIVE_INFINITY)).toBe('∞')
  expect(formatDecibels(Number.NaN)).toBe('–')
})

it('always shows the sign of a difference, except of none', () => {
  expect([1.84, -1.3, 0.04, 0, -0.04].map(formatDecibelDifference)).toEqual(['+1.8', '−1.3', '0.0', '0.0', '0.0'])
})

it('takes differences from the decibels on screen, and none where a product is exact', () => {
  // 22.551 and 22.049 are 0.502 apart, but a reader sees 22.6 and 22.0.
  expect(shownDifference(22.551, 22.049)).toBe(0.6)
  expect(shownDifference(14.04, 14.01)).toBe(0)
  expect(shownDifference(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)).toBeNull()
  expect(shownDifference(130, Number.POSITIVE_INFINITY)).toBeNull()
})

it('writes relative errors with four decimals, tiny ones with two digits, never with an exponent', () => {
  expect([0.19637, 1.5, 0, 0.00052, 0.0000001].map(formatRelativeError)).toEqual([
    '0.1964',
    '1.5000',
    '0.0000',
    '0.00052',
    '0.00000010',
  ])
})

it('writes percentages with two significant digits and never "1e1"', () => {
  expect([31.24, 9.84, 0.1234, 0, 10, 99.4, 100, 99.96].map(formatPercent)).toEqual([
    '31 %',
    '9.8 %',
    '0.12 %',
    '0 %',
    '10 %',
    '99 %',
    '100 %',
    '100 %',
  ])
})

it('writes magnitudes with three significant digits and whole thousands', () => {
  expect([38.123, 0.01234, 1, -4.5, 124567.8].map(formatMagnitude)).toEqual([
    '38.1',
    '0.0123',
    '1.00',
    '−4.50',
    '124,568',
  ])
})

it('writes counts, kurtosis, bits and seconds', () => {
  expect(formatCount(1048576)).toBe('1,048,576')
  expect([3.0912, 212.4].map(formatKurtosis)).toEqual(['3.1', '212'])
  expect(formatBits(4.25)).toBe('4.25')
  expect([420, 74_321].map(formatSeconds)).toEqual(['0.42 s', '74 s'])
})
