import { expect, test } from 'vitest'
import { decodeScaleCounts, scaleHistogram } from '../../src/gpu/kernels/scale-histogram'
import { readWords, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

/** Counts of a matrix under given bytes [rows, blocks]; the rest of each row of scales is junk that must not count. */
async function countsOf(rows: number, cols: number, blockSize: number, byteOf: (row: number, block: number) => number) {
  const blocks = Math.ceil(cols / blockSize)
  const scaleStride = 4 * Math.ceil(blocks / 4)
  const bytes = Uint8Array.from({ length: rows * scaleStride }, (_, i) => {
    const block = i % scaleStride
    return block < blocks ? byteOf(Math.floor(i / scaleStride), block) : 77
  })
  const data = Float32Array.from({ length: rows * cols }, (_, i) => {
    const byte = byteOf(Math.floor(i / cols), Math.floor((i % cols) / blockSize))
    // One subnormal in the last column of a block of byte 0 whose row is odd; zeros of either sign in even rows.
    if (byte !== 0) return 1
    const isLast = i % cols === cols - 1 || (i % cols) % blockSize === blockSize - 1
    return isLast && Math.floor(i / cols) % 2 === 1 ? -(2 ** -149) : -0
  })
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'matrix')
  const scales = uploadWords(t.gpu, t.arena, new Uint32Array(bytes.buffer), 'scales')
  const counts = scaleHistogram(t.recorder, t.arena, matrix, { scales, scaleStride, blockSize })
  t.recorder.submit()
  return decodeScaleCounts(await readWords(t.gpu, counts.counts, counts.words), counts)
}

test.each([
  [7, 96, 8],
  [5, 70, 32],
  [33, 200, 128],
  // More blocks than the threads of one workgroup take in one go, and than one of them holds.
  [600, 512, 8],
])('counts the scales of [%i, %i] in blocks of %i, short ones included', async (rows, cols, blockSize) => {
  const byteOf = (row: number, block: number) => [120, 0, 131, 255, 120, 119][(5 * row + block) % 6]
  const counts = await countsOf(rows, cols, blockSize, byteOf)
  const blocks = Math.ceil(cols / blockSize)
  const every = Array.from({ length: rows * blocks }, (_, i) => [Math.floor(i / blocks), i % blocks] as const)
  const countOf = (byte: number, parity?: number) =>
    every.filter(([row, block]) => byteOf(row, block) === byte && (parity === undefined || row % 2 === parity)).length
  // Byte 0 in an odd row has an element that is not zero: it counts as exponent −127.
  expect(counts.blocks).toBe(rows * blocks)
  expect(counts.zeroBlocks).toBe(countOf(0, 0))
  expect(counts.firstExponent).toBe(-127)
  expect(counts.counts).toHaveLength(132)
  expect(counts.counts.flatMap((count, index) => (count > 0 ? [[index, count]] : []))).toEqual(
    [0, 119, 120, 131].map((byte) => [byte, byte === 0 ? countOf(0, 1) : countOf(byte)]),
  )
})

test('the counts run from the smallest exponent that occurs to the largest', async () => {
  expect(await countsOf(2, 64, 32, (row) => 124 + 2 * row)).toEqual({
    firstExponent: -3,
    counts: [2, 0, 2],
    zeroBlocks: 0,
    blocks: 4,
  })
})

test('a matrix of zeros has no exponents', async () => {
  expect(await countsOf(1, 64, 32, () => 0)).toMatchObject({ counts: [], zeroBlocks: 2, blocks: 2 })
})
