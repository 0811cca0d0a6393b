import { expect, test } from 'vitest'
import { tensorStats } from '../../src/cli/tensor-stats'
import { createRandom } from '../../src/core/random'
import type { DecodableDtype } from '../../src/io/tensor-view'

function statsOf(bytes: ArrayBuffer, dtype: DecodableDtype) {
  const source = { name: 'x', byteLength: bytes.byteLength, slice: async (a: number, b: number) => bytes.slice(a, b) }
  const shape = [bytes.byteLength / { F64: 8, F32: 4, F16: 2, BF16: 2 }[dtype]]
  return tensorStats(source, { name: 'x', dtype, shape, byteOffset: 0, byteLength: bytes.byteLength }, 800)
}

test('agrees with the two-pass definitions over several slices', async () => {
  const random = createRandom(1)
  // Slices of 100 that differ from one another, and a mean that plain power sums would drown in.
  const values = Float64Array.from({ length: 1050 }, (_, i) => 1000 + random.uniform() ** 3 + (i > 900 ? 1 : i / 2000))
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const moment = (p: number) => values.reduce((sum, x) => sum + (x - mean) ** p, 0) / values.length
  const stats = await statsOf(values.buffer, 'F64')
  expect(stats.kurtosis).toBeCloseTo(moment(4) / moment(2) ** 2, 8)
  expect(stats.minimum).toBe(values.reduce((a, b) => Math.min(a, b)))
  expect(stats.maximum).toBe(values.reduce((a, b) => Math.max(a, b)))
})

test('leaves non-finite elements out and counts them', async () => {
  const values = Float32Array.of(1, Number.NaN, -3, Number.POSITIVE_INFINITY, 2)
  expect(await statsOf(values.buffer, 'F32')).toMatchObject({ minimum: -3, maximum: 2, nonFiniteCount: 2 })
  const none = Float32Array.of(Number.NaN)
  expect(await statsOf(none.buffer, 'F32')).toEqual({ minimum: null, maximum: null, kurtosis: null, nonFiniteCount: 1 })
  expect((await statsOf(Float32Array.of(5, 5).buffer, 'F32')).kurtosis).toBeNull()
})

test('reads 16-bit encodings exactly', async () => {
  // 1.5, −2^-24 (smallest subnormal), 65504 (largest), Infinity, NaN
  const half = Uint16Array.of(0x3e00, 0x8001, 0x7bff, 0x7c00, 0x7e00)
  expect(await statsOf(half.buffer, 'F16')).toMatchObject({ minimum: -(2 ** -24), maximum: 65504, nonFiniteCount: 2 })
  // 1, −2.5, NaN
  const brain = Uint16Array.of(0x3f80, 0xc020, 0x7fc0)
  expect(await statsOf(brain.buffer, 'BF16')).toMatchObject({ minimum: -2.5, maximum: 1, nonFiniteCount: 1 })
})
