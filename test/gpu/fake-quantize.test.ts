import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import { chooseFormat } from '../../src/formats/format-text'
import {
  BLOCK_SIZES,
  type MxQuantizer,
  type PreScale,
  type Quantizer,
  ROUNDINGS,
  SCALE_RULES,
} from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS, formatById } from '../../src/formats/registry'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { readFloats, readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { ORACLE_FORMATS, oracleBlocks } from '../oracle/mx'
import { comparableBits, mismatches } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { parseFloats } from '../support/safetensors-bytes'

const t = gpuFixture()
const mxIds = FORMATS.filter(({ family }) => family === 'mx').map(({ id }) => id)
const powerRules = SCALE_RULES.filter((rule) => rule !== 'fp32')

function mx(id: string, choices: Partial<MxChoices> = {}): MxQuantizer {
  const quantizer = makeQuantizer(chooseFormat(formatById(id)), { ...STANDARD_MX, ...choices })
  if (quantizer.family !== 'mx') throw new Error(`${id} is no MX format`)
  return quantizer
}

async function onGpu(data: Float32Array, cols: number, quantizer: Quantizer): Promise<Float32Array> {
  const matrix = uploadMatrix(t.gpu, t.arena, { rows: data.length / cols, cols, data }, 'input')
  const result = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  t.recorder.submit()
  return (await readMatrix(t.gpu, result)).data
}

/** Where `found` is none of the answers the oracle allows for its block, the first few. */
function wrongBlocks(found: Float32Array, data: Float32Array, cols: number, quantizer: MxQuantizer): string[] {
  const { blockSize, format, preScale } = quantizer
  const bad: string[] = []
  for (let row = 0; row < data.length; row += cols) {
    for (let at = row; at < row + cols && bad.length < 5; at += blockSize) {
      const end = Math.min(at + blockSize, row + cols)
      const allowed = oracleBlocks(format.id, data.subarray(at, end), quantizer)
      const lists = allowed.map((block) => mismatches(found.subarray(at, end), block, preScale !== null))
      if (lists.every((list) => list.length > 0)) bad.push(`block at ${at}: ${lists[0][0]}`)
    }
  }
  return bad
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

const roundings = mxIds.flatMap((id) => ROUNDINGS.map((rounding) => ({ id, rounding })))

test.each(roundings)(
  'every exponent, tie and sign rounds to the nearest code: $id $rounding',
  async ({ id, rounding }) => {
    const quantizer = mx(id, { rounding })
    const data = everyExponent(ORACLE_FORMATS[id].fractionBits, depthsOf(id))
    expect(wrongBlocks(await onGpu(data, 32, quantizer), data, 32, quantizer)).toEqual([])
  },
)

const allHalves = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer)
const halves = ['mxfp4', 'mxfp8_e4m3'].flatMap((id) => ['F16', 'BF16'].map((dtype) => ({ id, dtype })))

test.each(halves)('all 65,536 $dtype values quantize as the oracle says: $id', async ({ id, dtype }) => {
  const quantizer = mx(id)
  // The second copy is in an order that mixes exponents inside a block.
  const inOrder = parseFloats(dtype, allHalves)
  const mixed = inOrder.map((_, i) => inOrder[(i * 20_483) % inOrder.length])
  for (const data of [inOrder, mixed]) {
    expect(wrongBlocks(await onGpu(data, 256, quantizer), data, 256, quantizer)).toEqual([])
  }
})

/** Random f32 bits, exponents in a window that moves over the whole range; then a row of anything, NaN included. */
function randomBits(count: number, cols: number): Float32Array {
  let state = 99
  const words = Uint32Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (i >= count - cols) return state
    const base = Math.floor((i * 244) / count)
    return ((state & 0x807fffff) | ((base + ((state >>> 26) % 12)) << 23)) >>> 0
  })
  return new Float32Array(words.buffer)
}

const COLS = 424 // thirteen chunks and a quarter: short last blocks of every size
const e2m1Cases = powerRules.flatMap((scaleRule) => BLOCK_SIZES.map((blockSize) => ({ scaleRule, blockSize })))

