import { expect, test } from 'vitest'
import { FileError } from '../../src/core/errors'
import { blobSource } from '../../src/io/byte-source'
import { readHeader } from '../../src/io/read-header'
import { entry, fileOf, layerFile } from '../support/make-files'
import { BAD_HEADERS, BAD_TENSORS, WRONG_KINDS } from './malformed-headers'
import { recordingSource } from './recording-source'

async function refusal(bytes: Buffer): Promise<FileError> {
  const error = await readHeader(recordingSource(bytes)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(FileError)
  return error as FileError
}

const cases = [...WRONG_KINDS, ...BAD_HEADERS, ...BAD_TENSORS]
test.each(cases)('refuses, with its own words: %s', async (_what, bytes, code, message) => {
  const error = await refusal(bytes)
  expect([error.code, error.message]).toEqual([code, `file.safetensors: ${message}`])
})

test('every check of the header has a case', () => {
  const codes = new Set(cases.map(([, , code]) => code))
  expect([...codes].sort()).toEqual(Array.from({ length: 16 }, (_, i) => `ST-${String(i + 1).padStart(2, '0')}`))
})

test('reads 8 bytes and the header, and nothing else', async () => {
  const bytes = layerFile()
  const source = recordingSource(bytes)
  const headerBytes = Number(bytes.readBigUInt64LE(0))
  await readHeader(source)
  expect(source.reads).toEqual([
    [0, 8],
    [8, 8 + headerBytes],
  ])
})

test('never asks for bytes beyond the file, whatever the header claims', async () => {
  for (const [, bytes] of cases) {
    const source = recordingSource(bytes)
    await readHeader(source).catch(() => null)
    for (const [start, end] of source.reads) expect(end).toBeLessThanOrEqual(Math.max(bytes.length, start))
  }
})

test('lists tensors in the order of the header, with offsets from the start of the file', async () => {
  const data = Buffer.alloc(20)
  const file = fileOf(
    `{${entry('b', 'F32', [2, 2], [4, 20])},${entry('a', 'BF16', [2], [0, 4])},${entry('e', 'U8', [0, 7], [4, 4])}}  `,
    data,
  )
  const start = file.length - 20
  expect((await readHeader(recordingSource(file))).tensors).toEqual([
    { name: 'b', dtype: 'F32', shape: [2, 2], byteOffset: start + 4, byteLength: 16 },
    { name: 'a', dtype: 'BF16', shape: [2], byteOffset: start, byteLength: 4 },
    { name: 'e', dtype: 'U8', shape: [0, 7], byteOffset: start + 4, byteLength: 0 },
  ])
})

test('takes scalars, sub-byte dtypes, unknown fields, escapes and white space', async () => {
  const header = `{ "\\u0061\\n\\ud83d\\ude00" : {"dtype":"F64","shape":[],"data_offsets":[0,8],"extra":[{}, null, -1.5e+3, true]},
    "packed":{"data_offsets":[8,14],"shape":[2,8],"dtype":"F6_E3M2"}, "nibbles":{"dtype":"F4","shape":[4],"data_offsets":[14, 16] } }\t\r\n `
  // 16 elements of 6 bits are 12 bytes, so the first attempt at this header must fail.
  expect((await refusal(fileOf(header, 16))).code).toBe('ST-14')
  const right = header.replace('[8,14]', '[8,20]').replace('[14, 16]', '[20, 22]')
  const { tensors } = await readHeader(recordingSource(fileOf(right, 22)))
  expect(tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
    ['a\n😀', 'F64', []],
    ['packed', 'F6_E3M2', [2, 8]],
    ['nibbles', 'F4', [4]],
  ])
})

test('names that look like object internals are only names', async () => {
  const names = ['__proto__', 'constructor', 'toString', '']
  const members = names.map((name, i) => entry(name, 'U8', [1], [i, i + 1]))
  const metadata = '"__metadata__":{"__proto__":"polluted","format":"pt"}'
  const header = await readHeader(recordingSource(fileOf(`{${metadata},${members.join(',')}}`, 4)))
  expect(header.tensors.map((view) => view.name)).toEqual(names)
  expect(Object.entries(header.metadata)).toEqual([
    ['__proto__', 'polluted'],
    ['format', 'pt'],
  ])
  expect('polluted' in {}).toBe(false)
})

test('a name of a megabyte is cut in the message', async () => {
  const error = await refusal(fileOf(`{${JSON.stringify('n'.repeat(1e6))}:1}`))
  expect(error.message).toBe(
    `file.safetensors: tensor "${'n'.repeat(160)}…": expected an object with dtype, shape and data_offsets, found a number (byte 1,000,012, 0xF424C).`,
  )
})

test('an interrupted download that begins like ONNX by chance is called incomplete', async () => {
  const error = await refusal(fileOf(`{${' '.repeat(100)}`, 0, 0x12_07_08n))
  expect(error.code).toBe('ST-04')
})

test('a blob is read through slices', async () => {
  const { tensors } = await readHeader(blobSource('a.safetensors', new Blob([new Uint8Array(layerFile())])))
  expect(tensors.map((view) => view.name)).toEqual(['block.q_proj.input', 'block.q_proj.weight'])
})

test('a file that cannot be read, or has shrunk since, says so', async () => {
  const gone = { name: 'gone.safetensors', byteLength: 100, slice: () => Promise.reject(new Error('NotReadable')) }
  await expect(readHeader(gone)).rejects.toMatchObject({
    code: 'IO-01',
    message: 'gone.safetensors: 8 bytes at byte 0 could not be read. Open the file again.',
    cause: new Error('NotReadable'),
  })
  const own = new FileError('FS-03', 'own words')
  const source = { name: 'a', byteLength: 100, slice: () => Promise.reject(own) }
  await expect(readHeader(source)).rejects.toBe(own)
  const shrunk = { name: 'less.safetensors', byteLength: 100, slice: () => Promise.resolve(new ArrayBuffer(2)) }
  await expect(readHeader(shrunk)).rejects.toMatchObject({
    code: 'IO-01',
    message:
      'less.safetensors: expected 8 bytes at byte 0, found 2. The file has changed since it was opened; open it again.',
  })
})
