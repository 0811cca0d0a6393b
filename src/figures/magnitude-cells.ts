import type { ColorBar } from '../../types/plotly-figure'
import type { MagnitudeMap, MethodResult } from '../experiment/result'
import { describeResult } from './describe'
import type { DataTable, FigureOptions } from './figure'
import { formatCount, formatMagnitude } from './format-number'
import { logRange, logTicks } from './log-ticks'
import type { PositiveRange } from './shared-scales'
import { THEME_COLOURS, type Theme, TICK_SIZE, TITLE_SIZE } from './theme'

/** What the flat map and the surface have in common: the same cells, axes and colours. */
export interface CellGrid {
  /** Channel and token at the middle of each column and row of cells. */
  readonly channels: number[]
  readonly tokens: number[]
  /** |x|, one row per token cell. */
  readonly values: number[][]
}

/** The tokens or channels of one cell, first and last included: `total` cut into `cells` parts as equal as can be. */
function cellSpan(cell: number, total: number, cells: number): { readonly first: number; readonly last: number } {
  return { first: Math.floor((cell * total) / cells), last: Math.floor(((cell + 1) * total) / cells) - 1 }
}

function cellCentres(total: number, cells: number): number[] {
  return Array.from({ length: cells }, (_, cell) => {
    const { first, last } = cellSpan(cell, total, cells)
    return (first + last) / 2
  })
}

/** Lays the map's values out for Plotly. */
export function cellGrid(map: MagnitudeMap): CellGrid {
  return {
    channels: cellCentres(map.channels, map.cols),
    tokens: cellCentres(map.tokens, map.rows),
    values: Array.from({ length: map.rows }, (_, row) =>
      Array.from(map.values.subarray(row * map.cols, (row + 1) * map.cols)),
    ),
  }
}

/** log10 of the cells. Zeros and what lies below the shared range take its lower end. */
export function logCells(values: readonly number[][], range: PositiveRange): number[][] {
  return values.map((row) => row.map((value) => Math.log10(Math.max(value, range.min))))
}

/** A thin colour bar above the plot for log10 |x|, whose ticks are written as |x|. */
export function logColourBar(theme: Theme, range: PositiveRange): Partial<ColorBar> {
  const { mutedInk } = THEME_COLOURS[theme]
  const { tickvals, ticktext } = logTicks(range)
  return {
    orientation: 'h',
    x: 0.5,
    xanchor: 'center',
    y: 1,
    yanchor: 'bottom',
    ypad: 4,
    len: 1,
    thickness: 8,
    outlinewidth: 0,
    title: { text: '|x| [unit of X], log', side: 'top', font: { size: TITLE_SIZE, color: mutedInk } },
    tickfont: { size: TICK_SIZE, color: mutedInk },
    tickvals: tickvals.map(Math.log10),
    ticktext,
  }
}

/** Colour range of log cells. */
export const logCellRange = (options: FigureOptions) => logRange(options.scales.cells)

/** "…; largest near channel 37, token 12". */
export function describeCells(result: MethodResult, options: FigureOptions): string {
  const { map } = result.profile
  const at = map.values.reduce((best, value, i) => (value > map.values[best] ? i : best), 0)
  const channel = nameCell(at % map.cols, map.channels, map.cols)
  const token = nameCell(Math.floor(at / map.cols), map.tokens, map.rows)
  return `${describeResult(result, options.reference)}; largest at ${channel('channel')}, ${token('token')}`
}

/** Names the tokens or channels of a cell: "channel 5" or "channels 8–11". */
function nameCell(cell: number, total: number, cells: number): (noun: string) => string {
  const { first, last } = cellSpan(cell, total, cells)
  return (noun) => (first === last ? `${noun} ${last}` : `${noun}s ${first}–${last}`)
}

/** The table of a result's map. */
export const cellTable = ({ profile }: MethodResult): DataTable => mapTable(profile.map, 'X', 'token')

/** Per column of cells: its channels, the largest |x|, and where that is. A table of every cell would be unreadable. */
export function mapTable(map: MagnitudeMap, unit: string, rowNoun: string): DataTable {
  const rows = Array.from({ length: map.cols }, (_, col) => {
    let best = 0
    for (let row = 1; row < map.rows; row++) {
      if (map.values[row * map.cols + col] > map.values[best * map.cols + col]) best = row
    }
    const channels = nameCell(col, map.channels, map.cols)('channel')
    const tokens = nameCell(best, map.tokens, map.rows)(rowNoun)
    return [channels, formatMagnitude(map.values[best * map.cols + col]), tokens]
  })
  return {
    columns: ['channels', `largest |x| [unit of ${unit}]`, `at, of ${formatCount(map.tokens)} ${rowNoun}s`],
    rows,
  }
}
