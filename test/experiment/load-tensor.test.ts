import { describe, expect, test } from 'vitest'
import { loadRows, uploadRows } from '../../src/experiment/load-tensor'
import { parseFormat } from '../../src/formats/format-text'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { dequantize } from '../../src/gpu/kernels/dequantize'
import { quantize } from '../../src/gpu/kernels/quantize'
import { readPacked } from '../../src/gpu/read-packed'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { blobSource } from '../../src/io/byte-source'
import { encodeWeight, type PackedLayout } from '../../src/io/packing/encode'
import { readTensors } from '../../src/io/read-tensors'
import type { Dtype } from '../../src/io/tensor-view'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { comparableBits } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { fileOf } from '../support/make-files'

const t = gpuFixture()
const context = () => ({ gpu: t.gpu, arena: t.arena, signal: new AbortController().signal })

/** Numbers of both signs over a few binades, and rows of zeros, of large (times `top`) and of subnormal numbers. */
function mixture(rows: number, cols: number, top: number): Float32Array {
  let state = 99
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Float32Array.from({ length: rows * cols }, (_, i) => {
    const value = (random() - 0.5) * 2 ** Math.floor(random() * 5 - 3)
    const row = Math.floor(i / cols)
    return row === 1 ? 0 : row === 2 ? value * top : row === 3 ? value * 2 ** -140 : value
  })
}

describe('a weight written in a packed layout is read back as the GPU decodes it, bit for bit', () => {
  const cases: [string, PackedLayout, Partial<typeof STANDARD_MX>][] = [
    ['mxfp4', 'compressed-tensors', {}],
    ['mxfp4', 'blocks-scales', { scaleRule: 'rceil' }],
    ['mxfp4', 'blocks-scales', { preScale: { factor: 0.75, variant: 'exact' } }],
    ['mxfp4', 'compressed-tensors', { preScale: { factor: 0.55, variant: 'literal' } }],
    ['mxfp8_e4m3', 'compressed-tensors', { scaleRule: 'even' }],
    ['nvfp4', 'compressed-tensors', {}],
    ['nvfp4(four-over-six=mse)', 'compressed-tensors', {}],
    ['nvfp4(tensor-scale=off)', 'compressed-tensors', {}],
    ['int4(group=32)', 'compressed-tensors', {}],
    ['int4(group=128,scheme=asym)', 'compressed-tensors', {}],
    ['int4(scheme=sym-half)', 'compressed-tensors', {}],
    ['int8(group=64,scheme=asym)', 'compressed-tensors', {}],
    ['int8', 'compressed-tensors', {}],
  ]
  test.each(cases)('%s in %s, %o', async (format, layout, changes) => {
    const [rows, cols] = [11, 384]
    const quantizer = makeQuantizer(parseFormat(format), { ...STANDARD_MX, ...changes })
    const data = mixture(rows, cols, quantizer.family === 'mx' ? 2 ** 60 : 16)
    const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'weight')
    const packed = quantize(t.recorder, t.arena, matrix, quantizer)
    const decoded = dequantize(t.recorder, t.arena, packed)
    t.recorder.submit()
    const expected = await readMatrix(t.gpu, decoded)
    const { tensors, metadata } = encodeWeight('a.weight', await readPacked(t.gpu, packed), layout)
    const source = blobSource('out.safetensors', new Blob([writeSafetensors(tensors, metadata)]))
    const file = await readTensors(source)
    expect(file.refusals).toEqual([])
    expect(file.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual([
      { name: 'a.weight', shape: [rows, cols] },
    ])
    const loaded = await loadRows({ source, tensor: file.tensors[0] }, { start: 0, end: rows }, context())
    const found = await readMatrix(t.gpu, loaded)
    expect(comparableBits(found.data)).toEqual(comparableBits(expected.data))
    expect(expected.data.filter((value) => value !== 0).length).toBeGreaterThan(rows * cols * 0.3)
  })
})

/** A file of one tensor "x". */
async function fileWith(dtype: Dtype, shape: readonly number[], bytes: Uint8Array) {
  const source = blobSource('x.safetensors', new Blob([writeSafetensors([{ name: 'x', dtype, shape, bytes }])]))
  const { tensors } = await readTensors(source)
  return { source, tensor: tensors[0] }
}

