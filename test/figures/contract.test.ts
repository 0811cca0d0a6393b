import { describe, expect, it } from 'vitest'
import type { Figure, FigureOptions } from '../../src/figures/figure'
import { methodStyle, STYLED_METHODS } from '../../src/figures/method-style'
import { figureOptions } from '../../src/figures/options'
import { FIGURES } from '../../src/figures/registry'
import { THEME_COLOURS } from '../../src/figures/theme'
import { FAILURE, profileOf, resultOf, TWO_SETTINGS, W4A4 } from './fixtures'

const light = figureOptions(W4A4, { theme: 'light' })

/** Axes of things with names or numbers of their own, which have no unit. */
const COUNTED = [
  'channel',
  'token',
  'step',
  'setting',
  'method, tensor after the transform',
  'method, operands whose scales become fp32',
]

/** Every drawing of a figure over the fixtures, each with its words and its table. */
function drawings(figure: Figure, options: FigureOptions) {
  if (figure.scope === 'panel') {
    const outcomes = [...TWO_SETTINGS, FAILURE]
    return [
      {
        spec: figure.build(outcomes, options),
        words: figure.describe(outcomes, options),
        table: figure.table(outcomes, options),
      },
    ]
  }
  return W4A4.map((result) => ({
    spec: figure.build(result, options),
    words: figure.describe(result, options),
    table: figure.table(result, options),
  }))
}

/** All values stored under `key` anywhere inside. */
function valuesOf(tree: unknown, key: string): unknown[] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([name, value]) => (name === key ? [value] : valuesOf(value, key)))
}

it('figure ids are unique', () => {
  expect(new Set(FIGURES.map((figure) => figure.id)).size).toBe(FIGURES.length)
})

describe.each(FIGURES)('$id', (figure) => {
  it('asks one question', () => {
    expect(figure.question).toMatch(/^[A-Z].*\?$/)
  })

  it('names every axis, and says "log" where an axis is', () => {
    for (const { spec } of drawings(figure, light)) {
      const axes =
        figure.id === 'surface'
          ? [spec.layout.scene?.xaxis, spec.layout.scene?.yaxis]
          : [spec.layout.xaxis, spec.layout.yaxis]
      for (const one of axes) {
        const title = typeof one?.title === 'object' ? (one.title.text ?? '') : ''
        expect(title).not.toBe('')
        expect(title.endsWith(', log')).toBe(one?.type === 'log')
      }
    }
  })

  it('has a unit in brackets on every axis of a quantity; places are counted, logarithms of shares say "log"', () => {
    for (const { spec } of drawings(figure, light)) {
      const { layout } = spec
      const flat = [layout.xaxis, layout.yaxis, layout.xaxis2, layout.yaxis2].flatMap((one) => (one ? [one] : []))
      const { xaxis, yaxis } = layout.scene ?? {}
      // The height is named in the corner, where there is room.
      const height = layout.scene ? { title: { text: layout.annotations?.[0]?.text } } : undefined
      const axes: readonly { readonly title?: unknown }[] = [
        ...flat,
        ...[xaxis, yaxis, height].flatMap((one) => one ?? []),
      ]
      expect(axes.length).toBeGreaterThanOrEqual(2)
      for (const { title } of axes) {
        const [text = ''] = valuesOf({ title }, 'text').map(String)
        expect(COUNTED.includes(text) || /\[[^\]]+\](, log)?$/.test(text) || text.endsWith(', log'), text).toBe(true)
      }
    }
  })

  it('draws no trace with more than 4,096 points', () => {
    const channels = 9000
    const values = Array.from({ length: channels }, (_, i) => Math.sin(i) + 1.5)
    const wide = resultOf({ method: 'quarot', error: 0.2, profile: profileOf(values, 1, channels) })
    const options = figureOptions([wide], { theme: 'light' })
    const spec = figure.scope === 'tile' ? figure.build(wide, options) : figure.build([wide], options)
    // The map of a real result is pooled before it comes here.
    const lines = spec.data.filter((trace) => trace.type === 'scatter')
    for (const line of lines) expect('x' in line && Array.isArray(line.x) ? line.x.length : 0).toBeLessThanOrEqual(4096)
  })

  it('colours no text by method and has words and a table for what it draws', () => {
    for (const theme of ['light', 'dark'] as const) {
      const { ink, mutedInk } = THEME_COLOURS[theme]
      const methodColours = STYLED_METHODS.map((id) => methodStyle(id, theme).colour)
      expect(methodColours).not.toContain(ink)
      for (const { spec, words, table } of drawings(figure, { ...light, theme })) {
        const fonts = ['font', 'tickfont', 'textfont'].flatMap((key) => valuesOf(spec, key))
        expect(fonts.length).toBeGreaterThan(0)
        for (const colour of fonts.flatMap((font) => valuesOf(font, 'color'))) expect([ink, mutedInk]).toContain(colour)
        expect(words.length).toBeGreaterThan(10)
        expect(table.rows.length).toBeGreaterThan(0)
        for (const row of table.rows) expect(row.length).toBe(table.columns.length)
        expect(`${words}${table.rows.flat().join(' ')}`).not.toMatch(/NaN|undefined|\de[+-]?\d/)
      }
    }
  })

  it('draws all-zero activations without a NaN or an infinity', () => {
    const silent = resultOf({
      method: 'rtn',
      error: 1,
      profile: {
        ...profileOf([1], 1, 1),
        maxAbsolute: 0,
        kurtosis: Number.NaN,
        map: { rows: 1, cols: 1, values: new Float32Array(1), tokens: 1, channels: 1 },
        channelMax: new Float32Array(1),
        channelRms: new Float32Array(1),
      },
    })
    const options = figureOptions([silent], { theme: 'light' })
    const spec = figure.scope === 'tile' ? figure.build(silent, options) : figure.build([silent], options)
    const numbers = JSON.stringify(spec, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
    )
    expect(numbers).not.toContain('BAD')
  })
})
