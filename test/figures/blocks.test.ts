import { describe, expect, it } from 'vitest'
import { compareRules, inspectBlock } from '../../src/experiment/inspect-block'
import type { BlockMap, TensorRow } from '../../src/experiment/tensor-blocks'
import { BARS_HEIGHT, BARS_WIDTH, barLimit, blockBars } from '../../src/figures/block-bars'
import { clippingNote, describeInspection, elementTable, ruleTable } from '../../src/figures/block-table'
import { blockAt, exponentRange, scaleMap } from '../../src/figures/scale-map'
import { THEME_COLOURS } from '../../src/figures/theme'
import { parseFormat } from '../../src/formats/format-text'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { ColorBar } from '../../types/plotly-figure'

const quantizerOf = (text: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(parseFormat(text), { ...STANDARD_MX, ...choices })

/** Six rows of four blocks; row 1 is zero, one block is NaN, one is an outlier. */
function mapOf(mapRows = 6, mapCols = 4): BlockMap {
  const rows = 6
  const blocks = 4
  const whole = Float32Array.from({ length: rows * blocks }, (_, i) => 0.3 * 2 ** (i % 5))
  whole.fill(0, 4, 8)
  whole[9] = Number.NaN
  whole[22] = 100
  const maxima = new Float32Array(mapRows * mapCols)
  const at = new Uint32Array(mapRows * mapCols)
  whole.forEach((maximum, i) => {
    const cell =
      Math.floor((Math.floor(i / blocks) * mapRows) / rows) * mapCols + Math.floor(((i % blocks) * mapCols) / blocks)
    if (maximum > maxima[cell] || (maximum === 0 && maxima[cell] === 0)) {
      maxima[cell] = maximum
      at[cell] = i
    }
  })
  if (mapRows === rows && mapCols === blocks) {
    maxima[9] = Number.NaN
    at[9] = 9
  }
  return { operand: 'weight', blockSize: 32, rows, inDim: 120, blocks, mapRows, mapCols, maxima, at }
}

describe('the map of shared exponents', () => {
  const model = { map: mapOf(), quantizer: quantizerOf('mxfp4'), chosen: { row: 5, block: 2 } }

  it('shows the exponent the scale rule gives, nothing for zeros and NaN', () => {
    const { data } = scaleMap.build(model, 'light')
    const [{ z }] = data as [{ z: (number | null)[][] }]
    // 0.3, 0.6, 1.2, 2.4: exponents −2, −1, 0, 1, less the 2 of E2M1
    expect(z[0]).toEqual([-4, -3, -2, -1])
    expect(z[1]).toEqual([null, null, null, null])
    expect(z[2][1]).toBeNull()
    expect(z[5][2]).toBe(4)
    expect(exponentRange(model)).toEqual({ min: -4, max: 4 })
  })

  it('follows rule and pre-scale, and says which it shows', () => {
    const at = (choices: Partial<MxChoices>) => {
      const { data } = scaleMap.build({ ...model, quantizer: quantizerOf('mxfp4', choices) }, 'light')
      return (data as [{ z: number[][] }])[0].z[0][0]
    }
    expect(at({ scaleRule: 'ceil' })).toBe(-3)
    expect(at({ preScale: { factor: 0.75, variant: 'literal' } })).toBe(-5)
    expect(at({ preScale: { factor: 0.75, variant: 'exact' } })).toBe(-4)
    expect(scaleMap.describe({ ...model, quantizer: quantizerOf('mxfp4', { scaleRule: 'best' }) })).toContain(
      'rule floor',
    )
    expect(scaleMap.describe({ ...model, quantizer: quantizerOf('nvfp4') })).toMatch(
      /^Exponent of the block maximum: −2 to 6 over 6 output rows x 4 blocks, most often 1 \(21 % of the cells\)\. /,
    )
    expect(scaleMap.describe({ ...model, quantizer: null })).toMatch(/^Exponent of the block maximum/)
  })

  it('has a colour bar of whole exponents', () => {
    const { data } = scaleMap.build(model, 'light')
    const { colorbar, zmin, zmax } = data[0] as { colorbar: Partial<ColorBar>; zmin: number; zmax: number }
    expect(colorbar.tickvals).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4])
    expect([zmin, zmax]).toEqual([-4.5, 4.5])
  })

  it('finds the block that gives a cell its colour, pooled or not', () => {
    expect(blockAt(model.map, 2, 5)).toEqual({ row: 5, block: 2 })
    const pooled = mapOf(3, 2)
    expect(blockAt(pooled, 2.5, 4.5)).toEqual({ row: 5, block: 2 })
    expect(blockAt(pooled, -3, -3)).toEqual({ row: 0, block: 1 })
    expect(scaleMap.describe({ ...model, map: pooled })).toContain(
      'a cell is the largest of up to 2 x 2; choosing it opens',
    )
  })

  it('names the block a click opens, which need not be the one under the pointer', () => {
    const pooled = { ...model, map: mapOf(3, 2) }
    const [{ customdata }] = scaleMap.build(pooled, 'light').data as [{ customdata: string[][] }]
    const { row, block } = blockAt(pooled.map, 2.5, 4.5)
    expect(customdata[2][1]).toBe(`largest here: block ${block}, output row ${row}<br>|value| up to 100`)
    const [whole] = scaleMap.build(model, 'light').data as [{ customdata: string[][] }]
    expect(whole.customdata[0][3]).toBe('block 3, output row 0<br>|value| up to 2.40')
  })

  it.each([
    [2, 1],
    [6, 1],
    [7, 2],
    [13, 5],
    [192, 50],
    [1024, 200],
  ])('has ticks at whole numbers: %d blocks, every %d', (blocks, step) => {
    const { layout } = scaleMap.build({ ...model, map: { ...mapOf(), blocks, rows: blocks } }, 'light')
    expect([layout.xaxis?.dtick, layout.yaxis?.dtick]).toEqual([step, step])
  })

  it('frames the chosen cell', () => {
    const { layout } = scaleMap.build({ ...model, map: mapOf(3, 2) }, 'dark')
    expect(layout.shapes?.[0]).toMatchObject({ x0: 1.5, x1: 3.5, y0: 3.5, y1: 5.5 })
    expect(scaleMap.build({ ...model, chosen: null }, 'dark').layout.shapes).toEqual([])
  })

  it('draws as it was reviewed, in ink and without NaN, and counts in its table', async () => {
    const spec = scaleMap.build(model, 'light')
    expect(scaleMap.question).toMatch(/^[A-Z].*\?$/)
    expect(JSON.stringify(spec)).not.toContain('colour')
    for (const title of [spec.layout.xaxis, spec.layout.yaxis]) expect(title?.title).toHaveProperty('text')
    expect(spec.layout.xaxis?.tickfont?.color).toBe(THEME_COLOURS.light.mutedInk)
    const { rows } = scaleMap.table(model)
    expect(rows.reduce((sum, [, cells]) => sum + Number(cells), 0)).toBe(24 - 4 - 1)
    await expect(`${JSON.stringify(spec, null, 1)}\n`).toMatchFileSnapshot('./__saved__/scale-map.json')
  })

  it('says which exponent is most frequent, where the largest block is, and what stays empty', () => {
    expect(scaleMap.describe(model)).toBe(
      'Shared exponent, MXFP4, rule floor: −4 to 4 over 6 output rows x 4 blocks, most often −1 (21 % of the cells). ' +
        'Largest |value| 100: block 2 of output row 5; 4 cells hold zeros only and stay empty.',
    )
    const level = { ...model.map, maxima: new Float32Array(24).fill(1) }
    expect(scaleMap.describe({ ...model, map: level })).toBe(
      'Shared exponent, MXFP4, rule floor: −2 throughout over 6 output rows x 4 blocks. ' +
        'Largest |value| 1.00: block 0 of output row 0.',
    )
  })

  it('can be drawn when every block is zero', () => {
    const silent = { ...model, map: { ...mapOf(), maxima: new Float32Array(24) } }
    expect(scaleMap.describe(silent)).toContain('none, all blocks are zero')
    expect(JSON.stringify(scaleMap.build(silent, 'light'))).not.toMatch(/Infinity|NaN/)
  })
})

