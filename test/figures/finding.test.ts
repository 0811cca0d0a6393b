import { describe, expect, it } from 'vitest'
import { drawFinding, findingTable, summaryOf } from '../../src/figures/finding'
import { methodStyle } from '../../src/figures/method-style'

const VALUES = [
  { label: 'RTN, MXFP4', method: 'rtn', value: 0.2 },
  { label: 'QuaRot, MXFP4', method: 'quarot', value: 0.3 },
]
const AXIS = { title: 'output relative error [1]', open: null }

describe('the figure of a finding', () => {
  it('marks every value in the style of its method, from zero on, the first on top', () => {
    const { data, layout } = drawFinding(VALUES, AXIS, 'light')
    expect(data.map((each) => Reflect.get(each, 'x'))).toEqual([[0.2], [0.3]])
    expect(data.map((each) => Reflect.get(each, 'marker').color)).toEqual(
      ['rtn', 'quarot'].map((id) => methodStyle(id, 'light').colour),
    )
    expect(layout.yaxis?.categoryarray).toEqual(['QuaRot, MXFP4', 'RTN, MXFP4'])
    expect(layout.xaxis?.range?.[0]).toBe(0)
    expect(layout.xaxis?.range?.[1]).toBeGreaterThan(0.3)
    expect(layout.shapes).toEqual([])
  })

  it('shades the range that decides nothing and keeps it on the axis', () => {
    const { layout } = drawFinding(VALUES.slice(0, 1), { ...AXIS, open: { range: [0.3, 0.5], method: 'RTN' } }, 'dark')
    expect(layout.shapes).toMatchObject([{ x0: 0.3, x1: 0.5 }])
    expect(layout.annotations).toMatchObject([{ x: 0.4, text: 'RTN here: open' }])
    expect(layout.xaxis?.range?.[1]).toBeGreaterThan(0.5)
  })

  it('has the same numbers as a table', () => {
    expect(findingTable(VALUES, AXIS)).toEqual({
      columns: ['measured', 'output relative error [1]'],
      rows: [
        ['RTN, MXFP4', '0.2000'],
        ['QuaRot, MXFP4', '0.3000'],
      ],
    })
  })
})

describe('the summary', () => {
  const of = (...verdicts: ('holds' | 'fails' | 'undecided' | 'pending')[]) =>
    summaryOf(verdicts.map((verdict) => ({ verdict })))

  it('counts every way', () => {
    expect(of('holds', 'holds', 'fails', 'undecided')).toBe(
      '2 of 4 findings hold on this layer, 1 does not, 1 cannot be told.',
    )
    expect(of('holds', 'fails', 'fails', 'pending')).toBe(
      '1 of 4 findings hold on this layer, 2 do not, 1 is not measured yet.',
    )
    expect(of('holds', 'pending', 'pending')).toBe('1 of 3 findings hold on this layer, 2 are not measured yet.')
    expect(of('pending', 'pending')).toBe('None of the findings is measured on this layer yet.')
  })
})
