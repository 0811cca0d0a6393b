import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { chooseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { formatById } from '../../src/formats/registry'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { PACKED_DOT_FEATURE } from '../../src/gpu/kernels/packed-dot'
import { type PackedMatrix, packedStrides } from '../../src/gpu/kernels/packed-matrix'
import { type PackedVariant, packedProduct, packedVariant } from '../../src/gpu/kernels/packed-product'
import { quantize } from '../../src/gpu/kernels/quantize'
import { Recorder } from '../../src/gpu/recorder'
import { readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { exactNt, worstErrorRatio } from '../oracle/matmul'
import { oracleDecode } from '../oracle/mx'
import { gpuFixture, testNavigatorGpu } from '../support/gpu'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()

/** Without the language feature integer-dot cannot be compiled: its tests are then shown as skipped. */
const testDot = test.skipIf(!(await testNavigatorGpu()).wgslLanguageFeatures.has(PACKED_DOT_FEATURE))

const of = (id: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(chooseFormat(formatById(id)), { ...STANDARD_MX, ...choices })
const MXFP4 = of('mxfp4')

/** Rows of very different size, and one of zeros: neighbouring blocks have neighbouring and distant scales. */
function spread(rows: number, cols: number, seed: number): Matrix {
  const matrix = gaussian(rows, cols, seed)
  const data = matrix.data.map((value, i) => {
    const row = Math.floor(i / cols)
    return row === 3 ? 0 : value * 2 ** (((row * 7) % 40) - 20 + (Math.floor((i % cols) / 32) % 5))
  })
  return { rows, cols, data }
}

const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'operand')

const SIZES: [tokens: number, out: number, inner: number][] = [
  [1, 1, 1],
  [7, 33, 65],
  [70, 37, 190],
]

interface Case {
  readonly variant: PackedVariant
  /** null: f32 activations. */
  readonly x: Quantizer | null
  readonly w: Quantizer
}

const CASES: Record<string, Case> = {
  'decode-once, MXFP4 x MXFP4': { variant: 'decode-once', x: MXFP4, w: MXFP4 },
  'decode-once, f32 x MXFP4': { variant: 'decode-once', x: null, w: MXFP4 },
  'decode-once, MXFP8 x MXFP8': { variant: 'decode-once', x: of('mxfp8_e4m3'), w: of('mxfp8_e4m3') },
  'decode-once, MXFP8 x MXFP4 with a pre-scale': {
    variant: 'decode-once',
    x: of('mxfp8_e4m3'),
    w: of('mxfp4', { preScale: { factor: 0.75, variant: 'exact' } }),
  },
  'decode-in-loop, f32 x MXFP4': { variant: 'decode-in-loop', x: null, w: MXFP4 },
  'decode-in-loop, MXFP8 x MXFP4': { variant: 'decode-in-loop', x: of('mxfp8_e4m3'), w: MXFP4 },
}
const DOT: Case = { variant: 'integer-dot', x: MXFP4, w: of('mxfp4', { scaleRule: 'even' }) }

async function expectRoundedProduct({ variant, x, w }: Case): Promise<void> {
  for (const [tokens, out, inner] of SIZES) {
    poison(t.gpu, t.arena, tokens, out)
    const [a, b] = [upload(spread(tokens, inner, 1)), upload(spread(out, inner, 2))]
    const left = x === null ? a : quantize(t.recorder, t.arena, a, x)
    const right = quantize(t.recorder, t.arena, b, w)
    const y = packedProduct(t.recorder, t.arena, left, right, variant)
    const roundedA = x === null ? a : fakeQuantize(t.recorder, t.arena, a, x)
    const roundedB = fakeQuantize(t.recorder, t.arena, b, w)
    const rounded = matmulNt(t.recorder, t.arena, roundedA, roundedB)
    t.recorder.submit()
    expect([y.rows, y.cols]).toEqual([tokens, out])
    const [found, other] = [await readChecked(t.gpu, y), await readChecked(t.gpu, rounded)]
    const exact = exactNt(await readMatrix(t.gpu, roundedA), await readMatrix(t.gpu, roundedB))
    expect(worstErrorRatio(exact, found, inner), `${inner} channels`).toBeLessThanOrEqual(1)
    // Decoded once it is the same kernel on the same bits.
    if (variant === 'decode-once') expect(found, `${inner} channels`).toEqual(other)
    else expect(worstErrorRatio(exact, other, inner), `${inner} channels`).toBeLessThanOrEqual(1)
  }
}

test.each(Object.keys(CASES))('%s: the product of the rounded matrices, within the bound of an f32 sum', (name) =>
  expectRoundedProduct(CASES[name]),
)
testDot('integer-dot, MXFP4 x MXFP4: the product of the rounded matrices, within the bound of an f32 sum', () =>
  expectRoundedProduct(DOT),
)

interface Crafted {
  readonly packed: PackedMatrix
  /** Of element (row, col), in float64; NaN in blocks with byte 255. */
  readonly value: (row: number, col: number) => number
}

/** Codes `codeOf(row, col)` under scale bytes that row r takes from `bytes[r]` in turn, block by block. */
function craft(
  bytes: readonly (readonly number[])[],
  blocks: number,
  codeOf: (row: number, col: number) => number,
): Crafted {
  const [rows, cols] = [bytes.length, 32 * blocks]
  const { codeStride, scaleStride } = packedStrides(cols, MXFP4)
  const codes = new Uint8Array(rows * codeStride)
  const scales = new Uint8Array(rows * scaleStride)
  const byteOf = (row: number, block: number) => bytes[row][block % bytes[row].length]
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) scales[row * scaleStride + block] = byteOf(row, block)
    for (let col = 0; col < cols; col++) codes[row * codeStride + (col >> 1)] |= codeOf(row, col) << (4 * (col & 1))
  }
  const toGpu = (data: Uint8Array<ArrayBuffer>) => uploadWords(t.gpu, t.arena, new Uint32Array(data.buffer), 'crafted')
  const context = t.arena.buffer(4, 'no context')
  return {
    packed: {
      rows,
      cols,
      quantizer: MXFP4,
      codes: toGpu(codes),
      scales: toGpu(scales),
      codeStride,
      scaleStride,
      context,
    },
    value: (row, col) => {
      const byte = byteOf(row, Math.floor(col / 32))
      return byte === 255 ? Number.NaN : oracleDecode('mxfp4', codeOf(row, col)) * 2 ** (byte - 127)
    },
  }
}

