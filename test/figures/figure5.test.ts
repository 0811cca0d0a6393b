import { describe, expect, it } from 'vitest'
import {
  channelsByNorm,
  crestFactor,
  type ProfiledRow,
  ROW_FIGURES,
  type RowFigure,
  type RowOptions,
} from '../../src/figures/figure5'
import { methodStyle, STYLED_METHODS } from '../../src/figures/method-style'
import { profileScales } from '../../src/figures/shared-scales'
import { THEME_COLOURS } from '../../src/figures/theme'
import { profileOf } from './fixtures'

/** 16 tokens x 24 channels; channel 5 is 30 times as large. */
const VALUES = Array.from({ length: 16 * 24 }, (_, i) => Math.sin(1 + i) * (i % 24 === 5 ? 30 : 1))
const LOADED = profileOf(VALUES)
const AFTER = profileOf(VALUES.map((x, i) => (i % 24 === 5 ? x / 10 : x * 2)))
const ROWS: readonly ProfiledRow[] = [
  { method: null, profile: LOADED, before: null },
  { method: 'quarot', profile: AFTER, before: LOADED },
]

/** As loaded, and after. */
const CAPTIONS: Readonly<Record<RowFigure['id'], readonly [string, string]>> = {
  histogram: [
    'As loaded: largest magnitude 30.0, kurtosis 34.7, crest factor 6.80.',
    'QuaRot lowers the largest magnitude from 30.0 to 3.00, the kurtosis from 34.7 to 1.6 and the crest factor from 6.80 to 2.07.',
  ],
  map: [
    'As loaded: largest magnitude 30.0, crest factor 6.80.',
    'QuaRot lowers the largest magnitude from 30.0 to 3.00 and the crest factor from 6.80 to 2.07.',
  ],
  channels: [
    'As loaded: largest magnitude 30.0, maximum of the median channel 0.999. The largest is channel 5.',
    'QuaRot lowers the largest magnitude from 30.0 to 3.00 and raises the maximum of the median channel from 0.999 to 2.00. The largest is channel 5.',
  ],
  flatness: [
    'As loaded: largest channel rms over the median one 30.2.',
    'QuaRot lowers the largest channel rms over the median one from 30.2 to 1.51.',
  ],
}

const options = (change: Partial<RowOptions> = {}): RowOptions => ({
  theme: 'light',
  scales: profileScales([LOADED, AFTER]),
  unit: 'X',
  rowNoun: 'token',
  beforeName: 'X as loaded',
  ...change,
})

function valuesOf(tree: unknown, key: string): unknown[] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([name, value]) => (name === key ? [value] : valuesOf(value, key)))
}

