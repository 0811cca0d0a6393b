import type { Theme } from './theme'

/** How a method looks everywhere: chips, tiles, table, figures, exports. Text is never drawn in `colour`. */
export interface MethodStyle {
  /** The name its paper gives it; a star marks the variant with GPTQ. */
  readonly label: string
  readonly colour: string
  /** One character of the same shape as the marker. */
  readonly glyph: string
  /** Plotly's name of the marker. */
  readonly symbol: string
  readonly dash: 'solid' | 'dash' | 'dot'
}

interface BaseStyle {
  readonly label: string
  readonly light: string
  readonly dark: string
  readonly glyph: string
  readonly hollowGlyph: string
  readonly symbol: string
}

/** The colour table of docs/figures.md, chosen by computed distance under four kinds of colour vision. */
const BASE_STYLES: Readonly<Record<string, BaseStyle>> = {
  rtn: { label: 'RTN', light: '#595556', dark: '#AAA7A0', glyph: '●', hollowGlyph: '○', symbol: 'circle' },
  smoothquant: {
    label: 'SmoothQuant',
    light: '#2CA783',
    dark: '#2C895E',
    glyph: '■',
    hollowGlyph: '□',
    symbol: 'square',
  },
  awq: { label: 'AWQ', light: '#0C3100', dark: '#FDF327', glyph: '⬟', hollowGlyph: '⬠', symbol: 'pentagon' },
  gptq: { label: 'GPTQ', light: '#BA72D1', dark: '#AC588D', glyph: '✚', hollowGlyph: '✛', symbol: 'cross' },
  'mr-gptq': { label: 'MR-GPTQ', light: '#5E0A6A', dark: '#8653F8', glyph: '✖', hollowGlyph: '✕', symbol: 'x' },
  quarot: { label: 'QuaRot', light: '#E87021', dark: '#DE1224', glyph: '▲', hollowGlyph: '△', symbol: 'triangle-up' },
  spinquant: {
    label: 'SpinQuant',
    light: '#924806',
    dark: '#E79B3C',
    glyph: '▼',
    hollowGlyph: '▽',
    symbol: 'triangle-down',
  },
  flatquant: { label: 'FlatQuant', light: '#1953BA', dark: '#5FB4F6', glyph: '◆', hollowGlyph: '◇', symbol: 'diamond' },
}

/** A method without an entry of its own: ink, a star, its id for a name. */
const UNKNOWN: Omit<BaseStyle, 'label'> = {
  light: '#1A1B1E',
  dark: '#F1F3F5',
  glyph: '★',
  hollowGlyph: '☆',
  symbol: 'star',
}

/** Method ids with an entry in the colour table, in menu order. */
export const STYLED_METHODS: readonly string[] = Object.keys(BASE_STYLES)

/** The activations as loaded, drawn behind every method. */
export const REFERENCE_COLOUR: Readonly<Record<Theme, string>> = { light: '#1A1B1E', dark: '#F1F3F5' }

/**
 * The style of a method id. A variant such as "quarot+gptq" keeps the hue and shape of its transform, hollow, with a
 * dashed line; "+gptq" alone is written with the papers' star.
 */
export function methodStyle(methodId: string, theme: Theme): MethodStyle {
  const [baseId, ...additions] = methodId.split('+')
  const base = Object.hasOwn(BASE_STYLES, baseId) ? BASE_STYLES[baseId] : { ...UNKNOWN, label: baseId }
  if (additions.length === 0) {
    return { label: base.label, colour: base[theme], glyph: base.glyph, symbol: base.symbol, dash: 'solid' }
  }
  const label = additions.join('+') === 'gptq' ? `${base.label}*` : `${base.label} + ${additions.join(' + ')}`
  return { label, colour: base[theme], glyph: base.hollowGlyph, symbol: `${base.symbol}-open`, dash: 'dash' }
}
