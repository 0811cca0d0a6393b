import { expect, test } from 'vitest'
import { chooseFormat } from '../../src/formats/format-text'
import { BLOCK_SIZES, type MxQuantizer, type Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS, formatById } from '../../src/formats/registry'
import { dequantize } from '../../src/gpu/kernels/dequantize'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import type { PackedMatrix } from '../../src/gpu/kernels/packed-matrix'
import { packedStrides } from '../../src/gpu/kernels/packed-matrix'
import { quantize } from '../../src/gpu/kernels/quantize'
import { readBuffer, readWords, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { ORACLE_FORMATS, oracleDecode } from '../oracle/mx'
import { comparableBits, dataOf, goldenCases, onGpu, quantizerOf } from '../support/golden-formats'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()
const packable = onGpu(goldenCases(goldenText('formats/index.json')).mx)
const files = new Map(packable.map(({ file }) => [file, readGolden(`formats/${file}`)]))
const groups = [...new Set(packable.map(({ file, format }) => `${file} ${format}`))]

/** Codes and scale bytes without row padding; 4-bit codes one per byte. */
async function unpack({ rows, cols, codes, scales, codeStride, scaleStride }: PackedMatrix, mx: MxQuantizer) {
  const codeBytes = new Uint8Array(await readBuffer(t.gpu, codes, rows * codeStride))
  const scaleBytes = new Uint8Array(await readBuffer(t.gpu, scales, rows * scaleStride))
  const nibbles = mx.format.element.bits === 4
  const blocks = Math.ceil(cols / mx.blockSize)
  const at = (row: number, col: number) => {
    if (!nibbles) return codeBytes[row * codeStride + col]
    return (codeBytes[row * codeStride + (col >> 1)] >> (4 * (col & 1))) & 15
  }
  return {
    codes: Uint8Array.from({ length: rows * cols }, (_, i) => at(Math.floor(i / cols), i % cols)),
    scales: Uint8Array.from(
      { length: rows * blocks },
      (_, i) => scaleBytes[Math.floor(i / blocks) * scaleStride + (i % blocks)],
    ),
  }
}

test.each(groups)('codes and scale bytes are the golden ones: %s', async (group) => {
  for (const golden of packable.filter(({ file, format }) => `${file} ${format}` === group)) {
    const data = dataOf(golden, files.get(golden.file) ?? new Map())
    const quantizer = quantizerOf(golden)
    const matrix = uploadMatrix(t.gpu, t.arena, data.input, golden.input)
    const packed = quantize(t.recorder, t.arena, matrix, quantizer)
    t.recorder.submit()
    const found = await unpack(packed, quantizer)
    expect(found.scales, golden.id).toEqual(data.scales)
    const signBit = 2 ** (quantizer.format.element.bits - 1)
    const inNanBlock = data.values.map((value) => (Number.isNaN(value) ? 1 : 0))
    const comparable = (codes: Uint8Array) => codes.map((code, i) => (inNanBlock[i] || code === signBit ? 0 : code))
    expect(comparable(found.codes), golden.id).toEqual(comparable(data.codes))
  }
})

/** Rows of everything: wide random bit patterns, ordinary numbers, a NaN, zeros; ragged. */
function mixture(rows: number, cols: number): Float32Array {
  let state = 12345
  const words = Uint32Array.from({ length: rows * cols }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const row = Math.floor(i / cols)
    if (row % 4 === 0) return (state & 0x807fffff) | ((100 + (i % 30)) << 23)
    return row % 4 === 1 ? (state & 0x81ffffff) | 0 : state
  })
  return new Float32Array(words.buffer)
}

const of = (id: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(chooseFormat(formatById(id)), { ...STANDARD_MX, ...choices })
const roundTrips: [string, Quantizer][] = [
  ...FORMATS.filter(({ family }) => family === 'mx' || family === 'sixteen-bit').map(({ id }): [string, Quantizer] => [
    id,
    of(id),
  ]),
  ...BLOCK_SIZES.map((blockSize): [string, Quantizer] => [
    `mxfp4 rceil blocks of ${blockSize}`,
    of('mxfp4', { scaleRule: 'rceil', blockSize }),
  ]),
  [
    'mxfp8_e4m3 ceil half-away blocks of 8',
    of('mxfp8_e4m3', { scaleRule: 'ceil', rounding: 'half-away', blockSize: 8 }),
  ],
  [
    'mxint8 even toward-zero blocks of 128',
    of('mxint8', { scaleRule: 'even', rounding: 'toward-zero', blockSize: 128 }),
  ],
  ['mxfp4 best blocks of 16', of('mxfp4', { scaleRule: 'best', blockSize: 16 })],
  ['mxfp4 best blocks of 64', of('mxfp4', { scaleRule: 'best', blockSize: 64 })],
  ['mxfp6_e2m3 best', of('mxfp6_e2m3', { scaleRule: 'best' })],
  ['mxfp4 pre-scale 0.6', of('mxfp4', { preScale: { factor: 0.6, variant: 'exact' } })],
  ['mxfp4 literal pre-scale 0.6', of('mxfp4', { preScale: { factor: 0.6, variant: 'literal' } })],
]

test.each(roundTrips)('dequantizing packed codes gives the bits of fake quantization: %s', async (_, quantizer) => {
  const [rows, cols] = [9, 165]
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data: mixture(rows, cols) }, 'mixture')
  const direct = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  const decoded = dequantize(t.recorder, t.arena, quantize(t.recorder, t.arena, matrix, quantizer))
  t.recorder.submit()
  const words = rows * matrix.stride
  expect(await readWords(t.gpu, decoded.buffer, words)).toEqual(await readWords(t.gpu, direct.buffer, words))
})

test.each(FORMATS.filter(({ family }) => family === 'mx').map(({ id }) => id))(
  'every code of %s decodes under small, ordinary, huge and NaN scales',
  async (id) => {
    const quantizer = of(id)
    const bytes = [0, 1, 2, 60, 127, 200, 252, 253, 254, 255]
    const count = 2 ** ORACLE_FORMATS[id].bits
    const cols = Math.max(count, 32)
    const { codeStride, scaleStride } = packedStrides(cols, quantizer)
    const codes = new Uint8Array(bytes.length * codeStride)
    const scales = new Uint8Array(bytes.length * scaleStride)
    const expected = new Float32Array(bytes.length * cols)
    bytes.forEach((byte, row) => {
      scales.fill(byte, row * scaleStride, (row + 1) * scaleStride)
      for (let col = 0; col < cols; col++) {
        const code = col % count
        if (quantizer.format.element.bits === 4) codes[row * codeStride + (col >> 1)] |= code << (4 * (col & 1))
        else codes[row * codeStride + col] = code
        expected[row * cols + col] = byte === 255 ? Number.NaN : oracleDecode(id, code) * 2 ** (byte - 127)
      }
    })
    const upload = (data: Uint8Array, label: string) =>
      uploadWords(t.gpu, t.arena, new Uint32Array(data.buffer as ArrayBuffer), label)
    const decoded = dequantize(t.recorder, t.arena, {
      rows: bytes.length,
      cols,
      quantizer,
      codes: upload(codes, 'codes'),
      scales: upload(scales, 'scales'),
      context: t.arena.buffer(4, 'no context'),
      codeStride,
      scaleStride,
    })
    t.recorder.submit()
    const found = new Float32Array((await readWords(t.gpu, decoded.buffer, expected.length)).buffer)
    expect(comparableBits(found)).toEqual(comparableBits(expected))
  },
)