describe.each(ROW_FIGURES)('$id', (figure) => {
  it('asks one question, names every axis with its unit, and says "log" where an axis is', () => {
    expect(figure.question).toMatch(/^[A-Z].*\?$/)
    for (const row of ROWS) {
      const { layout } = figure.build(row, options({ unit: 'W' }))
      for (const axis of [layout.xaxis, layout.yaxis]) {
        const title = typeof axis?.title === 'object' ? (axis.title.text ?? '') : ''
        expect(title).not.toBe('')
        expect(title.endsWith(', log')).toBe(axis?.type === 'log')
        expect(title).not.toContain('unit of X')
      }
    }
  })

  it('has the same axes in every row, whatever the row holds', () => {
    const [first, second] = ROWS.map((row) => figure.build(row, options()))
    for (const axis of ['xaxis', 'yaxis'] as const) {
      expect(first.layout[axis]?.range).toBeDefined()
      expect(second.layout[axis]).toEqual(first.layout[axis])
    }
    const colours = ({ data }: typeof first) =>
      data.flatMap((trace) => ('zmin' in trace ? [trace.zmin, trace.zmax] : []))
    expect(colours(second)).toEqual(colours(first))
  })

  it('colours no text by method, and has words and a table without holes', () => {
    for (const theme of ['light', 'dark'] as const) {
      const { ink, mutedInk } = THEME_COLOURS[theme]
      expect(STYLED_METHODS.map((id) => methodStyle(id, theme).colour)).not.toContain(ink)
      for (const row of ROWS) {
        const spec = figure.build(row, options({ theme }))
        const fonts = ['font', 'tickfont'].flatMap((key) => valuesOf(spec, key))
        expect(fonts.length).toBeGreaterThan(0)
        for (const colour of fonts.flatMap((font) => valuesOf(font, 'color'))) expect([ink, mutedInk]).toContain(colour)
        const { columns, rows } = figure.table(row, options({ theme }))
        expect(rows.length).toBeGreaterThan(0)
        for (const one of rows) expect(one.length).toBe(columns.length)
        const words = figure.describe(row, options())
        expect(`${words}${rows.flat().join(' ')}`).not.toMatch(/NaN|undefined|\de[+-]?\d/)
        expect(words).toBe(CAPTIONS[figure.id][row.method === null ? 0 : 1])
      }
    }
  })

  it('draws no line with more than 4,096 points, and zeros without an infinity', () => {
    const wide = profileOf(
      Array.from({ length: 9000 }, (_, i) => Math.sin(i) + 1.5),
      1,
      9000,
    )
    const spec = figure.build(
      { method: 'quarot', profile: wide, before: wide },
      options({ scales: profileScales([wide]) }),
    )
    for (const line of spec.data.filter(({ type }) => type === 'scatter')) {
      expect('x' in line && Array.isArray(line.x) ? line.x.length : 0).toBeLessThanOrEqual(4096)
    }
    const zero = {
      ...profileOf([1], 1, 1),
      maxAbsolute: 0,
      kurtosis: Number.NaN,
      map: { rows: 1, cols: 1, values: new Float32Array(1), tokens: 1, channels: 1 },
      channelMax: new Float32Array(1),
      channelRms: new Float32Array(1),
    }
    const silent = { method: 'rtn', profile: zero, before: zero }
    const numbers = JSON.stringify(figure.build(silent, options({ scales: profileScales([zero]) })), (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
    )
    expect(numbers).not.toContain('BAD')
    expect(figure.describe(silent, options())).toBe('RTN: all elements are zero.')
    const same = { method: 'gptq', profile: LOADED, before: LOADED }
    expect(figure.describe(same, options())).toMatch(/^GPTQ leaves X as loaded: /)
  })

  it('draws as it was reviewed', async () => {
    const spec = figure.build(ROWS[1], options())
    await expect(`${JSON.stringify(spec, null, 1)}\n`).toMatchFileSnapshot(`./__saved__/figure5-${figure.id}.json`)
  })
})

describe('what stands before and after', () => {
  const build = (id: string, row: ProfiledRow) => {
    const figure = ROW_FIGURES.find((each) => each.id === id)
    if (!figure) throw new Error(id)
    return figure.build(row, options()).data
  }

  it('is overlaid in histogram, channels and flatness, the former dotted in the colour of the reference', () => {
    for (const id of ['histogram', 'channels', 'flatness']) {
      const dotted = build(id, ROWS[1]).filter((trace) => JSON.stringify(trace).includes('"dot"'))
      expect(dotted.map(({ name }) => name)).toEqual(['X as loaded'])
      expect(build(id, ROWS[0]).length).toBe(build(id, ROWS[1]).length - 1)
    }
  })

  it('loses no element of the histogram', () => {
    for (const row of ROWS) {
      const [own] = build('histogram', row) as [{ customdata: number[][] }]
      expect(own.customdata.reduce((sum, [count]) => sum + count, 0)).toBe(VALUES.length)
    }
  })

  it('falls from the largest channel to the smallest in flatness', () => {
    const [line] = build('flatness', ROWS[0]) as [{ y: number[] }]
    expect(line.y).toEqual([...LOADED.channelRms].sort((a, b) => b - a))
    expect(channelsByNorm(LOADED)[0]).toBe(5)
  })
})

it('the crest factor is the largest magnitude over the root mean square of all elements', () => {
  const rms = Math.sqrt(VALUES.reduce((sum, x) => sum + x * x, 0) / VALUES.length)
  expect(crestFactor(LOADED)).toBeCloseTo(LOADED.maxAbsolute / rms, 5)
})
