import { METHOD_CATALOG } from '../experiment/catalog'
import type { Theme } from './theme'

/** How a method looks everywhere: chips, tiles, table, figures, exports. Text is never drawn in `colour`. */
export interface MethodStyle {
  /** The name in the catalog; a star marks the variant with GPTQ. */
  readonly label: string
  readonly colour: string
  /** The shape of the marker as text, and a small plus after it where there is a low-rank branch. */
  readonly glyph: string
  /** Plotly's name of the marker. */
  readonly symbol: string
  readonly dash: 'solid' | 'dash' | 'dot' | 'dashdot'
}

interface BaseStyle {
  readonly light: string
  readonly dark: string
  readonly glyph: string
  readonly hollowGlyph: string
  readonly symbol: string
}

/** The colour table of docs/figures.md, chosen by computed distance under four kinds of colour vision. */
const BASE_STYLES: Readonly<Record<string, BaseStyle>> = {
  rtn: { light: '#595556', dark: '#AAA7A0', glyph: '●', hollowGlyph: '○', symbol: 'circle' },
  smoothquant: { light: '#2CA783', dark: '#379171', glyph: '■', hollowGlyph: '□', symbol: 'square' },
  awq: { light: '#0C3100', dark: '#FDF327', glyph: '⬟', hollowGlyph: '⬠', symbol: 'pentagon' },
  gptq: { light: '#BA72D1', dark: '#AC588D', glyph: '✚', hollowGlyph: '✛', symbol: 'cross' },
  'gptq-best': { light: '#4A3249', dark: '#BE8FB2', glyph: '★', hollowGlyph: '☆', symbol: 'star' },
  'mr-gptq': { light: '#5E0A6A', dark: '#8653F8', glyph: '✖', hollowGlyph: '✕', symbol: 'x' },
  'low-rank': { light: '#C53882', dark: '#FD4173', glyph: '✦', hollowGlyph: '✧', symbol: 'star-diamond' },
  quarot: { light: '#E87021', dark: '#E79B3C', glyph: '▲', hollowGlyph: '△', symbol: 'triangle-up' },
  spinquant: { light: '#924806', dark: '#CF1D0A', glyph: '▼', hollowGlyph: '▽', symbol: 'triangle-down' },
  'block-hadamard': { light: '#8F6F53', dark: '#F5CAAC', glyph: '◀', hollowGlyph: '◁', symbol: 'triangle-left' },
  flatquant: { light: '#1953BA', dark: '#5FB4F6', glyph: '◆', hollowGlyph: '◇', symbol: 'diamond' },
  'block-affine': { light: '#0000C0', dark: '#4D7841', glyph: '⧫', hollowGlyph: '◊', symbol: 'diamond-tall' },
  'scaled-hadamard': { light: '#037E8B', dark: '#C0DBFA', glyph: '⬢', hollowGlyph: '⬡', symbol: 'hexagon' },
}

/** A method without an entry of its own: ink. */
const UNKNOWN: BaseStyle = {
  light: '#1A1B1E',
  dark: '#F1F3F5',
  glyph: '▶',
  hollowGlyph: '▷',
  symbol: 'triangle-right',
}

/** Method ids with an entry in the colour table. */
export const STYLED_METHODS: readonly string[] = Object.keys(BASE_STYLES)

/** The activations as loaded, drawn behind every method. */
export const REFERENCE_COLOUR: Readonly<Record<Theme, string>> = { light: '#1A1B1E', dark: '#F1F3F5' }

/**
 * The style of a method id. A variant keeps the hue and shape of what it starts from ("quarot" of "quarot+gptq"):
 * hollow and dashed with GPTQ, a plus and dots with a low-rank branch, all of it with both.
 */
export function methodStyle(methodId: string, theme: Theme): MethodStyle {
  const [baseId, ...additions] = methodId.split('+')
  const base = Object.hasOwn(BASE_STYLES, baseId) ? BASE_STYLES[baseId] : UNKNOWN
  const hollow = additions.includes('gptq')
  const branch = additions.includes('low-rank')
  return {
    label: METHOD_CATALOG.find(({ id }) => id === methodId)?.label ?? methodId,
    colour: base[theme],
    glyph: `${hollow ? base.hollowGlyph : base.glyph}${branch ? '₊' : ''}`,
    symbol: `${base.symbol}${hollow ? '-open' : ''}${branch ? '-dot' : ''}`,
    dash: hollow ? (branch ? 'dashdot' : 'dash') : branch ? 'dot' : 'solid',
  }
}
