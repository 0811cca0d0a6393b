import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileError } from '../../../src/core/errors'
import { readNpy } from '../../../src/io/npy/read-npy'
import { readTensors } from '../../../src/io/read-tensors'
import { readRows, valueSlices } from '../../../src/io/read-values'
import type { TensorView } from '../../../src/io/tensor-view'
import { recordingSource } from '../recording-source'

interface GoldenArray {
  readonly name: string
  readonly shape: readonly number[]
  readonly bits: readonly number[]
}

const folder = new URL('../../golden/npy/', import.meta.url)
const index = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')) as GoldenArray[]
const rowsOf = ({ shape }: TensorView) => shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
const bitsOf = (values: Float32Array) => [...new Uint32Array(values.slice().buffer)]

describe('arrays written by NumPy', () => {
  test('all of them are listed', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.npy'))
    expect(index.map(({ name }) => `${name}.npy`).sort()).toEqual(files.sort())
  })

  test.each(index.map((golden) => [golden.name, golden] as const))('%s', async (name, { shape, bits }) => {
    const source = recordingSource(readFileSync(new URL(`${name}.npy`, folder)), `${name}.npy`)
    const { tensors, refusals } = await readTensors(source)
    expect([tensors.length, refusals]).toEqual([1, []])
    const [view] = tensors
    expect(view).toMatchObject({ name, shape })
    expect(source.reads.every(([, end]) => end <= view.byteOffset)).toBe(true)
    const rows = rowsOf(view)
    expect(bitsOf(await readRows(() => source, view, { start: 0, end: rows }))).toEqual(bits)
    const cols = shape[shape.length - 1]
    const last = await readRows(() => source, view, { start: rows - 1, end: rows })
    expect(bitsOf(last)).toEqual(bits.slice(-cols))
    const inFileOrder: number[] = []
    for await (const slice of valueSlices(() => source, view, 4)) inFileOrder.push(...bitsOf(Float32Array.from(slice)))
    expect(inFileOrder.sort()).toEqual([...bits].sort())
  })
})

/** A file of version 1 with this header text and `dataBytes` zeros. */
function npy(header: string, dataBytes = 0, version: readonly number[] = [1, 0]): Uint8Array {
  const text = new TextEncoder().encode(`${header}\n`)
  const head = [0x93, ...new TextEncoder().encode('NUMPY'), ...version, text.length & 255, text.length >> 8]
  return Uint8Array.from([...head, ...text, ...new Uint8Array(dataBytes)])
}

const refusal = (bytes: Uint8Array) =>
  readNpy(recordingSource(bytes, 'x.npy')).then(
    () => null,
    (error: unknown) => error,
  )

const GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
const withDescr = (descr: string) => npy(GOOD.replace("'<f4'", descr), 24)
const withShape = (shape: string, dataBytes = 24) => npy(GOOD.replace('(2, 3)', shape), dataBytes)

