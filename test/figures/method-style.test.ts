import { describe, expect, it } from 'vitest'
import { methodStyle, REFERENCE_COLOUR, STYLED_METHODS } from '../../src/figures/method-style'
import { THEME_COLOURS } from '../../src/figures/theme'
import { METHODS } from '../../src/methods/registry'
import { ciede2000, leastDistance } from '../support/colour-distance'

/** Relative luminance of "#RRGGBB" (WCAG 2.2, definition of relative luminance). */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Contrast ratio, 1 … 21 (WCAG 2.2). */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const themes = ['light', 'dark'] as const

it('knows the contrast of black on white', () => {
  expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 10)
})

it('knows published distances of colours', () => {
  // Sharma, Wu and Dalal 2005, table 1, pairs 1, 7, 17 and 25.
  expect(ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4)
  expect(ciede2000([50, 0, 0], [50, -1, 2])).toBeCloseTo(2.3669, 4)
  expect(ciede2000([50, 2.5, 0], [73, 25, -18])).toBeCloseTo(27.1492, 4)
  expect(ciede2000([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387])).toBeCloseTo(1.2644, 4)
})

/** The distances docs/figures.md states. */
const LEAST_DISTANCE = { light: 10.8, dark: 12.2 } as const

describe.each(themes)('on the %s background', (theme) => {
  const { background, ink, mutedInk, rule } = THEME_COLOURS[theme]

  it('every method, the reference and the rules have a contrast of at least 3', () => {
    const colours = [...STYLED_METHODS, 'unknown'].map((id) => methodStyle(id, theme).colour)
    for (const colour of [...colours, REFERENCE_COLOUR[theme], rule]) {
      expect(contrast(colour, background), colour).toBeGreaterThanOrEqual(3)
    }
  })

  it('text has a contrast of at least 4.5', () => {
    for (const colour of [ink, mutedInk]) expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5)
  })

  it('any two methods with an entry are told apart by colour, under four kinds of colour vision', () => {
    const colours = [...STYLED_METHODS, 'unknown'].map((id) => methodStyle(id, theme).colour)
    for (const [at, colour] of colours.entries()) {
      for (const other of colours.slice(at + 1)) {
        expect(leastDistance(colour, other), `${colour} ${other}`).toBeGreaterThanOrEqual(LEAST_DISTANCE[theme])
      }
    }
  })

  it('no two methods share a colour, a glyph or a marker', () => {
    for (const key of ['colour', 'glyph', 'symbol', 'label'] as const) {
      const values = STYLED_METHODS.map((id) => methodStyle(id, theme)[key])
      expect(new Set(values).size, key).toBe(STYLED_METHODS.length)
    }
  })
})

it('every method of the grid has a glyph of its own, and a line and a marker of its own within its colour', () => {
  const styles = METHODS.map(({ id }) => methodStyle(id, 'light'))
  for (const key of ['glyph', 'symbol'] as const) {
    expect(new Set(styles.map((style) => style[key])).size, key).toBe(METHODS.length)
  }
  const lines = styles.map(({ colour, dash }) => `${colour} ${dash}`)
  expect(new Set(lines).size).toBe(METHODS.length)
})

it('every method is called by its name in the registry', () => {
  for (const { id, label } of METHODS) expect(methodStyle(id, 'dark').label).toBe(label)
})

it('a variant with GPTQ keeps the hue of its transform, hollow and dashed, with a star', () => {
  const plain = methodStyle('quarot', 'light')
  const starred = methodStyle('quarot+gptq', 'light')
  expect(starred).toEqual({ ...plain, label: 'QuaRot*', glyph: '△', symbol: 'triangle-up-open', dash: 'dash' })
})

it('a low-rank branch adds a plus and dots to either', () => {
  const [plain, starred] = [methodStyle('awq', 'dark'), methodStyle('awq+gptq', 'dark')]
  expect(methodStyle('awq+low-rank', 'dark')).toMatchObject({
    colour: plain.colour,
    glyph: '⬟₊',
    symbol: 'pentagon-dot',
    dash: 'dot',
  })
  expect(methodStyle('awq+gptq+low-rank', 'dark')).toMatchObject({
    colour: starred.colour,
    glyph: '⬠₊',
    symbol: 'pentagon-open-dot',
    dash: 'dashdot',
  })
})

it('unknown methods get ink and their id', () => {
  expect(methodStyle('constructor', 'light')).toMatchObject({ label: 'constructor', colour: '#1A1B1E' })
})
