import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { readHeader } from '../../src/io/read-header'
import { checkDecodable, checkReal, decodable, isReal, matrixShape, readTensorBytes } from '../../src/io/tensor-bytes'
import { DTYPE_BITS, type Dtype, type TensorView } from '../../src/io/tensor-view'
import { entry, fileOf } from '../support/make-files'
import { recordingSource } from './recording-source'

function view(dtype: Dtype, shape: readonly number[]): TensorView {
  return { name: 'v', dtype, shape, byteOffset: 0, byteLength: 0 }
}

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return null
}

async function open() {
  const data = Uint8Array.from({ length: 70 }, (_, i) => i)
  const members = [entry('h', 'BF16', [5, 3], [0, 30]), entry('w', 'F32', [2, 5], [30, 70])]
  const source = recordingSource(fileOf(`{${members.join(',')}}`, data))
  const { tensors } = await readHeader(source)
  source.reads.length = 0
  return { source, tensors, dataStart: source.byteLength - 70 }
}

test('reads the bytes of one tensor and no others', async () => {
  const { source, tensors, dataStart } = await open()
  const bytes = new Uint8Array(await readTensorBytes(source, tensors[1]))
  expect([...bytes]).toEqual(Array.from({ length: 40 }, (_, i) => 30 + i))
  expect(source.reads).toEqual([[dataStart + 30, dataStart + 70]])
})

test('reads some rows of a tensor and no others', async () => {
  const { source, tensors, dataStart } = await open()
  const bytes = new Uint8Array(await readTensorBytes(source, tensors[0], { start: 1, end: 3 }))
  expect([...bytes]).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
  expect(source.reads).toEqual([[dataStart + 6, dataStart + 18]])
  await expect(readTensorBytes(source, tensors[0], { start: 1, end: 6 })).rejects.toThrow(RangeError)
  await expect(readTensorBytes(source, tensors[0], { start: 3, end: 2 })).rejects.toThrow(RangeError)
})

test('every dtype but complex is decodable; floats of every width, and packed tensors, are real', () => {
  const dtypes = Object.keys(DTYPE_BITS) as Dtype[]
  expect(dtypes.filter((dtype) => !decodable(view(dtype, [2, 2])))).toEqual(['C64'])
  const others = ['BOOL', 'U8', 'I8', 'F8_E8M0', 'I16', 'U16', 'I32', 'U32', 'C64', 'I64', 'U64']
  expect(dtypes.filter((dtype) => !isReal(view(dtype, [2, 2])))).toEqual(others)
  expect(isReal({ ...view('F4', [2, 2]), dtype: 'MXFP4' })).toBe(true)
})

test('a weight is [out, in]; leading axes of activations become tokens', () => {
  expect(matrixShape(view('F32', [3, 5]), 'weight')).toEqual({ rows: 3, cols: 5 })
  expect(matrixShape(view('F16', [2, 3, 5]), 'activations')).toEqual({ rows: 6, cols: 5 })
})

test.each([
  [
    'weight',
    view('I64', [2, 2]),
    'TS-01',
    'dtype I64 holds no real numbers that can be quantized. Choose a floating-point tensor.',
  ],
  [
    'weight',
    view('F8_E8M0', [2, 2]),
    'TS-01',
    'dtype F8_E8M0 holds scales, no numbers that can be quantized. Choose a floating-point tensor.',
  ],
  [
    'weight',
    view('F32', [8, 4096, 1536]),
    'TS-02',
    'expected 2 dimensions, found 3 (8, 4096, 1536). Choose a slice, 0 … 7.',
  ],
  ['weight', view('F32', [7]), 'TS-02', 'expected 2 dimensions, found 1 (7).'],
  ['activations', view('F32', [7]), 'TS-02', 'expected 2 or more dimensions, found 1 (7).'],
  ['activations', view('F32', []), 'TS-02', 'expected 2 or more dimensions, found 0 ().'],
  ['weight', view('F32', [0, 4]), 'TS-02', 'expected at least one element, found shape (0, 4).'],
] as const)('refuses as %s with its own words: %o', (role, tensor, code, message) => {
  const error = thrown(() => matrixShape(tensor, role))
  expect(error).toBeInstanceOf(InputError)
  expect(error).toMatchObject({ code, message: `tensor "v": ${message}` })
})

test('checkDecodable lets numbers through', () => {
  expect(thrown(() => checkDecodable(view('BF16', [1])))).toBe(null)
  expect(thrown(() => checkDecodable(view('I8', [1])))).toBe(null)
  const message = 'tensor "v": dtype C64 holds complex numbers, which are not read. Choose another tensor.'
  for (const check of [checkDecodable, checkReal]) {
    expect(thrown(() => check(view('C64', [1])))).toMatchObject({ code: 'TS-01', message })
  }
})

test('the bytes of a tensor that are not its elements in order are not handed out as such', async () => {
  const { source, tensors } = await open()
  const array = { ...tensors[1], storage: { kind: 'array', bigEndian: true, columnMajor: false } as const }
  await expect(readTensorBytes(source, array)).rejects.toThrow(RangeError)
})