describe('refusals say what was expected and found', () => {
  const cases: [string, Uint8Array, string, string][] = [
    ['an empty file', new Uint8Array(), 'NP-01', 'expected a NumPy array (0x93 "NUMPY"), found an empty file.'],
    ['another file', Uint8Array.of(80, 75, 3, 4), 'NP-01', 'found 0x50 0x4B 0x03 0x04.'],
    [
      'a later version',
      npy(GOOD, 24, [4, 0]),
      'NP-01',
      'expected version 1.0, 2.0 or 3.0 of the NumPy format, found 4.0.',
    ],
    ['a cut version', npy(GOOD).slice(0, 7), 'NP-01', 'found the end of the file.'],
    [
      'a cut header',
      npy(GOOD).slice(0, 40),
      'NP-02',
      'header: expected 60 bytes from byte 10, the file ends at byte 40.',
    ],
    [
      'a cut header length',
      npy(GOOD).slice(0, 9),
      'NP-02',
      'header: expected a header length, the file ends at byte 9.',
    ],
    ['a header of pages', npy(`${GOOD}${' '.repeat(70_000)}`, 0, [2, 0]), 'NP-02', 'the file ends at byte'],
    ['no dict', npy('[1, 2]'), 'NP-03', 'character 0 of the header: expected "{", found "[1, 2]\\n".'],
    ['a repeated key', npy("{'shape': (2,), 'shape': (3,)}"), 'NP-03', 'each of descr, fortran_order, shape once'],
    ['an unknown key', npy("{'__proto__': True}"), 'NP-03', 'found the key "__proto__".'],
    ['a missing key', npy("{'descr': '<f4', 'shape': (2, 3)}"), 'NP-03', 'found no fortran_order.'],
    [
      'something behind',
      npy(`${GOOD} import os`, 24),
      'NP-03',
      'expected the end of the header, found "import os\\n".',
    ],
    ['records', withDescr("[('a', '<f4')]"), 'NP-03', 'expected a dtype in quotes (records are not read)'],
    ['a number for a flag', npy(GOOD.replace('False', '0'), 24), 'NP-03', 'expected True or False, found'],
    ['a backslash', withDescr("'\\x3cf4'"), 'NP-03', 'expected text without backslashes'],
    ['objects', withDescr("'|O'"), 'NP-04', 'found "|O".'],
    ['complex numbers', withDescr("'<c8'"), 'NP-04', 'expected "<" or ">" and one of f2, f4, f8, i1,'],
    ['extended precision', withDescr("'<f16'"), 'NP-04', 'found "<f16".'],
    ['a dtype without byte order', withDescr("'|f4'"), 'NP-04', 'found "|f4".'],
    ['bfloat16', withDescr("'<V2'"), 'NP-04', 'bfloat16 has no dtype in NumPy; save it as float32.'],
    ['a scalar', withShape('()', 4), 'NP-05', 'shape: expected 1 to 3 axes, found [].'],
    ['four axes', withShape('(1, 1, 2, 3)'), 'NP-05', 'expected 1 to 3 axes, found [1, 1, 2, 3].'],
    ['no elements', withShape('(2, 0)', 0), 'NP-05', 'expected at least one element, found [2, 0].'],
    ['a petabyte', withShape('(999999999999999, 2)'), 'NP-05', 'expected at most 2^47 elements'],
    [
      'a negative axis',
      withShape('(-1, 3)'),
      'NP-03',
      'expected a whole number of at most 15 digits, found "-1, 3), }\\n".',
    ],
    ['an axis of 16 digits', withShape('(1000000000000000,)'), 'NP-03', 'a whole number of at most 15 digits'],
    [
      'data cut short',
      npy(GOOD, 23),
      'NP-06',
      'expected 24 bytes of data for [2, 3] <f4, found 23. The download is incomplete.',
    ],
    ['a second array', npy(GOOD, 30), 'NP-06', 'found 30. Save one array per file.'],
  ]
  test.each(cases)('%s', async (_what, bytes, code, message) => {
    const error = await refusal(bytes)
    expect(error).toBeInstanceOf(FileError)
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(String(error)).toContain('x.npy: ')
  })

  test('a header longer than any array needs', async () => {
    const bytes = npy('', 70_000, [2, 0])
    new DataView(bytes.buffer).setUint32(8, 65_537, true)
    const message = 'expected at most 65,536 bytes, found 65,537. Records and Python objects are not read.'
    expect(await refusal(bytes)).toMatchObject({ code: 'NP-02', message: expect.stringContaining(message) })
  })
})

test('headers of other writers are read: double quotes, no spaces, long integers, no trailing comma', async () => {
  const header = '{"shape":(2L,3L),"fortran_order":True,"descr":">f4"}'
  const view = await readNpy(recordingSource(npy(header, 24), 'y.NPY'))
  const storage = { kind: 'array', bigEndian: true, columnMajor: true }
  expect(view).toMatchObject({ name: 'y', dtype: 'F32', shape: [2, 3], storage })
})

test('a row or column needs no turning, a byte no swapping', async () => {
  const header = "{'descr': '>u1', 'fortran_order': True, 'shape': (6, 1)}"
  expect((await readNpy(recordingSource(npy(header, 6)))).storage).toBeUndefined()
})

test('a file with bytes changed, removed or inserted opens with its data inside the file, or is refused', async () => {
  const file = [...npy(`${GOOD}      `, 24)]
  const interesting = [...`{}()[]'",:<>|\\-+L0123456789eE \n\0TrueFalsf`].map((c) => c.charCodeAt(0)).concat(0x93, 0xff)
  const edit = fc.record({
    at: fc.nat(file.length - 24),
    kind: fc.constantFrom('change', 'remove', 'insert'),
    byte: fc.oneof(fc.constantFrom(...interesting), fc.integer({ min: 0, max: 255 })),
  })
  let [opened, refused] = [0, 0]
  const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.nat(4), async (edits, lie) => {
    const bytes = [...file]
    for (const { at, kind, byte } of edits) {
      bytes.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]))
    }
    // Four in five say the length their header has.
    if (lie > 0) bytes[8] = bytes.length - 24 - 10
    const source = recordingSource(Uint8Array.from(bytes))
    try {
      const view = await readNpy(source)
      opened++
      expect(view.byteOffset + view.byteLength).toBe(source.byteLength)
      const values = await readRows(() => source, view, { start: 0, end: rowsOf(view) })
      expect(values.length).toBe(view.shape.reduce((a, b) => a * b, 1))
    } catch (error) {
      expect(error).toBeInstanceOf(FileError)
      refused++
    }
  })
  await fc.assert(property, { seed: 20260112, numRuns: 5000 })
  expect(opened).toBeGreaterThan(100)
  expect(refused).toBeGreaterThan(2000)
})
