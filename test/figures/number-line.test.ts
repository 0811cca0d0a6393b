import { describe, expect, it } from 'vitest'
import { formatDifference, formatF32, formatPowerOfTwo } from '../../src/figures/format-f32'
import { formatFacts } from '../../src/figures/format-facts'
import { type LineRange, lineAxis } from '../../src/figures/line-axis'
import { automaticRange, type LineScaling, lineRows, roundOn } from '../../src/figures/line-rows'
import { roundingTable } from '../../src/figures/line-table'
import { numberLine } from '../../src/figures/number-line'
import { describeScale } from '../../src/figures/scale-text'
import { encodeBlock } from '../../src/formats/codec'
import { type MxChoices, STANDARD_MX } from '../../src/formats/quantizer'
import { FORMATS } from '../../src/formats/registry'

const WIDTH = 1000
const AT_SIX: LineScaling = { kind: 'maximum', maximum: 6, exponent: 0 }
const ALL = FORMATS.map(({ id }) => id)

function rowOf(text: string, { scaling = AT_SIX, ...choices }: Partial<MxChoices> & { scaling?: LineScaling } = {}) {
  return lineRows({ texts: [text], scaling: scaling, choices: { ...STANDARD_MX, ...choices } })[0]
}

function gridOf(row: ReturnType<typeof rowOf>) {
  if (!row.grid) throw new Error('no grid')
  return row.grid
}

describe('the axis', () => {
  const ranges: LineRange[] = [
    { kind: 'linear', from: -6.5, to: 6.5 },
    { kind: 'linear', from: 0.1, to: 0.11 },
    { kind: 'log', from: 0.001, to: 448 },
  ]
  it.each(ranges)('goes from numbers to pixels and back, rising: %j', (range) => {
    const axis = lineAxis(range, WIDTH)
    const ends = range.kind === 'linear' ? [range.from, range.to] : [-range.to, range.to]
    expect(ends.map(axis.toPixel).map(Math.round)).toEqual([0, WIDTH])
    for (let pixel = 0; pixel <= WIDTH; pixel += 7) expect(axis.toPixel(axis.toValue(pixel))).toBeCloseTo(pixel, 6)
    for (let pixel = 1; pixel <= WIDTH; pixel++) expect(axis.toValue(pixel)).toBeGreaterThan(axis.toValue(pixel - 1))
    for (const { at, text } of axis.ticks) {
      expect(at).toBeCloseTo(axis.toPixel(Number(text.replace('−', '-').replace('k', 'e3').replace(',', ''))), 3)
    }
    expect(axis.ticks.length).toBeGreaterThan(1)
    expect(axis.ticks.length).toBeLessThan(24)
  })

  it('has zero in the middle of a log axis', () => {
    expect(lineAxis({ kind: 'log', from: 0.5, to: 6 }, WIDTH).toPixel(0)).toBe(WIDTH / 2)
  })
})

