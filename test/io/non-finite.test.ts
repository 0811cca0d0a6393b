import { expect, test } from 'vitest'
import { checkFinite, describeNonFinite } from '../../src/io/non-finite'
import type { TensorView } from '../../src/io/tensor-view'

const view: TensorView = { name: 'w', dtype: 'BF16', shape: [4096, 4096], byteOffset: 1000, byteLength: 2 * 4096 ** 2 }
const ADVICE = 'Nothing can be calibrated on it; choose another tensor or mend the file.'

test('counts each kind and locates the first by row, column and byte of the file', () => {
  const counts = { nan: 2, positiveInfinity: 1, negativeInfinity: 0, firstIndex: 12 * 4096 + 77 }
  // 1000 + 2 (12 · 4096 + 77) = 99,458
  expect(describeNonFinite(view, counts)).toBe(
    `tensor "w": 3 of 16,777,216 elements are not finite (2 NaN, 1 +Inf), first at row 12, column 77 (byte 99,458, 0x18482). ${ADVICE}`,
  )
})

test('a single element reads naturally, negative infinity has its own sign', () => {
  const counts = { nan: 0, positiveInfinity: 0, negativeInfinity: 1, firstIndex: 0 }
  expect(describeNonFinite(view, counts)).toContain(
    '1 of 16,777,216 elements is not finite (1 −Inf), first at row 0, column 0',
  )
})

test('rows of a part are counted from the start of the tensor, leading axes folded', () => {
  const folded: TensorView = { ...view, dtype: 'F32', shape: [2, 8, 10] }
  const counts = { nan: 1, positiveInfinity: 0, negativeInfinity: 0, firstIndex: 13 }
  expect(describeNonFinite(folded, counts, { startRow: 9, count: 40 })).toBe(
    `tensor "w": 1 of 40 elements is not finite (1 NaN), first at row 10, column 3 (byte 1,412, 0x584). ${ADVICE}`,
  )
})

test('finite tensors pass, others are refused with TS-04', () => {
  const none = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null }
  expect(describeNonFinite(view, none)).toBe(null)
  expect(() => checkFinite(view, none)).not.toThrow()
  expect(() => checkFinite(view, { ...none, nan: 1, firstIndex: 5 })).toThrow(
    expect.objectContaining({ name: 'InputError', code: 'TS-04' }),
  )
})
