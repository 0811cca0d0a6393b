import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { createRandom } from '../../src/core/random'
import { int4 } from '../../src/formats/int4'
import { int8 } from '../../src/formats/int8'
import { INTEGER_SCHEMES, type IntegerQuantizer } from '../../src/formats/number-format'
import { oracleIntegers } from '../oracle/real-scale'
import { mismatches } from '../support/golden-formats'
import { gpuFixture } from '../support/gpu'
import { around, boundaryRows, expectGolden, quantizeBothWays, realScaleCases } from '../support/real-scale'
import { unpackRealScale } from '../support/unpack'

const t = gpuFixture()

const goldens = realScaleCases(({ kind }) => kind === 'int')
const schemes = [int4, int8].flatMap((format) => INTEGER_SCHEMES.map((scheme) => ({ format, scheme })))

test.each(schemes)('codes, scales, zero points and values are the golden ones: $format.id $scheme', async (wanted) => {
  const cases = goldens.filter(
    (golden) =>
      golden.kind === 'int' &&
      golden.bits === wanted.format.element.bits &&
      golden.scheme.replace('_', '-') === wanted.scheme,
  )
  expect(cases.length).toBeGreaterThan(9)
  for (const golden of cases) await expectGolden(t, golden)
})

/** Rows or groups against exact arithmetic: scales, zero points, codes and values, every bit. */
async function expectOracle(input: Matrix, quantizer: IntegerQuantizer): Promise<void> {
  const { format, group, scheme } = quantizer
  const { values, packed } = await quantizeBothWays(t, input, quantizer)
  const found = await unpackRealScale(t.gpu, packed, values)
  const length = group === 'row' ? input.cols : group
  let block = 0
  for (let row = 0; row < input.data.length; row += input.cols) {
    for (let at = row; at < row + input.cols; at += length) {
      const end = Math.min(at + length, row + input.cols)
      const expected = oracleIntegers(input.data.subarray(at, end), format.element.bits, scheme)
      const name = `block ${block}, first element ${input.data[at]}`
      expect(found.scales[block], name).toBe(expected.scale)
      expect(mismatches(values.slice(at, end), Float32Array.from(expected.values)), name).toEqual([])
      if (!Number.isNaN(expected.scale)) {
        expect(found.zeros[block], name).toBe(expected.zeroPoint)
        const codes = [...found.codes.subarray(at, end)].map((code) => code & (2 ** format.element.bits - 1))
        expect(codes, name).toEqual(expected.codes)
      }
      block += 1
    }
  }
}

/** Steps from 0 to the largest code, and the ties between them; of 8 bits every seventh. */
function boundariesOf(bits: number): number[] {
  const every = bits === 4 ? 1 : 7
  const largest = 2 ** bits
  const codes = Array.from({ length: Math.floor(largest / every) }, (_, i) => i * every)
  return [...codes, largest / 2 - 1].flatMap((code) => [code, code + 0.5])
}

function topOf({ format, scheme }: IntegerQuantizer): number {
  const steps = 2 ** format.element.bits - 1
  return { 'sym-max': (steps - 1) / 2, 'sym-half': steps / 2, asym: steps }[scheme]
}

test.each(schemes)(
  'rows of 75 are exact at every boundary and beside: $format.id $scheme',
  async ({ format, scheme }) => {
    const quantizer: IntegerQuantizer = { family: 'integer', format, group: 'row', scheme }
    await expectOracle(boundaryRows(topOf(quantizer), boundariesOf(format.element.bits), 75), quantizer)
  },
)

const groups = ([32, 64, 128] as const).flatMap((group) => [
  { group, format: int4, scheme: 'asym' as const },
  { group, format: int8, scheme: 'sym-max' as const },
])

test.each(groups)('groups of $group are exact, the last one short: $format.id $scheme', async (choices) => {
  const quantizer: IntegerQuantizer = { family: 'integer', ...choices }
  const cols = 3 * choices.group - 21
  const { data } = boundaryRows(topOf(quantizer), boundariesOf(4), choices.group)
  const rows = Math.floor(data.length / cols)
  await expectOracle({ rows, cols, data: data.slice(0, rows * cols) }, quantizer)
})

test('ranges far from symmetric get the zero point exact arithmetic gives', async () => {
  const random = createRandom(11)
  const rows = Array.from({ length: 120 }, (_, i) => {
    const low = Math.fround(-(2 ** ((i % 13) - 6)) * random.uniform())
    const high = Math.fround(2 ** ((i % 7) - 3) * random.uniform())
    const inside = Array.from({ length: 30 }, () => Math.fround(low + (high - low) * random.uniform()))
    if (i % 5 === 0) return [...inside.map(Math.abs), high, high / 2] // nothing below zero
    if (i % 5 === 1) return [...inside.map((x) => -Math.abs(x)), low, low / 2]
    // the zero point itself at a tie: -low is half a step more than a whole number of them
    const step = Math.fround(high / 9.5)
    if (i % 5 === 2) return [...inside.slice(0, 29), Math.fround(-5.5 * step), ...around(high).slice(0, 2)]
    return [...inside, low, high]
  })
  const data = Float32Array.from(rows.flat())
  for (const format of [int4, int8]) {
    await expectOracle({ rows: 120, cols: 32, data }, { family: 'integer', format, group: 'row', scheme: 'asym' })
  }
})

test('a range is rounded once before it is divided, and a zero point stays among the codes', async () => {
  const tiny = 2 ** -149
  const rows = [
    // half a unit of the sum and a little more: the little more decides
    [1, -(2 ** -24 + 2 ** -47)],
    [-1, 2 ** -24 + 2 ** -47],
    [1, -(2 ** -24)],
    [1 + 2 ** -23, -(2 ** -24)],
    // a scale of one unit of the smallest f32: the lowest element is more steps away than there are codes
    [-22 * tiny, -tiny, tiny / 2, 3 * tiny],
    [-380 * tiny, -tiny, 0, tiny],
  ]
  const data = new Float32Array(rows.length * 32)
  for (const [i, row] of rows.entries()) data.set(row, i * 32)
  for (const format of [int4, int8]) {
    await expectOracle({ rows: rows.length, cols: 32, data }, { family: 'integer', format, group: 32, scheme: 'asym' })
  }
})

test('a long row has one scale, wherever its extremes stand', async () => {
  const random = createRandom(12)
  const cols = 1300
  const data = Float32Array.from({ length: 3 * cols }, () => Math.fround(random.normal()))
  data[1299] = 9
  data[1300 + 640] = -17
  for (const scheme of INTEGER_SCHEMES) {
    await expectOracle({ rows: 3, cols, data }, { family: 'integer', format: int4, group: 'row', scheme })
  }
})