const ROW: TensorRow = {
  operand: 'weight',
  row: 0,
  values: Float32Array.of(7, -3.25, 0.2, 0, 1, -1.5, 2, 0.75),
  tensorMax: 7,
}
const SPAN = { start: 0, end: 8 }

describe('the bars of a block', () => {
  const inspection = inspectBlock(ROW, SPAN, quantizerOf('mxfp4'))

  it('share an axis that holds every value', () => {
    expect(barLimit([inspection, inspectBlock(ROW, SPAN, quantizerOf('nvfp4'))])).toBe(7)
    expect(barLimit([inspectBlock({ ...ROW, values: new Float32Array(8) }, SPAN, quantizerOf('mxfp4'))])).toBe(0)
  })

  it('have a bar and a mark per element, a sign at what clipped, and lines at the values', () => {
    const bars = blockBars(inspection, 7, [-6, -3, 0, 3, 6])
    expect(bars.bars.split('M').length - 1).toBe(8)
    expect(bars.marks.split('M').length - 1).toBe(8)
    expect(bars.clipped.split('M').length - 1).toBe(1)
    expect(bars.grid.split('M').length - 1).toBe(5)
    expect(bars.zero).toBe(BARS_HEIGHT / 2)
    // The first bar goes to the top margin, the second below the middle.
    expect(bars.bars).toMatch(/^M16 60V6H64V60ZM96 60V85\.1H144V60Z/)
    expect(bars.marks).toMatch(new RegExp(`^M0 13.7H${BARS_WIDTH / 8}`))
  })

  it('leave out lines that would lie on one another', () => {
    expect(
      blockBars(
        inspection,
        7,
        Array.from({ length: 255 }, (_, i) => (i - 127) / 18),
      ).grid,
    ).toBe('')
  })
})