/** Codes of no pattern a row or column repeats. */
const mixed = (step: number) => (row: number, col: number) => (((row * 977 + col) * step) % 251) & 15

/** Scales at both ends of what a byte says and of what the kernels call ordinary, alone and beside ordinary ones. */
const X_BYTES = [[127], [0], [1, 127], [65, 66], [190, 191], [254], [127, 254], [126, 255, 127], [0, 60, 120, 180, 254]]
const W_BYTES = [[127], [0], [127, 2], [66, 65, 190, 191], [127, 128, 255], [200], [254, 0], [60], [1, 253, 130]]

/** Compares y with the float64 product of `x` and `w`; says how many elements were finite and how many NaN. */
async function expectProduct(y: GpuMatrix, x: Crafted['value'], w: Crafted['value'], inner: number) {
  const found = await readChecked(t.gpu, y)
  const counts = { finite: 0, nan: 0 }
  found.forEach((actual, i) => {
    const [row, col] = [Math.floor(i / y.cols), i % y.cols]
    let [sum, magnitude] = [0, 0]
    for (let k = 0; k < inner; k++) {
      sum += x(row, k) * w(col, k)
      magnitude += Math.abs(x(row, k) * w(col, k))
    }
    if (Number.isNaN(sum)) {
      expect(actual, `element (${row}, ${col})`).toBeNaN()
      counts.nan += 1
    } else if (magnitude < 2 ** 127) {
      // What is subnormal may be lost in each addition.
      const bound = (inner + 2) * (2 ** -23 * magnitude + 2 ** -126)
      expect(Math.abs(actual - sum), `element (${row}, ${col})`).toBeLessThanOrEqual(bound)
      counts.finite += 1
    }
  })
  return counts
}

testDot('integer-dot is right under every kind of scale', async () => {
  const [x, w] = [craft(X_BYTES, 5, mixed(37)), craft(W_BYTES, 5, mixed(91))]
  const y = packedProduct(t.recorder, t.arena, x.packed, w.packed, 'integer-dot')
  t.recorder.submit()
  // One row of nine and one column of nine are NaN.
  expect(await expectProduct(y, x.value, w.value, 160)).toEqual({ finite: 41, nan: 17 })
})

test('decode-in-loop is right under every kind of scale', async () => {
  // Small enough for the largest scale, and large enough for the smallest.
  const { rows, cols, data } = gaussian(9, 160, 3)
  const a = { rows, cols, data: data.map((value, i) => value * 2 ** (i < 4 * cols ? -20 : 60)) }
  const w = craft(W_BYTES, 5, mixed(91))
  const y = packedProduct(t.recorder, t.arena, upload(a), w.packed, 'decode-in-loop')
  t.recorder.submit()
  expect(await expectProduct(y, (row, k) => a.data[row * 160 + k], w.value, 160)).toEqual({ finite: 52, nan: 9 })
})

testDot('integer-dot multiplies any two codes exactly', async () => {
  // Row c of each side holds code c in element 5 of its block and zeros elsewhere.
  const one = () => craft(new Array(16).fill([127]), 1, (row, col) => (col === 5 ? row : 0))
  const [x, w] = [one(), one()]
  const y = packedProduct(t.recorder, t.arena, x.packed, w.packed, 'integer-dot')
  t.recorder.submit()
  const found = await readChecked(t.gpu, y)
  // The sign of a zero is not kept.
  const expected = found.map((_, i) => x.value(i >> 4, 5) * w.value(i % 16, 5) + 0)
  expect(found.map((value) => value + 0)).toEqual(expected)
})

