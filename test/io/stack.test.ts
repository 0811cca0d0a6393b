import { expect, test } from 'vitest'
import { readTensors } from '../../src/io/read-tensors'
import { readRows } from '../../src/io/read-values'
import { sliceOf, stackSize } from '../../src/io/stack'
import type { TensorView } from '../../src/io/tensor-view'
import { entry, fileOf, floats } from '../support/make-files'
import { recordingSource } from './recording-source'

async function open(members: readonly string[], data: Uint8Array) {
  const source = recordingSource(fileOf(`{${members.join(',')}}`, data))
  const [tensor] = (await readTensors(source)).tensors
  return { source, tensor }
}

/** Each slice on its own has the rows that the whole stack has at its place. */
async function expectSlices({ source, tensor }: Awaited<ReturnType<typeof open>>): Promise<void> {
  const [count, rows] = tensor.shape
  const all = await readRows(() => source, tensor, { start: 0, end: count * rows })
  const perSlice = all.length / count
  for (let slice = 0; slice < count; slice++) {
    const view = sliceOf(tensor, slice)
    expect([view.name, view.shape]).toEqual([`${tensor.name}[${slice}]`, tensor.shape.slice(1)])
    const values = await readRows(() => source, view, { start: 0, end: rows })
    expect(values).toEqual(all.slice(slice * perSlice, (slice + 1) * perSlice))
  }
}

test('a slice of a plain stack reads its own bytes', async () => {
  await expectSlices(
    await open(
      [entry('pad', 'U8', [4], [96, 100]), entry('w', 'F32', [3, 2, 4], [0, 96])].reverse(),
      Buffer.concat([floats(24, 1), Buffer.alloc(4)]),
    ),
  )
})

test('a slice of packed experts reads its own codes and scales', async () => {
  const codes = Buffer.from(Array.from({ length: 3 * 2 * 2 * 16 }, (_, i) => (i * 37) & 255))
  const scales = Buffer.from(Array.from({ length: 3 * 2 * 2 }, (_, i) => 120 + i))
  const members = [
    entry('experts_blocks', 'U8', [3, 2, 2, 16], [0, codes.length]),
    entry('experts_scales', 'U8', [3, 2, 2], [codes.length, codes.length + scales.length]),
  ]
  const opened = await open(members, Buffer.concat([codes, scales]))
  expect(opened.tensor).toMatchObject({ dtype: 'MXFP4', shape: [3, 2, 64] })
  const { byteLength, storage } = sliceOf(opened.tensor, 2)
  const parts = storage?.kind === 'packed' ? storage.parts.map(({ tensor }) => tensor.byteLength) : []
  expect([byteLength, ...parts]).toEqual([68, 64, 4])
  await expectSlices(opened)
})

test('a slice of an NVFP4 stack keeps the number for the tensor', async () => {
  const codes = Buffer.from(Array.from({ length: 2 * 2 * 16 }, (_, i) => (i * 29) & 255))
  const scales = Buffer.from(Array.from({ length: 2 * 2 * 2 }, (_, i) => 0x30 + i))
  const factor = Buffer.alloc(4)
  factor.writeFloatLE(3)
  const ends = [codes.length, codes.length + scales.length, codes.length + scales.length + 4]
  const members = [
    entry('w_packed', 'U8', [2, 2, 16], [0, ends[0]]),
    entry('w_scale', 'F8_E4M3', [2, 2, 2], [ends[0], ends[1]]),
    entry('w_global_scale', 'F32', [1], [ends[1], ends[2]]),
  ]
  const opened = await open(members, Buffer.concat([codes, scales, factor]))
  expect(opened.tensor).toMatchObject({ dtype: 'NVFP4', shape: [2, 2, 32] })
  await expectSlices(opened)
})

const view = (fields: Partial<TensorView>): TensorView => {
  return { name: 'w', dtype: 'F32', shape: [2, 4, 4], byteOffset: 0, byteLength: 128, ...fields }
}

test('what is no stack, has no such slice, or does not lie in pieces is refused', () => {
  expect([stackSize(view({})), stackSize(view({ shape: [4, 4] })), stackSize(view({ dtype: 'I64' }))]).toEqual([
    2,
    null,
    null,
  ])
  expect(() => sliceOf(view({ shape: [4, 4] }), 0)).toThrow(
    'expected a stack of 3 dimensions to choose a slice from, found (4, 4).',
  )
  expect(() => sliceOf(view({}), 2)).toThrow('tensor "w": slice: expected 0 to 1, found 2.')
  expect(() => sliceOf(view({}), 0.5)).toThrow('found 0.5.')
  const fortran = { kind: 'array', bigEndian: false, columnMajor: true } as const
  expect(() => sliceOf(view({ storage: fortran }), 0)).toThrow('row-major order')
  expect(() => sliceOf(view({ dtype: 'F4', shape: [2, 1, 3], byteLength: 3 }), 1)).toThrow(
    'expected slices of whole bytes, found 12 bits.',
  )
})
