import { expect, test } from 'vitest'
import { InputError } from '../../src/core/errors'
import { readHeader } from '../../src/io/read-header'
import { checkDecodable, decodable, matrixShape, narrowF64, readTensorBytes } from '../../src/io/tensor-bytes'
import type { Dtype, TensorView } from '../../src/io/tensor-view'
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

test('only float tensors that are read as numbers are decodable', () => {
  const dtypes: Dtype[] = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'I64', 'BOOL', 'F4']
  expect(dtypes.filter((dtype) => decodable(view(dtype, [2, 2])))).toEqual(['F64', 'F32', 'F16', 'BF16'])
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
    view('F8_E4M3', [2, 2]),
    'TS-01',
    'dtype F8_E4M3 is not read yet. Choose a tensor in F32, F16, BF16, F64.',
  ],
  [
    'weight',
    view('F32', [8, 4096, 1536]),
    'TS-02',
    'expected 2 dimensions, found 3 (8, 4096, 1536). A stack of matrices cannot be opened as one weight.',
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

test('checkDecodable lets float tensors through', () => {
  expect(thrown(() => checkDecodable(view('BF16', [1])))).toBe(null)
  expect(thrown(() => checkDecodable(view('C64', [1])))).toMatchObject({ code: 'TS-01' })
})

test('F64 is rounded to the nearest f32, ties to even, beyond the range to infinity', () => {
  const values = [1 + 2 ** -24, 1 + 3 * 2 ** -24, 2 ** -149, 2 ** -151, 3.4028235677973366e38, -1e300, Number.NaN]
  expect([...narrowF64(Float64Array.from(values).buffer)]).toEqual([
    1,
    1 + 2 ** -22,
    2 ** -149,
    0,
    Infinity,
    -Infinity,
    Number.NaN,
  ])
})