describe('the words of a block', () => {
  const sideOf = (text: string, choices: Partial<MxChoices> = {}) => {
    const quantizer = quantizerOf(text, choices)
    return { text, quantizer, inspection: inspectBlock(ROW, SPAN, quantizer) }
  }
  const sides = ['mxfp4', 'nvfp4'].map((text) => sideOf(text))

  it('say every element under both formats, and how its value comes about', () => {
    const { formats, rows } = elementTable(sides)
    expect(formats).toEqual(['MXFP4', 'NVFP4'])
    expect(rows.slice(0, 3).map(({ channel, value }) => [channel, value])).toEqual([
      ['0', '7'],
      ['1', '−3.25'],
      ['2', '0.2'],
    ])
    const cells = rows.map((row) => row.cells[0])
    expect(
      cells.slice(0, 3).map(({ code, element, value, error, lost }) => [code, element, value, error, lost]),
    ).toEqual([
      ['0|11|1', '6', '6', '−1', 'clipped'],
      ['1|10|1', '−3', '−3', '0.25', null],
      ['0|00|0', '0', '0', '−0.2', 'zeroed'],
    ])
    expect(cells[1].derivation).toBe('−3 × 2⁰ = −3')
    expect(rows.length).toBe(8)
  })

  it('cut values at six digits and errors at four, and keep the others at hand', () => {
    const [row] = elementTable([sideOf('mxfp4', { preScale: { factor: 0.9, variant: 'exact' } })]).rows.slice(1)
    expect(row.cells[0]).toMatchObject({
      value: '−3.33333',
      error: '−0.08333',
      exactError: '−0.0833333',
      derivation: '−3 × 2⁰ ÷ 0.9 = −3.3333333',
    })
    const third = { ...ROW, values: ROW.values.map((value) => value / 3) }
    const inspection = inspectBlock(third, SPAN, quantizerOf('mxfp4'))
    const [first] = elementTable([{ ...sides[0], inspection }]).rows
    expect([first.value, first.exactValue]).toEqual(['2.33333', '2.3333333'])
  })

  it('take the scale of the piece an element lies in', () => {
    const wave = { ...ROW, values: Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 1 : 8)), tensorMax: 8 }
    const quantizer = quantizerOf('nvfp4')
    const inspection = inspectBlock(wave, { start: 0, end: 32 }, quantizer)
    const { rows } = elementTable([{ text: 'nvfp4', quantizer, inspection }])
    expect(rows[0].cells[0].derivation).toContain('6 × 56 × ')
    expect(rows[15].cells[0].derivation).toContain('6 × 56 × ')
    expect(rows[16].cells[0].derivation).toContain('6 × 448 × ')
  })

  it('keep two sides of one format apart', () => {
    expect(elementTable([sides[0], sides[0]]).formats).toEqual(['MXFP4', 'MXFP4 (2)'])
  })

  it('explain clipping where the scale itself is rounded', () => {
    expect(clippingNote([quantizerOf('mxfp4'), quantizerOf('int4')])).toBeNull()
    expect(clippingNote([quantizerOf('mxfp4'), quantizerOf('nvfp4')])).toContain('rounded to E4M3')
  })

  it('name the scale and count what was lost', () => {
    expect(describeInspection(sides[0].inspection)).toBe(
      'byte 0x7F, 2⁰ = 1. SQNR 17.6 dB, zeroed 1 of 8, clipped 1; largest error −1, at channel 0.',
    )
    const exact = inspectBlock({ ...ROW, values: new Float32Array(8).fill(1) }, SPAN, quantizerOf('mxfp4'))
    expect(describeInspection(exact)).toMatch(/clipped 0; no element has an error\.$/)
    const wave = { ...ROW, values: Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)) }
    const two = describeInspection(inspectBlock(wave, { start: 0, end: 32 }, quantizerOf('nvfp4')))
    expect(two).toMatch(/^channels 0–15: byte 0x\w\w, E4M3 .*; channels 16–31: byte/)
  })

  it('give every rule its scale and its ratio', () => {
    const { rows } = ruleTable(compareRules(ROW, SPAN, quantizerOf('mxfp4')))
    expect(rows.map(([rule]) => rule)).toEqual(['floor', 'rceil', 'ceil', 'even', 'best', 'fp32'])
    expect(rows[0][1]).toBe('byte 0x7F, 2⁰ = 1')
    expect(rows[1][1]).toBe('byte 0x80, 2¹ = 2')
    expect(rows[5][1]).toMatch(/^fp32 1\.166/)
  })
})
