import { expect, test } from 'vitest'
import { chooseFormat, parseFormat } from '../../src/formats/format-text'
import type { MxQuantizer, Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { formatById } from '../../src/formats/registry'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { operandErrorSums, readOperandErrors } from '../../src/gpu/kernels/operand-error-sums'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { ORACLE_FORMATS, oracleScaleByte } from '../oracle/mx'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

function mx(id: string, choices: Partial<MxChoices> = {}): MxQuantizer {
  const quantizer = makeQuantizer(chooseFormat(formatById(id)), { ...STANDARD_MX, ...choices })
  if (quantizer.family !== 'mx') throw new Error(`${id} is no MX format`)
  return quantizer
}

async function measure(data: Float32Array, rows: number, cols: number, quantizer: Quantizer) {
  const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data }, 'input')
  const rounded = fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  const sums = operandErrorSums(t.recorder, t.arena, matrix, rounded, quantizer)
  t.recorder.submit()
  return { totals: await readOperandErrors(t.gpu, sums), rounded: (await readMatrix(t.gpu, rounded)).data, sums }
}

/** The definitions, element by element in float64. The scale rule is not `best`, which has no byte of its own. */
function expected(data: Float32Array, rounded: Float32Array, cols: number, quantizer: MxQuantizer) {
  const { format, blockSize, scaleRule, preScale } = quantizer
  const largest = Math.max(...ORACLE_FORMATS[format.id].magnitudes.filter(Number.isFinite))
  const totals = { signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: data.length }
  const multiplied = data.map((value) => value * (preScale?.factor ?? 1))
  for (let i = 0; i < data.length; i++) {
    const row = i - (i % cols)
    const start = row + Math.floor((i % cols) / blockSize) * blockSize
    const source = preScale?.variant === 'literal' ? multiplied : data
    const block = source.subarray(start, Math.min(start + blockSize, row + cols))
    const scale = 2 ** (oracleScaleByte(format.id, scaleRule, Math.max(...block.map(Math.abs))) - 127)
    totals.signalEnergy += data[i] ** 2
    totals.noiseEnergy += (rounded[i] - data[i]) ** 2
    if ((Math.abs(data[i]) / scale) * (preScale?.factor ?? 1) > largest) totals.clipped += 1
    if (data[i] !== 0 && rounded[i] === 0) totals.flushed += 1
  }
  return totals
}

const exact = { factor: 0.75, variant: 'exact' } as const
const literal = { factor: 0.75, variant: 'literal' } as const
const cases: [string, string, Partial<MxChoices>][] = [
  ['mxfp4', 'mxfp4', {}],
  ['mxfp4 even', 'mxfp4', { scaleRule: 'even' }],
  ['mxfp4 blocks of 8', 'mxfp4', { blockSize: 8 }],
  ['mxfp4 blocks of 128', 'mxfp4', { blockSize: 128 }],
  ['mxfp4 pre-scale', 'mxfp4', { preScale: exact }],
  ['mxfp4 pre-scale 0.95', 'mxfp4', { preScale: { factor: 0.95, variant: 'exact' } }],
  ['mxfp4 literal pre-scale', 'mxfp4', { preScale: literal }],
  ['mxfp8_e4m3', 'mxfp8_e4m3', {}],
]

test.each(cases)('energies and counts are those of the definition: %s', async (_, id, choices) => {
  const [rows, cols] = [70, 301]
  const quantizer = mx(id, choices)
  const data = Float32Array.from({ length: rows * cols }, (_, i) =>
    i % 11 ? Math.sin(i * i) * 2 ** (4 * Math.sin(i)) : 0,
  )
  data[1234] = 2 ** -140 // a subnormal is flushed, not zero
  const { totals, rounded } = await measure(data, rows, cols, quantizer)
  const definition = expected(data, rounded, cols, quantizer)
  expect({ ...totals, signalEnergy: 0, noiseEnergy: 0 }).toEqual({ ...definition, signalEnergy: 0, noiseEnergy: 0 })
  expect(definition.flushed).toBeGreaterThan(0)
  // Each square is rounded twice at most, then passes 8 additions of its vec4 lane, 4 across lanes and 1 per block.
  const additions = 2 + 8 + 4 + 1
  const bound = additions * 2 ** -23
  expect(Math.abs(totals.signalEnergy / definition.signalEnergy - 1)).toBeLessThan(bound)
  expect(Math.abs(totals.noiseEnergy / definition.noiseEnergy - 1)).toBeLessThan(bound)
})

