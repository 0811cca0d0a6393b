import { expect, test } from 'vitest'
import { type Quantizer, ROUNDINGS, SCALE_RULES } from '../../src/formats/number-format'
import { makeQuantizer, type QuantizerChoices } from '../../src/formats/quantizer'
import { FORMATS, formatById } from '../../src/formats/registry'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { isE2m1Fast } from '../../src/gpu/kernels/fake-quantize-e2m1'
import { fakeQuantizeMx } from '../../src/gpu/kernels/fake-quantize-mx'
import { readFloats, readMatrix, readWords, uploadMatrix } from '../../src/gpu/transfer'
import { ORACLE_FORMATS, oracleBlock } from '../oracle/mx'
import { mismatches } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { parseFloats } from '../support/safetensors-bytes'

const t = gpuFixture()
const plain = { scaleRule: 'floor', rounding: 'half-even', preScale: null } as const

async function onGpu(data: Float32Array, cols: number, quantizer: Quantizer): Promise<Float32Array> {
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: data.length / cols, cols, data }, 'input')
  const result = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  t.recorder.submit()
  return (await readMatrix(t.gpu, result)).data
}

function byOracle(
  data: Float32Array,
  cols: number,
  { format, scaleRule, rounding, preScale }: Quantizer,
): Float32Array {
  const expected = new Float32Array(data.length)
  for (let row = 0; row < data.length; row += cols) {
    for (let at = row; at < row + cols; at += format.blockSize) {
      const block = data.subarray(at, Math.min(at + format.blockSize, row + cols))
      expected.set(oracleBlock(format.id, block, scaleRule, rounding, preScale), at)
    }
  }
  return expected
}

/** Mantissas worth trying: both ends, and the ties of the element (nine at most) with a unit either side. */
function mantissas(fractionBits: number): number[] {
  const chosen = [0, 1, 0x7fffff]
  const codes = 2 ** fractionBits
  for (let i = 0; i < Math.min(codes, 9); i++) {
    const code = codes <= 8 ? i : Math.round((i * (codes - 1)) / 8)
    const tie = (2 * code + 1) * 2 ** (22 - fractionBits)
    chosen.push(tie - 1, tie, tie + 1)
  }
  return chosen
}

/**
 * Every exponent with these mantissas and both signs, in blocks of 32 whose first element is larger by 0 … 2^depth and
 * so puts the others at the top, in the middle, among the subnormals and under the smallest step of the element.
 */
function everyExponent(fractionBits: number, depths: readonly number[]): Float32Array {
  const words: number[] = []
  for (let exponent = 0; exponent < 255; exponent++) {
    const values = mantissas(fractionBits).flatMap((mantissa) => [
      exponent * 2 ** 23 + mantissa,
      2 ** 31 + exponent * 2 ** 23 + mantissa,
    ])
    for (const depth of depths) {
      for (let i = 0; i < values.length; i += 31) {
        const block = [Math.min(exponent + depth, 254) * 2 ** 23, ...values.slice(i, i + 31)]
        while (block.length < 32) block.push(0)
        words.push(...block)
      }
    }
  }
  return new Float32Array(Uint32Array.from(words).buffer)
}

/** Exponents below the block maximum at which the element's normal numbers, and all its numbers, end. */
function depthsOf(id: string): number[] {
  const { magnitudes, emax, fractionBits } = ORACLE_FORMATS[id]
  const smallest = Math.log2(magnitudes[1])
  const normal = emax - smallest - fractionBits
  return [0, 1, normal, normal + fractionBits, normal + fractionBits + 2]
}

const roundings = FORMATS.flatMap((format) => ROUNDINGS.map((rounding) => ({ id: format.id, rounding })))

test.each(roundings)(
  'every exponent, tie and sign rounds to the nearest code: $id $rounding',
  async ({ id, rounding }) => {
    const quantizer = makeQuantizer(formatById(id), { ...plain, rounding })
    const data = everyExponent(ORACLE_FORMATS[id].fractionBits, depthsOf(id))
    expect(mismatches(await onGpu(data, 32, quantizer), byOracle(data, 32, quantizer))).toEqual([])
  },
)

const allHalves = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer)
const halves = ['mxfp4', 'mxfp8_e4m3'].flatMap((id) => ['F16', 'BF16'].map((dtype) => ({ id, dtype })))

test.each(halves)('all 65,536 $dtype values quantize as the oracle says: $id', async ({ id, dtype }) => {
  const quantizer = makeQuantizer(formatById(id), plain)
  // The second copy is in an order that mixes exponents inside a block.
  const inOrder = parseFloats(dtype, allHalves)
  const mixed = inOrder.map((_, i) => inOrder[(i * 20_483) % inOrder.length])
  for (const data of [inOrder, mixed]) {
    expect(mismatches(await onGpu(data, 256, quantizer), byOracle(data, 256, quantizer))).toEqual([])
  }
})

