import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import type { NvfpQuantizer } from '../../src/formats/number-format'
import { nvfp4 } from '../../src/formats/nvfp4'
import { ORACLE_FORMATS } from '../oracle/mx'
import { type OracleBlock, oracleNvfp4Block, oracleTensorScale } from '../oracle/real-scale'
import { comparableBits, mismatches, realScaleData } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { around, boundaryRows, expectGolden, quantizeBothWays, realScaleCases } from '../support/real-scale'
import { readGolden } from '../support/safetensors'
import { packedTensorScale, unpackRealScale } from '../support/unpack'

const t = gpuFixture()
const BLOCK = 16
const E2M1_BOUNDARIES = [0.25, 0.5, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6]
const ERRORS = [null, 'mse', 'mae', 'max'] as const

function nvfp(fourOverSix: NvfpQuantizer['fourOverSix'], tensorScale = true): NvfpQuantizer {
  return { family: 'nvfp', format: nvfp4, fourOverSix, tensorScale }
}

const goldens = realScaleCases(({ kind }) => kind.startsWith('nvfp4'))

test.each(goldens.map(({ kind }) => kind).filter((kind, i, all) => all.indexOf(kind) === i))(
  'codes, scales and values are the golden ones: %s',
  async (kind) => {
    for (const golden of goldens.filter((candidate) => candidate.kind === kind)) {
      const { packed } = await expectGolden(t, golden)
      const { tensorScale } = realScaleData(golden, readGolden(`formats/${golden.file}`))
      expect(await packedTensorScale(t.gpu, packed), golden.id).toBe(tensorScale)
    }
  },
)

function blocksOf({ data, cols }: Matrix): Float32Array[] {
  const blocks: Float32Array[] = []
  for (let row = 0; row < data.length; row += cols) {
    for (let at = row; at < row + cols; at += BLOCK) blocks.push(data.subarray(at, Math.min(at + BLOCK, row + cols)))
  }
  return blocks
}

/** Where values, codes and E4M3 bytes are not those of the oracle: of either candidate where both are right. */
async function expectOracle(input: Matrix, quantizer: NvfpQuantizer): Promise<void> {
  const { values, packed } = await quantizeBothWays(t, input, quantizer)
  const found = await unpackRealScale(t.gpu, packed, values)
  const largest = input.data.every(Number.isFinite)
    ? input.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
    : Number.NaN
  const tensorScale = quantizer.tensorScale ? oracleTensorScale(largest, quantizer.fourOverSix !== null) : 1
  expect(await packedTensorScale(t.gpu, packed)).toBe(tensorScale)
  let at = 0
  blocksOf(input).forEach((block, index) => {
    const candidates = oracleNvfp4Block(block, tensorScale, quantizer.fourOverSix)
    const chosen = candidates.find(({ scale }) => scale === found.scales[index]) ?? candidates[0]
    expectBlock(chosen, found, { at, index })
    at += block.length
  })
}

function expectBlock(
  expected: OracleBlock,
  found: { values: Float32Array; codes: Int16Array; scales: Float32Array },
  { at, index }: { at: number; index: number },
): void {
  expect(found.scales[index], `scale of block ${index}`).toBe(expected.scale)
  const end = at + expected.values.length
  expect(mismatches(found.values.slice(at, end), Float32Array.from(expected.values)), `block ${index}`).toEqual([])
  if (Number.isNaN(expected.values[0])) return
  expect([...found.codes.subarray(at, end)], `codes of block ${index}`).toEqual(expected.codes)
}

/**
 * A tensor with the given maximum whose blocks have E4M3 scales all over their range: each with elements at every
 * rounding boundary of its scale and beside it, and block maxima at and beside the boundaries between scales.
 */
function tensorWith(maximum: number, isFourOverSix: boolean): Matrix {
  const tensorScale = oracleTensorScale(maximum, isFourOverSix)
  const e4m3 = ORACLE_FORMATS.mxfp8_e4m3.magnitudes
  const elements: number[] = [maximum, ...Array(BLOCK - 1).fill(0)]
  const fits = (x: number) => Math.abs(x) <= maximum
  for (let code = 1; code < 126; code += code < 12 ? 1 : 7) {
    const scale = e4m3[code] * tensorScale
    const near = E2M1_BOUNDARIES.flatMap((boundary) => around(Math.fround(boundary * scale))).filter(fits)
    const top = Math.fround(6 * scale)
    for (let i = 0; i < near.length; i += BLOCK - 1) {
      const block = [fits(top) ? top : maximum, ...near.slice(i, i + BLOCK - 1)].map((x, at) => (at % 3 ? x : -x))
      elements.push(...block, ...Array(BLOCK - block.length).fill(0))
    }
    const between = ((e4m3[code] + e4m3[code + 1]) / 2) * tensorScale
    for (const x of [6, 4].flatMap((aim) => around(Math.fround(aim * between))).filter(fits)) {
      elements.push(x, ...Array(BLOCK - 1).fill(x / 3))
    }
  }
  const cols = 75 // four blocks of 16 and one of 11
  const data = new Float32Array(Math.ceil(elements.length / cols) * cols)
  data.set(elements)
  return { rows: data.length / cols, cols, data }
}

const MAXIMA = [3.4028234663852886e38, 123456.789, 2688, 1, 0.7654321, 2 ** -126, 1.1e-38, 1e-42, 2 ** -149]

test.each(ERRORS)(
  'every bit is that of exact arithmetic, at the boundaries and beside: four over six %s',
  async (kind) => {
    for (const maximum of MAXIMA) await expectOracle(tensorWith(Math.fround(maximum), kind !== null), nvfp(kind))
  },
)

test.each(ERRORS)('without a tensor scale the block scales stand alone: four over six %s', async (kind) => {
  await expectOracle(boundaryRows(6, E2M1_BOUNDARIES, BLOCK), nvfp(kind, false))
})

test('random bit patterns under one tensor scale round as exact arithmetic says', async () => {
  const random = createRandom(9)
  const bits = Uint32Array.from({ length: 64 * 91 }, (_, i) => {
    const exponent = (i % 91 < 40 ? 115 : 90) + (random.uint32() % 20)
    return ((random.uint32() & 0x807fffff) | (exponent << 23)) >>> 0
  })
  await expectOracle({ rows: 64, cols: 91, data: new Float32Array(bits.buffer) }, nvfp(null))
})

test('one NaN or infinity makes the whole tensor NaN, zeros stay zeros', async () => {
  const data = new Float32Array(4 * 40).fill(1)
  data[77] = -Infinity
  const { values } = await quantizeBothWays(t, { rows: 4, cols: 40, data }, nvfp(null))
  expect(values.every(Number.isNaN)).toBe(true)
  const zeros = await quantizeBothWays(t, { rows: 2, cols: 40, data: new Float32Array(80) }, nvfp('mse'))
  expect(comparableBits(zeros.values)).toEqual(new Uint32Array(80))
})
