import { expect, test } from 'vitest'
import { byteAside, byteAt, grouped, hexByte, quoted, shapeText, sizeText } from '../../src/io/number-text'

test('numbers are grouped by threes, whatever the locale', () => {
  expect([0, 999, 1000, 50_007, -1234567].map(grouped)).toEqual(['0', '999', '1,000', '50,007', '−1,234,567'])
  expect(grouped(2n ** 64n)).toBe('18,446,744,073,709,551,616')
})

test('offsets are decimal and, from 16 on, hexadecimal', () => {
  expect([0, 15, 16, 20_480].map(byteAt)).toEqual(['byte 0', 'byte 15', 'byte 16 (0x10)', 'byte 20,480 (0x5000)'])
  expect([9, 16].map(byteAside)).toEqual(['(byte 9)', '(byte 16, 0x10)'])
  expect([0, 0x7b].map(hexByte)).toEqual(['0x00', '0x7B'])
})

test('sizes have three significant digits, small ones are exact', () => {
  const sizes = [0, 1, 9_999, 10_000, 99_940, 99_950, 123_456, 999_499, 999_500, 12_000_000, 9_059_704_336, 1.5e18]
  expect(sizes.map(sizeText)).toEqual([
    '0 bytes',
    '1 byte',
    '9,999 bytes',
    '10.0 kB',
    '99.9 kB',
    '100 kB',
    '123 kB',
    '999 kB',
    '1.00 MB',
    '12.0 MB',
    '9.06 GB',
    '1500 PB',
  ])
})

test('names are quoted, escaped and cut', () => {
  expect(quoted('a"b\n')).toBe('"a\\"b\\n"')
  expect(quoted('n'.repeat(161))).toBe(`"${'n'.repeat(160)}…"`)
  expect(shapeText([4096, 7])).toBe('[4096, 7]')
})