test('a matrix with more blocks than partial sums is summed whole', async () => {
  const [rows, cols] = [300, 1024]
  const quantizer = mx('mxfp4')
  // 7 is clipped to 6, an error of 1; 1/8 is flushed; 6 is the largest element and so not clipped.
  const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % 4 === 0 ? 7 : i % 4 === 1 ? 0.125 : 6))
  const { totals, sums } = await measure(data, rows, cols, quantizer)
  const quarter = (rows * cols) / 4
  expect(sums.partialCount).toBeLessThan((rows * cols) / 32)
  expect(totals).toEqual({
    signalEnergy: quarter * (49 + 1 / 64 + 2 * 36),
    noiseEnergy: quarter * (1 + 1 / 64),
    clipped: quarter,
    flushed: quarter,
    count: rows * cols,
  })
})

test('clipping is counted where the largest value is subnormal', async () => {
  // 127/64 · 2^-127 is 0x7f0000
  const words = Uint32Array.of(0x7e8000, 0x7f0000, 0x7f0001, 0x7fffff, ...new Uint32Array(28))
  const { totals } = await measure(new Float32Array(words.buffer), 1, 32, mx('mxint8'))
  expect(totals.clipped).toBe(2)
})

/** 3 × 70 numbers whose largest magnitude is `largest`, the others down to about 1/40 of it. */
function spread(largest: number): Float32Array {
  const shape = Float64Array.from({ length: 3 * 70 }, (_, i) => Math.cos(i * i) * (0.025 + 0.975 * ((i % 9) / 8)))
  const peak = Math.max(...shape.map(Math.abs))
  return Float32Array.from(shape, (value) => (value / peak) * largest)
}

const sizes = [3.4e38, 3e38, 1e30, 1e-30, 2e-38, 1e-40, 3e-44]
const formats = ['mxfp4', 'mxint8', 'nvfp4', 'int8(group=32)', 'bf16']

test.each(formats)('energies are those of the definition for tensors of any size: %s', async (format) => {
  const quantizer = makeQuantizer(parseFormat(format), STANDARD_MX)
  for (const size of sizes) {
    const data = spread(size)
    const { totals, rounded } = await measure(data, 3, 70, quantizer)
    const sum = (energy: (value: number, i: number) => number) =>
      Float64Array.from(data, energy).reduce((total, each) => total + each, 0)
    const signal = sum((value) => value ** 2)
    const noise = sum((value, i) => (rounded[i] - value) ** 2)
    const bound = (2 + 8 + 4 + 1) * 2 ** -23
    expect(signal).toBeGreaterThan(0)
    expect(Math.abs(totals.signalEnergy / signal - 1), String(size)).toBeLessThan(bound)
    // An exact result has no noise to compare with.
    expect(Math.abs(totals.noiseEnergy - noise), String(size)).toBeLessThanOrEqual(bound * noise)
  }
})

test('subnormal elements count beside normal ones, with their sign', async () => {
  // 1.5 and −0.96875 times the smallest normal number; the second, 4.52 steps of the grid, becomes normal.
  const data = Float32Array.from({ length: 32 }, (_, i) => (i % 2 ? -0.96875 : 1.5) * 2 ** -126)
  const { totals, rounded } = await measure(data, 1, 32, makeQuantizer(parseFormat('int4'), STANDARD_MX))
  const noise = data.reduce((sum, value, i) => sum + ((rounded[i] - value) * 2 ** 126) ** 2, 0)
  expect(Math.max(...rounded.filter((value) => value < 0).map(Math.abs))).toBeGreaterThan(2 ** -126)
  expect(totals.signalEnergy * 2 ** 252).toBe(16 * (1.5 ** 2 + 0.96875 ** 2))
  expect(totals.noiseEnergy * 2 ** 252).toBeCloseTo(noise, 6)
})

test('a tensor of zeros has no energy', async () => {
  for (const format of formats) {
    const quantizer = makeQuantizer(parseFormat(format), STANDARD_MX)
    const { totals } = await measure(new Float32Array(3 * 70), 3, 70, quantizer)
    expect(totals).toEqual({ signalEnergy: 0, noiseEnergy: 0, clipped: 0, flushed: 0, count: 3 * 70 })
  }
})
