import { describe, expect, test } from 'vitest'
import { logicalTensors } from '../../../src/io/packing/recognise'
import { readRows } from '../../../src/io/read-values'
import { recordingSource } from '../recording-source'
import { type Listed, views } from './listed'

/** Bytes of every part in the order of the list. */
function sourceOf(parts: readonly (readonly number[] | Uint8Array)[]) {
  return recordingSource(Uint8Array.from(parts.flatMap((part) => [...part])))
}
const bytesOf = (array: { readonly buffer: ArrayBufferLike }) => new Uint8Array(array.buffer)

describe('contents that contradict each other are found when they are read', () => {
  const listed: Listed[] = [
    ['w_packed', 'I32', [1, 1]],
    ['w_scale', 'F32', [1, 2]],
    ['w_g_idx', 'I32', [8]],
    ['w_shape', 'I64', [2]],
  ]
  const read = (groups: readonly number[], shape: readonly bigint[]) => {
    const [view] = logicalTensors(views(listed)).tensors
    const codes = bytesOf(Uint32Array.of(0x76543210))
    const source = sourceOf([
      codes,
      bytesOf(Float32Array.of(1, 100)),
      bytesOf(Int32Array.from(groups)),
      bytesOf(BigInt64Array.from(shape)),
    ])
    return readRows(() => source, view, { start: 0, end: 1 }).then((values) => [...values])
  }

  test('columns go to the groups they name, or in order where they name none', async () => {
    expect(await read([1, 0, 0, 0, 0, 0, 0, 1], [1n, 8n])).toEqual([-800, -7, -6, -5, -4, -3, -2, -100])
    expect(await read(Array(8).fill(-1), [1n, 8n])).toEqual([-8, -7, -6, -5, -400, -300, -200, -100])
  })

  test('another shape, another group', async () => {
    const shape = 'tensor "w_shape": expected [1, 8] at 4 bits per element, found [1, 4].'
    await expect(read(Array(8).fill(0), [1n, 4n])).rejects.toMatchObject({ code: 'PK-04', message: shape })
    const group = 'tensor "w_g_idx": expected groups from 0 to 1 for the 8 columns, found 2 at column 1.'
    await expect(read([0, 2, 0, 0, 0, 0, 0, 0], [1n, 8n])).rejects.toMatchObject({ code: 'PK-04', message: group })
  })
})

test('zero points of integers are subtracted: packed down the rows, or one byte each', async () => {
  const rows = 9
  const [packed] = logicalTensors(
    views([
      ['w_packed', 'I32', [rows, 1]],
      ['w_scale', 'F32', [rows, 1]],
      ['w_zero_point', 'I32', [2, 1]],
    ]),
  ).tensors
  const ones = Array.from({ length: rows }, () => 1)
  const source = sourceOf([
    bytesOf(Uint32Array.from(ones, () => 0x88888888)),
    bytesOf(Float32Array.from(ones)),
    bytesOf(Uint32Array.of(0x76543210, 0xf)),
  ])
  const values = await readRows(() => source, packed, { start: 0, end: rows })
  // q = 0 in every place; row r has zero point r − 8, the ninth 7.
  const first = Array.from({ length: rows }, (_, row) => values[8 * row])
  expect(first).toEqual([8, 7, 6, 5, 4, 3, 2, 1, -7])
  expect([...(await readRows(() => source, packed, { start: 8, end: 9 }))]).toEqual(Array(8).fill(-7))

  const [bytes] = logicalTensors(
    views([
      ['w', 'I8', [2, 2]],
      ['w_scale', 'F32', [2, 1]],
      ['w_zero_point', 'I8', [2, 1]],
    ]),
  ).tensors
  const small = sourceOf(
    [Int8Array.of(-128, 127, 3, 4), bytesOf(Float32Array.of(0.5, 2)), Int8Array.of(-128, 1)].map(bytesOf),
  )
  expect([...(await readRows(() => small, bytes, { start: 0, end: 2 }))]).toEqual([0, 127.5, 4, 6])
})

test('tiles of FP8 scales reach to the edge, from any row on', async () => {
  const [rows, cols] = [130, 129]
  const [view] = logicalTensors(
    views([
      ['w', 'F8_E4M3', [rows, cols]],
      ['w_scale_inv', 'F32', [2, 2]],
    ]),
  ).tensors
  const source = sourceOf([new Uint8Array(rows * cols).fill(0x38), bytesOf(Float32Array.of(1, 2, 3, 4))])
  const values = await readRows(() => source, view, { start: 127, end: 130 })
  const at = (row: number, col: number) => values[(row - 127) * cols + col]
  source.reads.length = 0
  await readRows(() => source, view, { start: 128, end: 129 })
  // One row of codes and the scales of its tiles.
  const scalesAt = rows * cols
  expect(source.reads).toEqual([
    [128 * cols, 129 * cols],
    [scalesAt + 8, scalesAt + 16],
  ])
  expect([at(127, 127), at(127, 128), at(128, 127), at(129, 128)]).toEqual([1, 2, 3, 4])
})