test.each(e2m1Cases)(
  'random bits become what the oracle says: mxfp4 $scaleRule, blocks of $blockSize, every rounding and pre-scale',
  async ({ scaleRule, blockSize }) => {
    const data = randomBits(10 * COLS, COLS)
    const preScales: (PreScale | null)[] = [null, { factor: 0.75, variant: 'exact' }]
    if (blockSize === 32) {
      for (const factor of [0.5, 0.611, 2 / 3, 0.999]) preScales.push({ factor, variant: 'exact' })
      for (const factor of [0.5, 0.75, 0.9]) preScales.push({ factor, variant: 'literal' })
    }
    for (const rounding of ROUNDINGS) {
      for (const preScale of preScales) {
        const quantizer = mx('mxfp4', { scaleRule, blockSize, rounding, preScale })
        const found = await onGpu(data, COLS, quantizer)
        expect(wrongBlocks(found, data, COLS, quantizer), `${rounding} ${preScale?.factor}`).toEqual([])
      }
    }
  },
)

/** Every element with every rule, rounding and block size in turn, each pair of a rule with another choice met. */
const wideCases = mxIds
  .filter((id) => id !== 'mxfp4')
  .flatMap((id, i) =>
    powerRules.map((scaleRule, j) => ({
      id,
      scaleRule,
      rounding: ROUNDINGS[(i + j) % 3],
      blockSize: BLOCK_SIZES[(2 * i + j) % 5],
    })),
  )

test.each(wideCases)(
  'random bits become what the oracle says: $id $scaleRule $rounding, blocks of $blockSize',
  async ({ id, ...choices }) => {
    const quantizer = mx(id, choices)
    const data = randomBits(10 * COLS, COLS)
    expect(wrongBlocks(await onGpu(data, COLS, quantizer), data, COLS, quantizer)).toEqual([])
  },
)

test.each(['mxfp4', 'mxfp8_e5m2', 'mxint8'])(
  'blocks whose maximum is subnormal become zero on request: %s',
  async (id) => {
    const data = everyExponent(1, [0]).subarray(0, 4 * 1024)
    const quantizer = { ...mx(id), flushSubnormalBlocks: true }
    const found = await onGpu(data, 32, quantizer)
    expect(wrongBlocks(found, data, 32, quantizer)).toEqual([])
    expect(found).not.toEqual(await onGpu(data, 32, mx(id)))
  },
)

/** Blocks whose largest elements are the smallest normal numbers, and many others subnormal. */
function nearlySubnormal(count: number): Float32Array {
  let state = 5
  const words = Uint32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 6 // exponent fields 0 to 7
  })
  return new Float32Array(words.buffer)
}

test.each(['mxfp4', 'mxfp8_e5m2'])('the better of two scales is found among subnormals too: %s', async (id) => {
  const data = nearlySubnormal(8192)
  for (let i = 0; i < data.length; i++) if (i % 32 > 3) data[i] /= 16
  const quantizer = mx(id, { scaleRule: 'best' })
  expect(wrongBlocks(await onGpu(data, 1024, quantizer), data, 1024, quantizer)).toEqual([])
})

/** The f32 nearest to boundary / factor for every E2M1 boundary and some units either side, in blocks of maximum 4 · 2^k. */
function preScaledBoundaries(factor: number): Float32Array {
  const words: number[] = []
  for (let k = -150; k <= 125; k++) {
    const maximum = new Uint32Array(Float32Array.of(4 * 2 ** k).buffer)[0]
    for (let first = 0; first < 7; first += 3) {
      const near = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5].slice(first, first + 3).flatMap((boundary) => {
        const [bits] = new Uint32Array(Float32Array.of((boundary * 2 ** k) / factor).buffer)
        return [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((units) => Math.min(Math.max(bits + units, 0), 0x7f7fffff))
      })
      const block = [maximum, ...near]
      while (block.length < 32) block.push(0)
      words.push(...block)
    }
  }
  return new Float32Array(Uint32Array.from(words).buffer)
}

