/**
 * A format on the number line: its values as ticks, what is rounded to each as alternating bands. Drawn as a few SVG
 * paths, because Plotly takes longer than the frame a slider has.
 */
import { findCell, type ScaledGrid } from '../formats/scaled-grid'
import type { LineAxis } from './line-axis'

/** Bands narrower than this run together: neither a band nor a tick could be told from its neighbours. */
const NARROWEST_PX = 2

/** SVG path data; y runs from 0 at the top of the ticks to BAND_BOTTOM. */
export interface NumberLine {
  /** Every other band, counted from zero outwards in codes. */
  readonly even: string
  readonly odd: string
  /** Where values lie too close to draw. */
  readonly dense: string
  /** Beyond the outermost values, where numbers saturate. */
  readonly saturated: string
  readonly ticks: string
  /** Rectangles and ticks drawn: bounded by the width, whatever the format. */
  readonly points: number
}

export const TICK_TOP = 2
export const BAND_TOP = 14
export const BAND_BOTTOM = 30

const px = (value: number) => Math.round(value * 10) / 10

function rectangle(from: number, to: number): string {
  return `M${px(from)} ${BAND_TOP}H${px(to)}V${BAND_BOTTOM}H${px(from)}Z`
}

interface Paths {
  even: string
  odd: string
  dense: string
  saturated: string
  ticks: string
  points: number
}

/** The outermost cells end as far beyond their value as they begin before it; from there on numbers saturate. */
function cellEnds({ edges, values }: ScaledGrid, cell: number): [number, number] {
  const last = values.length - 1
  const from = cell === 0 ? 2 * values[0] - edges[1] : edges[cell]
  const to = cell === last ? 2 * values[last] - edges[last] : edges[cell + 1]
  return [from, to]
}

function addSaturated(paths: Paths, grid: ScaledGrid, { toPixel, width }: LineAxis): void {
  const start = toPixel(cellEnds(grid, 0)[0])
  const end = toPixel(cellEnds(grid, grid.values.length - 1)[1])
  if (start > 0) paths.saturated += rectangle(0, Math.min(start, width))
  if (end < width) paths.saturated += rectangle(Math.max(end, 0), width)
}

/** Draws `grid` on `axis`. Work is bounded by the width, not by the number of codes. */
export function numberLine(grid: ScaledGrid, axis: LineAxis): NumberLine {
  const { toPixel, toValue, width } = axis
  const paths: Paths = { even: '', odd: '', dense: '', saturated: '', ticks: '', points: 0 }
  addSaturated(paths, grid, axis)
  const last = findCell(grid, toValue(width))
  let cell = findCell(grid, toValue(0))
  while (cell <= last) {
    const [from, to] = cellEnds(grid, cell).map(toPixel)
    paths.points += 1
    if (to - from >= NARROWEST_PX || last - cell < 1) {
      paths[cell % 2 === 0 ? 'even' : 'odd'] += rectangle(Math.max(from, 0), Math.min(Math.max(to, 0), width))
      const at = toPixel(grid.values[cell])
      if (at >= 0 && at <= width) paths.ticks += `M${px(at)} ${TICK_TOP}V${BAND_BOTTOM}`
      cell += 1
      continue
    }
    const next = Math.max(cell + 1, findCell(grid, toValue(from + NARROWEST_PX)))
    paths.dense += rectangle(Math.max(from, 0), Math.min(toPixel(grid.edges[next]), width))
    cell = next
  }
  return paths
}
