import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readHeader } from '../../src/io/read-header'
import { readTensorBytes } from '../../src/io/tensor-bytes'
import { DTYPE_BITS, type Dtype } from '../../src/io/tensor-view'
import { type TensorToWrite, writeSafetensors } from '../../src/io/write-safetensors'
import { recordingSource } from './recording-source'

async function readAll(file: Uint8Array) {
  const source = recordingSource(file)
  const { tensors, metadata } = await readHeader(source)
  const all = tensors.map(async ({ name, dtype, shape, ...view }) => {
    return { name, dtype, shape, bytes: new Uint8Array(await readTensorBytes(source, { name, dtype, shape, ...view })) }
  })
  return { tensors: await Promise.all(all), metadata, views: tensors }
}

const WIDE: Dtype[] = ['F64', 'I64', 'F32', 'BF16', 'F16', 'U8', 'F8_E4M3', 'BOOL']
const tensors = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 6 }).chain((names) =>
  fc.tuple(
    ...names
      .filter((name) => name !== '__metadata__')
      .map((name) =>
        fc
          .record({ dtype: fc.constantFrom(...WIDE), shape: fc.array(fc.nat(4), { maxLength: 3 }) })
          .chain(({ dtype, shape }) => {
            const length = (shape.reduce((a, b) => a * b, 1) * DTYPE_BITS[dtype]) / 8
            const bytes = fc.uint8Array({ minLength: length, maxLength: length })
            return bytes.map((data): TensorToWrite => ({ name, dtype, shape, bytes: data }))
          }),
      ),
  ),
)

test('what is written is read back, aligned, whatever the order given', async () => {
  const property = fc.asyncProperty(tensors, fc.dictionary(fc.string(), fc.string()), async (list, metadata) => {
    const file = writeSafetensors(list, metadata)
    expect(writeSafetensors([...list].reverse(), metadata)).toEqual(file)
    const read = await readAll(file)
    const byName = (a: TensorToWrite, b: TensorToWrite) => (a.name < b.name ? -1 : 1)
    expect(read.tensors.sort(byName)).toEqual([...list].sort(byName))
    expect(Object.entries(read.metadata).sort()).toEqual(Object.entries(metadata).sort())
    for (const view of read.views) expect((view.byteOffset * 8) % DTYPE_BITS[view.dtype]).toBe(0)
  })
  await fc.assert(property, { seed: 5, numRuns: 300 })
})

test('writes the bytes that another writer wrote for the same tensors', async () => {
  const golden = readFileSync(new URL('../../public/layers/wt2llama-L2-q_proj.safetensors', import.meta.url))
  const { tensors: list, metadata } = await readAll(golden)
  expect(Buffer.from(writeSafetensors(list, metadata)).equals(golden)).toBe(true)
})

test('these bytes, for ever', () => {
  const list: TensorToWrite[] = [
    { name: 'b', dtype: 'U8', shape: [3], bytes: Uint8Array.of(7, 8, 9) },
    { name: 'a', dtype: 'F32', shape: [1, 1], bytes: Uint8Array.of(0, 0, 128, 63) },
  ]
  const header =
    '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}'
  const padded = header.padEnd(144)
  const expected = Buffer.concat([
    Buffer.from([144, 0, 0, 0, 0, 0, 0, 0]),
    Buffer.from(padded),
    Buffer.from([0, 0, 128, 63, 7, 8, 9]),
  ])
  expect(Buffer.from(writeSafetensors(list, { format: 'pt' })).equals(expected)).toBe(true)
})

test('a name given twice, the reserved name and a wrong number of bytes are bugs', () => {
  const tensor = { name: 'a', dtype: 'U8', shape: [1], bytes: Uint8Array.of(1) } as const
  expect(() => writeSafetensors([tensor, tensor])).toThrow('tensor name "a" is reserved or repeated')
  expect(() => writeSafetensors([{ ...tensor, name: '__metadata__' }])).toThrow('is reserved or repeated')
  expect(() => writeSafetensors([{ ...tensor, shape: [2] }])).toThrow('tensor "a": 2 bytes by shape and dtype, 1 given')
})