describe('a row', () => {
  it('takes the scale its format gives a block that reaches the maximum', () => {
    const texts = lineRows({
      texts: ['mxfp4', 'nvfp4', 'int4', 'mxfp8_e4m3', 'bf16'],
      scaling: AT_SIX,
      choices: STANDARD_MX,
    })
    expect(texts.map(({ scale }) => describeScale(scale))).toEqual([
      'byte 0x7F, 2⁰ = 1',
      'byte 0x7E, E4M3 448 × tensor scale 0.002232143 = 1.00000004',
      'fp32 0.85714287',
      'byte 0x79, 2⁻⁶ = 0.015625',
      'no scale',
    ])
  })

  it('takes the exponent of its own where all MX formats share one', () => {
    const scaling: LineScaling = { kind: 'exponent', maximum: 6, exponent: -3 }
    expect(rowOf('mxfp8_e4m3', { scaling }).scale).toEqual({ kind: 'e8m0', byte: 124 })
    expect(rowOf('int4', { scaling }).scale).toEqual(rowOf('int4', { scaling: { ...AT_SIX, maximum: 0.75 } }).scale)
  })

  it.each(ALL)('%s: rounds a number as a block that reaches the maximum would', (id) => {
    for (const preScale of [null, { factor: 0.62, variant: 'exact' }, { factor: 0.62, variant: 'literal' }] as const) {
      const row = rowOf(id, { preScale })
      for (const x of [-5.3, -1.25, 0, 0.02, 0.75, 2.5, 2.7, 3.5, 5.99]) {
        const block = [-6, 6, Math.fround(x)]
        const { codes } = encodeBlock(block, row.quantizer, { tensorMax: 6, row: block })
        expect(roundOn(row, x)?.code).toBe(codes[2])
      }
    }
  })

  it('names the numbers that share the value, with the end that belongs to them', () => {
    expect(roundOn(rowOf('mxfp4'), 2.5)).toMatchObject({
      bits: '0|10|0',
      value: 2,
      interval: '[1.75, 2.5]',
      largestError: 0.5,
    })
    expect(roundOn(rowOf('mxfp4'), 2.7)).toMatchObject({
      bits: '0|10|1',
      value: 3,
      interval: '(2.5, 3.5)',
      largestError: 0.5,
    })
    expect(roundOn(rowOf('mxfp4'), 77)).toMatchObject({
      bits: '0|11|1',
      value: 6,
      interval: '(5, ∞)',
      largestError: Infinity,
    })
    expect(roundOn(rowOf('mxfp4', { rounding: 'half-away' }), 2.5)).toMatchObject({ value: 3, interval: '[2.5, 3.5)' })
    expect(roundOn(rowOf('mxfp4', { rounding: 'toward-zero' }), -2.9)).toMatchObject({
      value: -2,
      interval: '(−3, −2]',
    })
  })

  it('is made again only where a tried pre-scale reaches it', () => {
    const input = { texts: ['mxfp4', 'nvfp4', 'mxfp8_e4m3'], scaling: AT_SIX, choices: STANDARD_MX }
    const base = lineRows(input)
    const tried = lineRows({ ...input, choices: { ...STANDARD_MX, preScale: { factor: 0.8, variant: 'exact' } } }, base)
    expect(tried.map((row, i) => row === base[i])).toEqual([false, true, true])
  })

  it.each([
    ['mxfp4', {}, '3 × 2⁰ = 3'],
    ['mxfp4', { preScale: { factor: 0.75, variant: 'exact' } }, '2 × 2⁰ ÷ 0.75 = 2.6666667'],
    ['mxfp4', { preScale: { factor: 0.75, variant: 'literal' } }, '2 × 2⁰ ÷ 0.75 = 2.6666667'],
    ['mxfp8_e4m3', {}, '176 × 2⁻⁶ = 2.75'],
    ['mxint8', {}, '0.671875 × 2² = 2.6875'],
    ['nvfp4', {}, '3 × 448 × 0.002232143 = 3.0000002'],
    ['nvfp4(tensor-scale=off)', {}, '3 × 1 = 3'],
    ['int4', {}, '3 × 0.85714287 = 2.5714285'],
    ['int4(scheme=asym)', {}, '(10 − 7) × 0.8 = 2.4'],
    ['bf16', {}, '2.703125'],
  ] as const)('says how %s %j comes to its value', (text, choices, derivation) => {
    expect(roundOn(rowOf(text, choices), 2.7)?.derivation).toBe(derivation)
  })

  it('is right about every value: its factors make it, up to the rounding of each to f32', () => {
    for (const text of [...ALL, 'int8(scheme=asym)', 'nvfp4(four-over-six=mse)']) {
      for (const preScale of [null, { factor: 0.62, variant: 'exact' }] as const) {
        const row = rowOf(text, { preScale, scaling: { ...AT_SIX, maximum: 5.3 } })
        for (const x of [-5.3, -1, 0.4, 3.3]) {
          const [made, value] = (roundOn(row, x)?.derivation ?? '').split(' = ')
          if (value === undefined) continue
          const read = made
            .replace(/2([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, raised: string) => {
              const digits = [...raised].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)).filter((digit) => digit >= 0)
              return String(2 ** ((raised[0] === '⁻' ? -1 : 1) * Number(digits.join(''))))
            })

            .replaceAll('−', '-')
            .replaceAll(',', '')
          const [product, factor] = read.split(' ÷ ')
          const numbers = product.split(' × ').map((part) => {
            const [, code, zeroPoint] = /^\((\d+) - (\d+)\)$/.exec(part) ?? []
            return code === undefined ? Number(part) : Number(code) - Number(zeroPoint)
          })
          const result = numbers.reduce((a, b) => a * b, 1) / Number(factor ?? 1)
          const shown = Number(value.replace('−', '-'))
          // three factors and the value, each to half an f32 ulp
          expect(Math.abs(result - shown), `${text} ${x}`).toBeLessThanOrEqual(4 * 2 ** -24 * Math.abs(shown))
        }
      }
    }
  })

  it('tells the rows of one format apart', () => {
    const rows = lineRows({ texts: ['mxfp4', 'bf16', 'mxfp4'], scaling: AT_SIX, choices: STANDARD_MX })
    expect(rows.map(({ label }) => label)).toEqual(['MXFP4', 'BF16', 'MXFP4 (2)'])
    const fewer = lineRows({ texts: ['bf16', 'mxfp4'], scaling: AT_SIX, choices: STANDARD_MX }, rows)
    expect(fewer.map(({ label }) => label)).toEqual(['BF16', 'MXFP4'])
  })

  it('says that four over six and the rule best decide on the maximum alone', () => {
    expect(rowOf('nvfp4').remark).toBeNull()
    expect(rowOf('nvfp4(four-over-six=mse)').remark).toContain('alone is scaled to 6;')
    // 3.6 / 6 rounds to 0.625 and 3.6 / 4 to 0.875: the second is nearer.
    const alone = rowOf('nvfp4(four-over-six=mse,tensor-scale=off)', { scaling: { ...AT_SIX, maximum: 3.6 } })
    expect(alone.remark).toContain('alone is scaled to 4;')
    expect(rowOf('mxfp4', { scaleRule: 'best' }).remark).toContain('rule best')
    const given: LineScaling = { kind: 'exponent', maximum: 6, exponent: 0 }
    expect(rowOf('mxfp4', { scaleRule: 'best', scaling: given }).remark).toBeNull()
  })

  it('says so when its scale rounded to 0', () => {
    const row = rowOf('nvfp4(tensor-scale=off)', { scaling: { ...AT_SIX, maximum: 0.001 } })
    expect([row.grid, roundOn(row, 1)]).toEqual([null, null])
    expect(roundingTable([row], 0.5).rows[0]).toContain('(−∞, ∞)')
  })
})

