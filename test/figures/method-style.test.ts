import { describe, expect, it } from 'vitest'
import { methodStyle, REFERENCE_COLOUR, STYLED_METHODS } from '../../src/figures/method-style'
import { THEME_COLOURS } from '../../src/figures/theme'

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

  it('no two methods share a colour, a glyph or a marker', () => {
    for (const key of ['colour', 'glyph', 'symbol', 'label'] as const) {
      const values = STYLED_METHODS.map((id) => methodStyle(id, theme)[key])
      expect(new Set(values).size, key).toBe(STYLED_METHODS.length)
    }
  })
})

it('a variant with GPTQ keeps the hue of its transform, hollow and dashed, with a star', () => {
  const plain = methodStyle('quarot', 'light')
  const starred = methodStyle('quarot+gptq', 'light')
  expect(starred).toEqual({ ...plain, label: 'QuaRot*', glyph: '△', symbol: 'triangle-up-open', dash: 'dash' })
})

it('other additions are named, unknown methods get ink and their id', () => {
  expect(methodStyle('flatquant+low-rank', 'dark').label).toBe('FlatQuant + low-rank')
  expect(methodStyle('constructor', 'light')).toMatchObject({ label: 'constructor', colour: '#1A1B1E' })
})