describe('dtypes that the GPU does not widen are decoded on the way to it', () => {
  test('rows of F8, padded to whole blocks, what is not finite counted with its place', async () => {
    const codes = Uint8Array.from({ length: 3 * 40 }, (_, i) => i % 0x70)
    codes[1 * 40 + 7] = 0x7f
    codes[2 * 40 + 1] = 0xff
    const from = await fileWith('F8_E4M3', [3, 40], codes)
    const { matrix, nonFinite } = await uploadRows(from, { start: 1, end: 3 }, context())
    expect([matrix.rows, matrix.cols, matrix.stride]).toEqual([2, 40, 64])
    expect(nonFinite).toEqual({ nan: 2, positiveInfinity: 0, negativeInfinity: 0, firstIndex: 7 })
    const whole = await readMatrix(t.gpu, { ...matrix, cols: matrix.stride })
    expect(whole.data.filter((_, i) => i % 64 >= 40)).toEqual(new Float32Array(48))
    // Code 40 = 0b0101000: exponent field 5, no fraction.
    expect(whole.data[0]).toBe(2 ** (5 - 7))
    await expect(loadRows(from, { start: 0, end: 3 }, context())).rejects.toMatchObject({
      code: 'TS-04',
      message: expect.stringContaining('2 of 120 elements are not finite (2 NaN), first at row 1, column 7 (byte'),
    })
  })

  test('a tensor of several chunks, and infinities of F64 beyond f32', async () => {
    const [rows, cols] = [700, 8192]
    const values = Float64Array.from({ length: rows * cols }, (_, i) => (i % 4099) - 2000.25)
    values[600 * cols + 5] = -1e200
    const from = await fileWith('F64', [rows, cols], new Uint8Array(values.buffer))
    const { matrix, nonFinite } = await uploadRows(from, { start: 0, end: rows }, context())
    expect(nonFinite).toEqual({ nan: 0, positiveInfinity: 0, negativeInfinity: 1, firstIndex: 600 * cols + 5 })
    const { data } = await readMatrix(t.gpu, matrix)
    const expected = new Float32Array(values)
    expect(data.findIndex((value, i) => value !== expected[i])).toBe(-1)
  })

  test('a packed tensor says which element is not finite, without a byte', async () => {
    const tensors = [
      { name: 'w_blocks', dtype: 'U8' as const, shape: [2, 1, 16], bytes: new Uint8Array(32).fill(0x22) },
      { name: 'w_scales', dtype: 'U8' as const, shape: [2, 1], bytes: Uint8Array.of(127, 255) },
    ]
    const source = blobSource('w.safetensors', new Blob([writeSafetensors(tensors)]))
    const [tensor] = (await readTensors(source)).tensors
    await expect(loadRows({ source, tensor }, { start: 0, end: 2 }, context())).rejects.toMatchObject({
      code: 'TS-04',
      message: expect.stringContaining('(32 NaN), first at row 1, column 0. Nothing can'),
    })
  })

  test('rows of a column-major array', async () => {
    const [rows, cols] = [5, 33]
    const header = `{'descr': '>i2', 'fortran_order': True, 'shape': (${rows}, ${cols}), }\n`
    const bytes = Buffer.alloc(10 + header.length + 2 * rows * cols)
    bytes.write(`\x93NUMPY\x01\x00`, 'latin1')
    bytes.writeUInt16LE(header.length, 8)
    bytes.write(header, 10)
    for (let i = 0; i < rows * cols; i++) bytes.writeInt16BE(i - 50, 10 + header.length + 2 * i)
    const source = blobSource('x.npy', new Blob([new Uint8Array(bytes)]))
    const [tensor] = (await readTensors(source)).tensors
    const matrix = await loadRows({ source, tensor }, { start: 2, end: 5 }, context())
    const { data } = await readMatrix(t.gpu, matrix)
    expect(data).toEqual(
      Float32Array.from({ length: 3 * cols }, (_, i) => Math.floor(i / cols) + 2 + rows * (i % cols) - 50),
    )
  })

  test('a header that promises 2^40 elements is refused before anything is read', async () => {
    const source = blobSource('x.safetensors', new Blob([new Uint8Array(fileOf('{}'))]))
    const tensor = {
      name: 'x',
      dtype: 'F8_E4M3',
      shape: [2 ** 20, 2 ** 20],
      byteOffset: 0,
      byteLength: 2 ** 40,
    } as const
    const loading = loadRows({ source, tensor }, { start: 0, end: 2 ** 20 }, context())
    await expect(loading).rejects.toMatchObject({ code: 'GP-02' })
  })
})