/** 2 · 1,100 · 2,048 operations a row: a software adapter takes 64 rows a dispatch, so 65 rows take two. */
async function expectSameInChunks(variant: PackedVariant): Promise<void> {
  poison(t.gpu, t.arena, 65, 1100)
  const [x, w] = [
    craft(new Array(65).fill([127, 120]), 64, mixed(37)),
    craft(new Array(1100).fill([126]), 64, mixed(91)),
  ]
  const run = async (isSoftware: boolean) => {
    const recorder = new Recorder({ ...t.gpu, adapter: { ...t.gpu.adapter, isSoftware } })
    const y = packedProduct(recorder, t.arena, x.packed, w.packed, variant)
    recorder.submit()
    return readChecked(t.gpu, y)
  }
  expect(await run(true)).toEqual(await run(false))
}

test('decode-in-loop gives the same bits in one dispatch and in two', () => expectSameInChunks('decode-in-loop'))
testDot('integer-dot gives the same bits in one dispatch and in two', () => expectSameInChunks('integer-dot'))

test('few tokens, and weights too large to decode, are decoded in the loop where they can be', () => {
  const w = quantize(t.recorder, t.arena, upload(gaussian(40, 64, 1)), MXFP4)
  const other = quantize(t.recorder, t.arena, upload(gaussian(40, 64, 1)), of('mxfp8_e4m3'))
  const small = { ...t.gpu, pool: { ...t.gpu.pool, limitBytes: 4 * 40 * 64 - 1 } }
  const [few, many] = [63, 64].map((tokens) => t.arena.matrix(tokens, 64, 'x'))
  expect(packedVariant(t.gpu, few, w)).toBe('decode-in-loop')
  expect(packedVariant(t.gpu, many, w)).toBe('decode-once')
  expect(packedVariant(small, many, w)).toBe('decode-in-loop')
  expect(packedVariant(t.gpu, few, other)).toBe('decode-once')
  t.recorder.submit()
})

test('many tokens are multiplied as integers where the device chose it and can', () => {
  const of64 = (tokens: number, quantizer = MXFP4) =>
    quantize(t.recorder, t.arena, upload(gaussian(tokens, 64, 1)), quantizer)
  const [few, many, other, w] = [of64(63), of64(64), of64(64, of('mxfp8_e4m3')), of64(40)]
  const languageFeatures = new Set([PACKED_DOT_FEATURE])
  const choices = { ...t.gpu.choices, packed: 'integer-dot' } as const
  const chosen = { ...t.gpu, languageFeatures, choices }
  expect(packedVariant(chosen, many, w)).toBe('integer-dot')
  expect(packedVariant(chosen, few, w)).toBe('decode-in-loop')
  expect(packedVariant(chosen, other, w)).toBe('decode-once')
  expect(packedVariant(chosen, t.arena.matrix(64, 64, 'x'), w)).toBe('decode-once')
  expect(packedVariant({ ...chosen, languageFeatures: new Set<string>() }, many, w)).toBe('decode-once')
  expect(packedVariant({ ...t.gpu, languageFeatures }, many, w)).toBe('decode-once')
  t.recorder.submit()
})

test('operands a variant cannot multiply are refused', () => {
  const x = quantize(t.recorder, t.arena, upload(gaussian(4, 64, 1)), MXFP4)
  const as = (choices: Partial<MxChoices>, id = 'mxfp4') => ({ ...x, quantizer: of(id, choices) })
  const withDot = { ...t.gpu, languageFeatures: new Set([PACKED_DOT_FEATURE]) }
  const multiply = (left: GpuMatrix | PackedMatrix, right: PackedMatrix, variant: PackedVariant, gpu = withDot) => {
    return () => packedProduct(new Recorder(gpu), t.arena, left, right, variant)
  }
  expect(multiply({ ...x, cols: 32 }, x, 'decode-once')).toThrow('equal inner dimensions, found 32 and 64')
  expect(multiply(upload(gaussian(4, 64, 1)), x, 'integer-dot')).toThrow('found f32 x mxfp4')
  const without = { ...t.gpu, languageFeatures: new Set<string>() }
  expect(multiply(x, x, 'integer-dot', without)).toThrow('integer-dot can multiply here, found mxfp4 x mxfp4')
  const preScale = { factor: 0.75, variant: 'exact' } as const
  for (const other of [as({ blockSize: 16 }), as({ scaleRule: 'fp32' }), as({ preScale }), as({}, 'mxfp8_e4m3')]) {
    expect(multiply(x, other, 'integer-dot')).toThrow('integer-dot can multiply here')
    expect(multiply(other, x, 'integer-dot')).toThrow('integer-dot can multiply here')
    expect(multiply(x, other, 'decode-in-loop')).toThrow('decode-in-loop can multiply here')
  }
  t.recorder.submit()
})