test.each([0.75, 0.7, 0.5])('pre-scaled elements turn where x times the factor does: %s', async (factor) => {
  const data = preScaledBoundaries(factor)
  for (const rounding of ROUNDINGS) {
    const quantizer = mx('mxfp4', { rounding, preScale: { factor, variant: 'exact' } })
    expect(wrongBlocks(await onGpu(data, 32, quantizer), data, 32, quantizer), rounding).toEqual([])
  }
})

test('a pre-scale needs no pipeline of its own', async () => {
  const created: string[] = []
  const create = t.gpu.device.createComputePipeline
  t.gpu.device.createComputePipeline = (descriptor) => {
    created.push(String(descriptor.label))
    return create.call(t.gpu.device, descriptor)
  }
  try {
    await onGpu(new Float32Array(64), 32, mx('mxfp4'))
    created.length = 0
    for (const factor of [0.51, 0.52, 0.53]) {
      await onGpu(new Float32Array(64), 32, mx('mxfp4', { preScale: { factor, variant: 'exact' } }))
    }
  } finally {
    t.gpu.device.createComputePipeline = create
  }
  expect(created).toEqual([])
})

test.each(['mxfp4', 'mxfp8_e4m3'])('%s: short last blocks, special blocks and padding', async (id) => {
  const quantizer = mx(id)
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
  const rowsOf = (values: Float32Array, from: number, to: number) =>
    Array.from({ length: rows }, (_, row) => values.subarray(row * result.stride + from, row * result.stride + to))
  expect(rowsOf(padded, cols, result.stride).flatMap((row) => [...row])).toEqual(
    new Array(rows * (result.stride - cols)).fill(0),
  )
  const values = Float32Array.from(rowsOf(padded, 0, cols).flatMap((row) => [...row]))
  expect(wrongBlocks(values, data, cols, quantizer)).toEqual([])
  const nanPerRow = rowsOf(values, 0, 0).map((_, row) => {
    return values.subarray(row * cols, (row + 1) * cols).filter(Number.isNaN).length
  })
  expect(nanPerRow).toEqual([0, 0, 32, 13, 0, 0])
})

/** The scalar codec of src/formats, chunk by chunk of `blockSize` along the rows. */
function byCodec(data: Float32Array, cols: number, blockSize: number, quantizer: Quantizer): Float32Array {
  const expected = new Float32Array(data.length)
  for (let row = 0; row < data.length; row += cols) {
    for (let at = row; at < row + cols; at += blockSize) {
      const block = data.subarray(at, Math.min(at + blockSize, row + cols))
      expected.set(decodeBlock(encodeBlock(block, quantizer), quantizer), at)
    }
  }
  return expected
}

const codecCases = mxIds.flatMap((id) => [
  mx(id, { scaleRule: 'rceil' }),
  mx(id, { preScale: { factor: 0.7, variant: 'exact' } }),
  mx(id, { preScale: { factor: 0.7, variant: 'literal' } }),
])

test.each(codecCases)(
  'kernel and scalar codec agree bit for bit: $format.id $scaleRule $preScale.variant',
  async (quantizer) => {
    const data = randomBits(5 * COLS, COLS)
    const found = await onGpu(data, COLS, quantizer)
    expect(comparableBits(found)).toEqual(comparableBits(byCodec(data, COLS, quantizer.blockSize, quantizer)))
  },
)

test.each(['bf16', 'fp16'])('16-bit floats round to the nearest, ties to even, and saturate: %s', async (id) => {
  const quantizer = makeQuantizer(chooseFormat(formatById(id)), STANDARD_MX)
  const data = everyExponent(id === 'bf16' ? 7 : 10, [0])
  const mixed = Float32Array.of(...data, ...randomBits(1024, 1024), Infinity, -Infinity, Number.NaN)
  const found = await onGpu(mixed, mixed.length, quantizer)
  expect(comparableBits(found)).toEqual(comparableBits(byCodec(mixed, mixed.length, mixed.length, quantizer)))
  expect([...found.subarray(-3)]).toEqual([Infinity, -Infinity, Number.NaN])
})
