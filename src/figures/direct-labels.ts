import type { Annotations } from '../../types/plotly-figure'
import { THEME_COLOURS, type Theme, TITLE_SIZE } from './theme'

/** The end of a line: category or number on x, a position on y in axis units (log10 on a log axis). */
export interface LineEnd {
  readonly text: string
  /** Id of the method the line is of. */
  readonly method: string
  readonly x: string | number
  readonly y: number
}

/**
 * Moves positions apart until neighbours differ by at least `gap`, keeping their order and staying inside [low, high]
 * where they fit. Returned in the order of the argument.
 */
export function spread(positions: readonly number[], gap: number, [low, high]: readonly [number, number]): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => positions[a] - positions[b] || a - b)
  const placed = [...positions]
  let floor = low
  for (const i of order) {
    placed[i] = Math.max(placed[i], floor)
    floor = placed[i] + gap
  }
  let ceiling = high
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], ceiling)
    ceiling = placed[i] - gap
  }
  return placed
}

/** Distance of neighbouring names as a share of the axis: a line of text in a plot 200 px high. */
const LABEL_GAP = 0.07

/** Room for the names at the right, in px: at least that of "◆ SmoothQuant*", and no more than a phone can spare. */
const NARROWEST_MARGIN = 112
const WIDEST_MARGIN = 184
/** Of a character at 12 px, on average, and what stands beside the text. */
const CHARACTER = 7
const BESIDE = 14

/** Margins that leave room for the names at the right. */
export function labelMargin(ends: readonly Pick<LineEnd, 'text'>[]) {
  const longest = Math.max(0, ...ends.map(({ text }) => text.length))
  const r = Math.min(Math.max(NARROWEST_MARGIN, BESIDE + CHARACTER * longest), WIDEST_MARGIN)
  return { l: 8, r, t: 22, b: 8 }
}

/** Names at the right of line ends, in ink, moved apart vertically. `range` is that of the y axis, in axis units. */
export function directLabels(
  ends: readonly LineEnd[],
  range: readonly [number, number],
  theme: Theme,
): Partial<Annotations>[] {
  const gap = (range[1] - range[0]) * LABEL_GAP
  const placed = spread(
    ends.map((end) => end.y),
    gap,
    [range[0] + gap / 2, range[1] - gap / 2],
  )
  return ends.map((end, i) => ({
    name: end.method,
    text: end.text,
    x: end.x,
    y: placed[i],
    xref: 'x',
    yref: 'y',
    xanchor: 'left',
    yanchor: 'middle',
    xshift: 8,
    showarrow: false,
    font: { size: TITLE_SIZE, color: THEME_COLOURS[theme].ink },
  }))
}