/** Random f32 bits, exponents in a window that moves over the whole range. */
function randomBits(count: number): Float32Array {
  let state = 99
  const words = Uint32Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const base = Math.floor(i / 32) % 240
    return ((state & 0x807fffff) | ((base + ((state >>> 26) % 12)) << 23)) >>> 0
  })
  return new Float32Array(words.buffer)
}

const e2m1: QuantizerChoices[] = SCALE_RULES.map((scaleRule) => ({ ...plain, scaleRule }))
for (const rounding of ROUNDINGS) {
  if (rounding !== 'half-even') e2m1.push({ ...plain, rounding })
  e2m1.push({ ...plain, rounding, preScale: 0.75 })
}

test.each(e2m1)(
  'the comparing E2M1 kernel and the general one agree bit for bit: $scaleRule $rounding $preScale',
  async (choices) => {
    const quantizer = makeQuantizer(formatById('mxfp4'), choices)
    const data = randomBits(16_384)
    const matrix = uploadMatrix(t.gpu, t.arena, { rows: 16, cols: 1024, data }, 'input')
    const fast = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
    const general = fakeQuantizeMx(t.recorder, t.arena, matrix, quantizer)
    t.recorder.submit()
    expect(isE2m1Fast(quantizer)).toBe(choices.preScale === null || choices.rounding !== 'toward-zero')
    expect(await readWords(t.gpu, fast.buffer, data.length)).toEqual(
      await readWords(t.gpu, general.buffer, data.length),
    )
    const found = await readFloats(t.gpu, fast.buffer, data.length)
    expect(mismatches(found, byOracle(data, 1024, quantizer), quantizer.preScale !== null)).toEqual([])
  },
)

/** The f32 nearest to 4/3 of every E2M1 boundary and four units either side, in blocks with maximum 4 · 2^k. */
function preScaledBoundaries(): Float32Array {
  const words: number[] = []
  for (let k = -150; k <= 125; k++) {
    const maximum = new Uint32Array(Float32Array.of(4 * 2 ** k).buffer)[0]
    for (let first = 0; first < 7; first += 3) {
      const near = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5].slice(first, first + 3).flatMap((boundary) => {
        const [bits] = new Uint32Array(Float32Array.of((boundary * 2 ** k * 4) / 3).buffer)
        return [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((units) => Math.max(bits + units, 0))
      })
      const block = [maximum, ...near]
      while (block.length < 32) block.push(0)
      words.push(...block)
    }
  }
  return new Float32Array(Uint32Array.from(words).buffer)
}

test.each(['half-even', 'half-away'] as const)(
  'pre-scaled elements turn at 4/3 of the boundaries: %s',
  async (rounding) => {
    const quantizer = makeQuantizer(formatById('mxfp4'), { ...plain, rounding, preScale: 0.75 })
    const data = preScaledBoundaries()
    expect(mismatches(await onGpu(data, 32, quantizer), byOracle(data, 32, quantizer))).toEqual([])
  },
)

test.each(SCALE_RULES)('random bits of every format follow the scale rule %s', async (scaleRule) => {
  const data = randomBits(4096)
  for (const format of FORMATS) {
    const quantizer = makeQuantizer(format, { ...plain, scaleRule })
    expect(mismatches(await onGpu(data, 512, quantizer), byOracle(data, 512, quantizer)), format.id).toEqual([])
  }
})

test.each(['mxfp4', 'mxfp8_e4m3'])('%s: short last blocks, special blocks and padding', async (id) => {
  const quantizer = makeQuantizer(formatById(id), plain)
  const [rows, cols] = [6, 45]
  const data = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i) * 3)
  data.fill(0, cols, 2 * cols)
  data[2 * cols + 3] = Number.NaN
  data[3 * cols + 40] = -Infinity
  for (let i = 4 * cols; i < 5 * cols; i++) data[i] *= 2 ** -130
  for (let i = 5 * cols; i < 6 * cols; i++) data[i] *= 2 ** 126
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'input')
  const result = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  t.recorder.submit()
  const padded = await readFloats(t.gpu, result.buffer, rows * result.stride)
  const expected = new Float32Array(rows * result.stride)
  const values = byOracle(data, cols, quantizer)
  for (let row = 0; row < rows; row++) expected.set(values.subarray(row * cols, (row + 1) * cols), row * result.stride)
  expect(mismatches(padded, expected)).toEqual([])
  const nanPerRow = Array.from({ length: rows }, (_, row) => {
    return padded.subarray(row * result.stride, (row + 1) * result.stride).filter(Number.isNaN).length
  })
  expect(nanPerRow).toEqual([0, 0, 32, 13, 0, 0])
})
