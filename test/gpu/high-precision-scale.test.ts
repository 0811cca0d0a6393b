import { expect, test } from 'vitest'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import { mxfp4 } from '../../src/formats/mxfp4'
import { mxfp8E4m3 } from '../../src/formats/mxfp8-e4m3'
import { type MxQuantizer, ROUNDINGS } from '../../src/formats/number-format'
import { ORACLE_FORMATS } from '../oracle/mx'
import { oracleFp32Block } from '../oracle/real-scale'
import { MX_FORMATS, standardMx } from '../support/every-quantizer'
import { mismatches } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { boundaryRows, expectGolden, quantizeBothWays, realScaleCases } from '../support/real-scale'
import { unpackRealScale } from '../support/unpack'

const t = gpuFixture()

const goldens = realScaleCases(({ kind }) => kind === 'hp_scale')

test.each(['fp4_e2m1', 'fp8_e4m3'])('codes, scales and values are the golden ones: %s', async (format) => {
  const cases = goldens.filter((golden) => golden.kind === 'hp_scale' && golden.format === format)
  expect(cases.length).toBe(6)
  for (const golden of cases) await expectGolden(t, golden)
})

/** Values and midpoints of the element: everything a rounding mode decides at. */
function boundariesOf(id: string): { top: number; boundaries: number[] } {
  const values = ORACLE_FORMATS[id].magnitudes.filter(Number.isFinite)
  const boundaries = values.slice(1).flatMap((value, i) => [value, (value + values[i]) / 2])
  return { top: Math.max(...values), boundaries }
}

const variants = MX_FORMATS.flatMap((format) =>
  ROUNDINGS.filter((rounding) => rounding === 'half-even' || /^(mxfp4|mxfp8_e4m3|mxint8)$/.test(format.id)).map(
    (rounding): MxQuantizer => ({ ...standardMx(format), scaleRule: 'fp32', rounding }),
  ),
)

test.each(variants)('every bit is that of exact arithmetic: $format.id $rounding', async (quantizer) => {
  const { format, rounding, blockSize } = quantizer
  const { top, boundaries } = boundariesOf(format.id)
  const input = boundaryRows(top, boundaries, blockSize)
  const { values, packed } = await quantizeBothWays(t, input, quantizer)
  const found = await unpackRealScale(t.gpu, packed, values)
  for (let row = 0; row < input.rows; row++) {
    const block = input.data.subarray(row * blockSize, (row + 1) * blockSize)
    const expected = oracleFp32Block(format.id, block, rounding)
    const name = `row ${row}, maximum ${block[0]}`
    expect(found.scales[row], name).toBe(expected.scale)
    const at = row * blockSize
    expect(mismatches(values.slice(at, at + blockSize), Float32Array.from(expected.values)), name).toEqual([])
    if (Number.isNaN(expected.scale)) continue
    expect([...found.codes.subarray(at, at + blockSize)], name).toEqual(expected.codes)
  }
})

const [first, second] = [mxfp4, mxfp8E4m3].map((format): MxQuantizer => ({ ...standardMx(format), scaleRule: 'fp32' }))
const sizes = [
  { ...first, blockSize: 8 },
  { ...first, blockSize: 16 },
  { ...second, blockSize: 64 },
  { ...first, blockSize: 128 },
  { ...first, flushSubnormalBlocks: true },
  { ...second, flushSubnormalBlocks: true },
]

test.each(sizes)(
  '$format.id: blocks of $blockSize, the last one short, agree with the scalar definition; flush: $flushSubnormalBlocks',
  async (quantizer) => {
    const { data } = boundaryRows(6, [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], 24)
    const cols = 168
    const input = {
      rows: Math.floor(data.length / cols),
      cols,
      data: data.slice(0, data.length - (data.length % cols)),
    }
    const { values } = await quantizeBothWays(t, input, quantizer)
    const expected = new Float32Array(input.data.length)
    for (let row = 0; row < expected.length; row += cols) {
      for (let at = row; at < row + cols; at += quantizer.blockSize) {
        const block = input.data.subarray(at, Math.min(at + quantizer.blockSize, row + cols))
        expected.set(decodeBlock(encodeBlock(block, quantizer), quantizer), at)
      }
    }
    expect(mismatches(values, expected)).toEqual([])
  },
)
