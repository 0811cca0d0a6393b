import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileError } from '../../src/core/errors'
import { findInvalidUtf8 } from '../../src/io/find-invalid-utf8'
import { checkJson } from '../../src/io/json-scan'
import { readHeader } from '../../src/io/read-header'
import { DTYPE_BITS } from '../../src/io/tensor-view'
import { entry, fileOf, layerFile } from '../support/make-files'
import { recordingSource } from './recording-source'

const SEED = 20260109

/** Reads a file that may be broken: it either opens with views inside the file, or is refused with a FileError. */
async function opensOrRefuses(bytes: Uint8Array): Promise<boolean> {
  try {
    const { tensors } = await readHeader(recordingSource(bytes))
    let covered = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    for (const view of [...tensors].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength)) {
      expect(view.byteOffset).toBe(covered)
      expect(view.shape.reduce((a, b) => a * b, 1) * DTYPE_BITS[view.dtype]).toBe(8 * view.byteLength)
      covered += view.byteLength
    }
    expect(covered).toBe(bytes.length)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(FileError)
    return false
  }
}

const RICH_HEADER = `{"__metadata__":{"format":"pt","é":"\\u00e9"},${entry('w.weight', 'F32', [4, 8], [0, 128])},${entry('x', 'BF16', [2, 3, 8], [128, 224])}}`

test('a header with bytes changed, removed or inserted is opened consistently or refused, never a crash', async () => {
  const header = Buffer.from(RICH_HEADER)
  const interesting = [...'{}[]",:\\-0129eE.tfnu \n\0'].map((c) => c.charCodeAt(0)).concat(0x80, 0xc3, 0xff)
  const edit = fc.record({
    at: fc.nat(header.length),
    kind: fc.constantFrom('change', 'remove', 'insert'),
    byte: fc.oneof(fc.constantFrom(...interesting), fc.integer({ min: 0, max: 255 })),
  })
  let [opened, refused] = [0, 0]
  const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.nat(9), async (edits, lie) => {
    const bytes = [...header]
    for (const { at, kind, byte } of edits) {
      bytes.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]))
    }
    // One file in ten also declares a length that is off by one.
    const declared = BigInt(bytes.length + Number(lie === 0))
    if (await opensOrRefuses(fileOf(Uint8Array.from(bytes), 224, declared))) opened++
    else refused++
  })
  await fc.assert(property, { seed: SEED, numRuns: 4000 })
  // Both branches are reached, or the property says nothing.
  expect(opened).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(2000)
})

test('a file cut anywhere is refused', async () => {
  const file = layerFile({ out: 4, in: 8, tokens: 4 })
  for (let length = 0; length < file.length; length++)
    expect(await opensOrRefuses(file.subarray(0, length))).toBe(false)
  expect(await opensOrRefuses(file)).toBe(true)
})

test('random bytes behind a plausible length are refused', async () => {
  const property = fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.nat(100), async (bytes, length) => {
    expect(await opensOrRefuses(fileOf(bytes, 0, BigInt(length)))).toBe(false)
  })
  await fc.assert(property, { seed: SEED, numRuns: 1000 })
})

test('accepts as JSON exactly what JSON.parse accepts', () => {
  const fragment = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"a"', '"\\n"', '"\\u00e9"', '"\\q"', '"', ' ', '\n', '\f'],
    ...['0', '-1', '1.5', '1e9', '1E-2', '01', '1.', '.5', '-', '+1', 'true', 'false', 'null', 'tru', 'NaN'],
  )
  const nearJson = fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join(''))
  const candidate = fc.oneof(
    nearJson,
    fc.json(),
    fc.tuple(fc.json(), fragment).map(([json, tail]) => json + tail),
  )
  let valid = 0
  const property = fc.property(candidate, (source) => {
    const accepted = (parse: () => void) => {
      try {
        parse()
        return true
      } catch {
        return false
      }
    }
    const expected = accepted(() => JSON.parse(source))
    valid += Number(expected)
    const bytes = new TextEncoder().encode(source)
    expect(accepted(() => checkJson({ bytes, fileOffset: 8, fileName: 'f' }))).toBe(expected)
  })
  fc.assert(property, { seed: SEED, numRuns: 6000 })
  expect(valid).toBeGreaterThan(1000)
})

test('finds invalid UTF-8 exactly where TextDecoder refuses it', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decodes = (bytes: Uint8Array) => {
    try {
      decoder.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  const byte = fc.oneof(
    fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
    fc.integer({ min: 0, max: 255 }),
  )
  const property = fc.property(fc.array(byte, { maxLength: 6 }), (list) => {
    const bytes = Uint8Array.from(list)
    const invalid = findInvalidUtf8(bytes)
    expect(invalid === null).toBe(decodes(bytes))
    // What stands before the place found is text.
    if (invalid) expect(decodes(bytes.subarray(0, invalid.at))).toBe(true)
  })
  fc.assert(property, { seed: SEED, numRuns: 5000 })
})

test('a header of 100,000 tensors opens without delay', async () => {
  const members = Array.from({ length: 100_000 }, (_, i) =>
    entry(`model.layers.${i}.mlp.weight`, 'U8', [1], [i, i + 1]),
  )
  const file = fileOf(`{${members.join(',')}}`, 100_000)
  const { tensors } = await readHeader(recordingSource(file))
  expect(tensors).toHaveLength(100_000)
  expect(tensors[99_999]).toEqual({
    name: 'model.layers.99999.mlp.weight',
    dtype: 'U8',
    shape: [1],
    byteOffset: file.length - 1,
    byteLength: 1,
  })
})

test.each([
  ['a dimension of a million digits', `{"t":{"dtype":"U8","shape":[${'9'.repeat(1e6)}],"data_offsets":[0,0]}}`],
  ['a shape of a million dimensions', `{"t":{"dtype":"U8","shape":[${'1,'.repeat(1e6)}1],"data_offsets":[0,1]}}`],
  ['a million offsets', `{"t":{"dtype":"U8","shape":[],"data_offsets":[${'0,'.repeat(1e6)}1]}}`],
  ['a million closing brackets', `{"t":[${']'.repeat(1e6)}}`],
  ['a dtype of a megabyte', `{"t":{"dtype":"${'\\n'.repeat(1e6)}","shape":[],"data_offsets":[0,1]}}`],
])('%s is refused in a short message', async (_what, header) => {
  const error = await readHeader(recordingSource(fileOf(header, 1))).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(FileError)
  expect(String(error).length).toBeLessThan(600)
})
