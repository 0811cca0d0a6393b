import { describe, expect, it } from 'vitest'
import { cellColour, cellText, describeGrid, drawGrid, type GridModel } from '../../src/figures/method-grid'

const value = (method: string, row: string, column: string, sqnrDb: number) => ({
  method,
  label: method,
  row,
  column,
  sqnrDb,
})

const MODEL: GridModel = {
  rows: ['No transform', 'Hadamard', 'Affine'],
  columns: ['Round to nearest', 'GPTQ'],
  baseline: 'RTN',
  values: [
    value('RTN', 'No transform', 'Round to nearest', 14),
    value('GPTQ', 'No transform', 'GPTQ', 16),
    value('GPTQ best', 'No transform', 'GPTQ', 17),
    value('QuaRot', 'Hadamard', 'Round to nearest', 12),
    value('QuaRot*', 'Hadamard', 'GPTQ', 13),
    value('FlatQuant', 'Affine', 'Round to nearest', 20),
  ],
}

/** WCAG contrast of two colours written as rgb() or #000, #fff. */
function contrast(a: string, b: string): number {
  const luminance = (text: string) => {
    const rgb = text === '#000' ? [0, 0, 0] : text === '#fff' ? [255, 255, 255] : (text.match(/\d+/g) ?? []).map(Number)
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [least, most] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (most + 0.05) / (least + 0.05)
}

describe('the colour of a cell', () => {
  it('can be read on at every place of the scale', () => {
    for (let place = 0; place <= 100; place += 1) {
      const { paper, ink } = cellColour(place, { least: 0, most: 100 })
      expect(contrast(paper, ink)).toBeGreaterThan(4.5)
    }
  })

  it('runs from the least to the most, and stays inside', () => {
    const range = { least: 10, most: 20 }
    expect(cellColour(10, range).paper).toBe('rgb(0 32 76)')
    expect(cellColour(20, range).paper).toBe('rgb(255 233 69)')
    expect(cellColour(Number.POSITIVE_INFINITY, range)).toEqual(cellColour(20, range))
    expect(cellColour(7, { least: 7, most: 7 }).paper).toBe('rgb(112 113 115)')
  })
})

describe('the figure', () => {
  it('shows the better of two methods in a cell, nothing where there is none, the first transform on top', () => {
    const { data, layout } = drawGrid(MODEL, 'sqnr', 'light')
    expect(Reflect.get(data[0], 'z')).toEqual([
      [14, 17],
      [12, 13],
      [20, null],
    ])
    expect(layout.yaxis?.autorange).toBe('reversed')
    expect(layout.annotations?.map(({ text }) => text)).toEqual(['14.0', '17.0', '12.0', '13.0', '20.0'])
  })

  it('shows differences to the baseline where they are asked for and it is there', () => {
    const texts = (model: GridModel) =>
      drawGrid(model, 'difference', 'light').layout.annotations?.map(({ text }) => text)
    expect(texts(MODEL)).toEqual(['0.0', '+3.0', '−2.0', '−1.0', '+6.0'])
    expect(texts({ ...MODEL, values: MODEL.values.slice(3, 4) })).toEqual(['12.0'])
    const exact = value('RTN', 'No transform', 'Round to nearest', Number.POSITIVE_INFINITY)
    expect(cellText(exact, { ...MODEL, values: [exact] }, 'difference')).toBe('–')
  })
})

describe('what is said', () => {
  it('names the best, what mitigations add and which transforms stay below none', () => {
    expect(describeGrid(MODEL)).toBe(
      'Best of 6 computed cells: FlatQuant with 20.0 dB. Against round to nearest, on average: GPTQ +2.0 dB over 2 ' +
        'transforms. Worse than no transform wherever both are computed: Hadamard.',
    )
  })

  it('says nothing that the cells do not show', () => {
    expect(describeGrid({ ...MODEL, values: [] })).toBe('No cell of the grid is computed yet.')
    expect(describeGrid({ ...MODEL, values: MODEL.values.slice(0, 1) })).toBe('One cell is computed: RTN with 14.0 dB.')
    expect(describeGrid({ ...MODEL, values: MODEL.values.slice(0, 2) })).toBe(
      'Best of 2 computed cells: GPTQ with 16.0 dB.',
    )
  })
})
