import { expect, test } from 'vitest'
import { readNonFinite, type WidenableDtype, widen } from '../../src/gpu/kernels/widen'
import { readFloats, readMatrix } from '../../src/gpu/transfer'
import { comparableBits } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { parseFloats } from '../support/safetensors-bytes'

const t = gpuFixture()

/** Uploads bytes as they stand, the last word filled up. */
function upload(bytes: Uint8Array): GPUBuffer {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4)
  padded.set(bytes)
  const buffer = t.arena.buffer(padded.length, 'raw')
  t.gpu.device.queue.writeBuffer(buffer, 0, padded)
  return buffer
}

async function widened(dtype: WidenableDtype, bytes: Uint8Array, rows: number, cols: number) {
  const { matrix, nonFinite } = widen(t.recorder, t.arena, upload(bytes), { dtype, rows, cols })
  t.recorder.submit()
  return { matrix, counts: await readNonFinite(t.gpu, nonFinite) }
}

const allHalves = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer)

test.each(['F16', 'BF16'] as const)('all 65,536 %s patterns widen exactly', async (dtype) => {
  const { matrix, counts } = await widened(dtype, allHalves, 256, 256)
  const { data } = await readMatrix(t.gpu, matrix)
  const expected = parseFloats(dtype, allHalves)
  expect(comparableBits(data)).toEqual(comparableBits(expected))
  const is = (test: (value: number) => boolean) => expected.filter(test).length
  expect(counts).toEqual({
    nan: is(Number.isNaN),
    positiveInfinity: is((value) => value === Infinity),
    negativeInfinity: is((value) => value === -Infinity),
    firstIndex: expected.findIndex((value) => !Number.isFinite(value)),
  })
  expect(counts.nan).toBe(dtype === 'F16' ? 2 * 1023 : 2 * 127)
})

test('F32 bits pass through unchanged, and the first non-finite element is named', async () => {
  const words = Uint32Array.of(1, 0x007fffff, 0x80000001, 0x3f800000, 0xff800000, 0x7fc00000)
  const { matrix, counts } = await widened('F32', new Uint8Array(words.buffer), 2, 3)
  const { data } = await readMatrix(t.gpu, matrix)
  expect(comparableBits(data)).toEqual(words)
  expect(counts).toEqual({ nan: 1, positiveInfinity: 0, negativeInfinity: 1, firstIndex: 4 })
})

test('rows of odd length that end on a half word come back with zero padding', async () => {
  const values = Float32Array.from({ length: 15 }, (_, i) => (i - 7) / 4)
  const halves = Uint16Array.from(new Uint32Array(values.buffer), (word) => word >>> 16)
  const { matrix, counts } = await widened('BF16', new Uint8Array(halves.buffer), 3, 5)
  const padded = await readFloats(t.gpu, matrix.buffer, 3 * matrix.stride)
  const expected = new Float32Array(3 * 32)
  for (let row = 0; row < 3; row++) expected.set(values.subarray(5 * row, 5 * row + 5), 32 * row)
  expect(padded).toEqual(expected)
  expect(counts).toEqual({ nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null })
})
