import type { Annotations, Layout, LayoutAxis } from '../../types/plotly-figure'

export type Theme = 'light' | 'dark'

export interface ThemeColours {
  /** What figures are meant to lie on: contrasts are measured against it. */
  readonly background: string
  readonly ink: string
  /** Axis titles, ticks and notes. */
  readonly mutedInk: string
  readonly grid: string
  /** Axis lines and marks such as ± max. */
  readonly rule: string
}

export const THEME_COLOURS: Readonly<Record<Theme, ThemeColours>> = {
  light: { background: '#FFFFFF', ink: '#1A1B1E', mutedInk: '#495057', grid: '#E9ECEF', rule: '#868E96' },
  dark: { background: '#1A1B1E', ink: '#F1F3F5', mutedInk: '#C1C2C5', grid: '#2F3136', rule: '#868E96' },
}

/** Sizes of figure text in px (docs/figures.md). */
export const TITLE_SIZE = 12
export const TICK_SIZE = 11

const FONT_FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

/**
 * Layout that all figures share: fonts, transparent paper (the tile's own background shows), room for axes that grows
 * by itself, no title, no legend, and no drag, so that a finger on a tile still scrolls the page.
 */
export function baseLayout(theme: Theme): Partial<Layout> {
  const colours = THEME_COLOURS[theme]
  return {
    autosize: true,
    margin: { l: 8, r: 12, t: 22, b: 8 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: FONT_FAMILY, size: TICK_SIZE, color: colours.ink },
    hoverlabel: {
      bgcolor: colours.background,
      bordercolor: colours.rule,
      font: { family: FONT_FAMILY, size: TITLE_SIZE, color: colours.ink },
    },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: colours.mutedInk, activecolor: colours.ink },
    showlegend: false,
    dragmode: false,
    hovermode: 'closest',
  }
}

/** A line of small text above the top left corner of the plot. */
export function cornerNote(theme: Theme, text: string): Partial<Annotations> {
  return {
    text,
    x: 0,
    y: 1,
    xref: 'paper',
    yref: 'paper',
    xanchor: 'left',
    yanchor: 'bottom',
    showarrow: false,
    font: { size: TICK_SIZE, color: THEME_COLOURS[theme].mutedInk },
  }
}

/** An axis with a title, in the theme's colours. */
export function axis(theme: Theme, title: string, more: Partial<LayoutAxis> = {}): Partial<LayoutAxis> {
  const colours = THEME_COLOURS[theme]
  return {
    title: { text: title, font: { size: TITLE_SIZE, color: colours.mutedInk }, standoff: 6 },
    automargin: true,
    gridcolor: colours.grid,
    linecolor: colours.rule,
    showline: true,
    ticks: 'outside',
    ticklen: 3,
    tickcolor: colours.rule,
    tickfont: { size: TICK_SIZE, color: colours.mutedInk },
    zeroline: false,
    ...more,
  }
}

/** "#RRGGBB" with an opacity 0 … 1, as CSS. */
export function withOpacity(hex: string, opacity: number): string {
  const channel = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16)
  return `rgba(${channel(1)},${channel(3)},${channel(5)},${opacity})`
}
