import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { tensorStatistics } from '../../src/experiment/tensor-statistics'
import type { Gpu } from '../../src/gpu/device'
import { blobSource } from '../../src/io/byte-source'
import { readTensors } from '../../src/io/read-tensors'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { gpuFixture } from '../support/gpu'

const state = gpuFixture()
const signal = new AbortController().signal

async function sourceOf(values: Float32Array, shape: readonly number[]) {
  const bytes = new Uint8Array(values.buffer)
  const source = blobSource('t.safetensors', new Blob([writeSafetensors([{ name: 't', dtype: 'F32', shape, bytes }])]))
  const [tensor] = (await readTensors(source)).tensors
  return { source, tensor }
}

/** The definitions, in float64 over finite elements. */
function oracle(values: Float32Array, cols: number) {
  const finite = Array.from(values).filter(Number.isFinite)
  const count = finite.length
  const mean = finite.reduce((sum, x) => sum + x, 0) / count
  const power = (q: number) => finite.reduce((sum, x) => sum + (x - mean) ** q, 0)
  const channelMax = new Float32Array(cols)
  values.forEach((x, i) => {
    if (Number.isFinite(x)) channelMax[i % cols] = Math.max(channelMax[i % cols], Math.abs(x))
  })
  return {
    minimum: Math.min(...finite),
    maximum: Math.max(...finite),
    mean,
    standardDeviation: Math.sqrt(power(2) / count),
    kurtosis: (count * power(4)) / power(2) ** 2,
    channelMax,
  }
}

function heavy(rows: number, cols: number, offset: number): Float32Array {
  const random = createRandom(11)
  return Float32Array.from({ length: rows * cols }, () => offset + random.normal() ** 3)
}

/** The device with so small a binding that a tensor takes several pieces. */
const small = (gpu: Gpu, maxBindingBytes: number): Gpu => ({ ...gpu, adapter: { ...gpu.adapter, maxBindingBytes } })

test.each([
  ['one piece', 300, 70, 0, 1e9],
  ['pieces with a short last one', 300, 70, 5, 20_000],
  ['a row per piece', 5, 33, -2, 1],
  ['a vector', 1, 1000, 1, 1e9],
])('%s: as the definitions say', async (_, rows, cols, offset, limit) => {
  const { gpu } = state
  const values = heavy(rows, cols, offset)
  const expected = oracle(values, cols)
  const found = await tensorStatistics(await sourceOf(values, [rows, cols]), { gpu: small(gpu, limit), signal })
  expect(found).toMatchObject({ minimum: expected.minimum, maximum: expected.maximum, elements: rows * cols })
  expect(found.channelMax).toEqual(expected.channelMax)
  for (const key of ['mean', 'standardDeviation', 'kurtosis'] as const) {
    expect(Math.abs((found[key] ?? 0) - expected[key])).toBeLessThan(1e-5 * (Math.abs(expected[key]) + 0.1))
  }
})

test('elements that are not finite are counted, found and left out', async () => {
  const { gpu } = state
  const values = heavy(200, 48, 3) // all positive or not, away from the zero that stands for what is left out
  values[48 * 77 + 5] = Number.NaN
  values[48 * 150 + 6] = Number.POSITIVE_INFINITY
  values[48 * 199] = Number.NEGATIVE_INFINITY
  const expected = oracle(values, 48)
  const found = await tensorStatistics(await sourceOf(values, [200, 48]), { gpu: small(gpu, 10_000), signal })
  expect(found.nonFinite).toEqual({ nan: 1, positiveInfinity: 1, negativeInfinity: 1, firstIndex: 48 * 77 + 5 })
  expect([found.minimum, found.maximum]).toEqual([expected.minimum, expected.maximum])
  expect(found.channelMax).toEqual(expected.channelMax)
  for (const key of ['mean', 'standardDeviation', 'kurtosis'] as const) {
    expect(Math.abs((found[key] ?? 0) / expected[key] - 1)).toBeLessThan(1e-5)
  }
})

test('an extreme may be the only finite element, negative, or zero', async () => {
  const { gpu } = state
  const nan = Number.NaN
  const of = async (values: readonly number[]) =>
    tensorStatistics(await sourceOf(Float32Array.from(values), [1, values.length]), { gpu, signal })
  expect(await of([nan, -3, nan])).toMatchObject({ minimum: -3, maximum: -3, mean: -3, kurtosis: null })
  expect(await of([nan, nan])).toMatchObject({ minimum: null, maximum: null, mean: null, kurtosis: null })
  expect(await of([-2, -5])).toMatchObject({ minimum: -5, maximum: -2 })
  expect(await of([0, 0, 0])).toMatchObject({ minimum: 0, maximum: 0, standardDeviation: 0, kurtosis: null })
})

test('a cancelled request ends', async () => {
  const { gpu } = state
  const controller = new AbortController()
  controller.abort()
  const from = await sourceOf(heavy(4, 32, 0), [4, 32])
  await expect(tensorStatistics(from, { gpu, signal: controller.signal })).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }),
  )
})