describe('the drawing', () => {
  it('draws at most one band per pixel, whatever the format and the axis', () => {
    for (const id of ALL) {
      for (const kind of ['linear', 'log'] as const) {
        const row = rowOf(id)
        const axis = lineAxis(automaticRange([row], AT_SIX, kind), WIDTH)
        const { points, ticks } = numberLine(gridOf(row), axis)
        // A step is a band of two pixels or more, or a run of narrower ones that is at least one wide.
        expect(points).toBeLessThanOrEqual(WIDTH + 2)
        expect(ticks.split('M').length - 1).toBeLessThanOrEqual(points)
      }
    }
  })

  it('covers the axis without gap or overlap', () => {
    for (const id of ALL) {
      for (const range of [
        { kind: 'linear', from: -7.3, to: 8 },
        { kind: 'log', from: 0.01, to: 9 },
        { kind: 'linear', from: 1.9, to: 2.2 },
      ] as const) {
        const line = numberLine(gridOf(rowOf(id)), lineAxis(range, WIDTH))
        const spans = [line.even, line.odd, line.dense, line.saturated]
          .flatMap((path) => [...path.matchAll(/M([\d.]+) 14H([\d.]+)V/g)])
          .map(([, from, to]) => [Number(from), Number(to)])
          .sort((a, b) => a[0] - b[0] || a[1] - b[1])
        let reached = 0
        for (const [from, to] of spans) {
          expect(Math.abs(from - reached), `${id} at ${reached}`).toBeLessThanOrEqual(0.2)
          reached = to
        }
        expect(reached, id).toBeGreaterThan(WIDTH - 0.2)
      }
    }
  })

  it('draws the rows of the first visit as they were reviewed', async () => {
    const rows = lineRows({ texts: ['mxfp4', 'nvfp4', 'int4', 'mxfp8_e4m3'], scaling: AT_SIX, choices: STANDARD_MX })
    const axis = lineAxis(automaticRange(rows, AT_SIX, 'linear'), 600)
    const drawn = rows.map((row) => ({ label: row.label, ...numberLine(gridOf(row), axis) }))
    await expect(`${JSON.stringify({ ticks: axis.ticks, drawn }, null, 1)}\n`).toMatchFileSnapshot(
      './__saved__/number-line.json',
    )
  })
})

it('lists the facts of every format', () => {
  const { columns, rows } = formatFacts(lineRows({ texts: ALL, scaling: AT_SIX, choices: STANDARD_MX }), null)
  expect(rows.map((row) => row.length)).toEqual(ALL.map(() => columns.length))
  const of = (label: string) => rows.find(([name]) => name === label)
  expect(of('MXFP4')).toEqual(['MXFP4', '4', '6', '2⁰', '2⁻¹', '15', '32', 'E8M0, floor', '4.25'])
  expect(of('MXFP8 E4M3')?.slice(1, 6)).toEqual(['8', '448', '2⁻⁶', '2⁻⁹', '253'])
  expect(of('MXINT8')?.slice(2, 6)).toEqual(['1.984375', '2⁻⁶', '–', '255'])
  expect(of('INT4')?.slice(2, 8)).toEqual(['7, −8', '1', '–', '16', 'the row', 'fp32'])
  expect(of('BF16')?.slice(5)).toEqual(['65,279', '–', 'none', '16.00'])
  const known = formatFacts(lineRows({ texts: ['int4'], scaling: AT_SIX, choices: STANDARD_MX }), 64)
  expect([of('INT4')?.at(-1), known.rows[0].at(-1)]).toEqual(['4.00', '4.25'])
})

describe('numbers', () => {
  it('are the shortest decimals that read back', () => {
    expect([0.1, -448, 1 / 3, 2 ** -9, 0, -0].map((value) => formatF32(Math.fround(value)))).toEqual([
      '0.1',
      '−448',
      '0.33333334',
      '0.001953125',
      '0',
      '0',
    ])
    for (let i = 0; i < 500; i++) {
      const value = Math.fround(Math.sin(i) * 2 ** (i % 20))
      expect(Math.fround(Number(formatF32(value).replace('−', '-').replaceAll(',', '')))).toBe(value)
    }
  })

  it('cut differences at six digits', () => {
    expect(
      [Math.fround(2.75) - Math.fround(2.7), 0.25, -1 / 3, Infinity].map((value) => formatDifference(value)),
    ).toEqual(['0.05', '0.25', '−0.333333', '∞'])
  })

  it('write powers of two', () => {
    expect([0, 12, -6].map(formatPowerOfTwo)).toEqual(['2⁰', '2¹²', '2⁻⁶'])
  })
})
