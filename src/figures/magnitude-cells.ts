import type { ColorBar } from '../../types/plotly-figure'
import type { MagnitudeMap, MethodResult } from '../experiment/result'
import { methodLabel } from './describe'
import type { DataTable, FigureOptions } from './figure'
import { formatCount, formatMagnitude, formatPercent } from './format-number'
import { logRange, logTicks } from './log-ticks'
import type { PositiveRange } from './shared-scales'
import { THEME_COLOURS, type Theme, TICK_SIZE, TITLE_SIZE } from './theme'
import { medianOf, sentences } from './words'

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

/** Cells that stand out are more than this above the median one. */
const OUTSTANDING = 10

/** "QuaRot moves the largest magnitude from channel 5, token 3 to channel 9, token 12 and lowers it from 118 to 12.0. …" */
export function describeCells(result: MethodResult, { reference }: FigureOptions): string {
  const { map, maxAbsolute } = result.profile
  const name = methodLabel(result.method)
  if (maxAbsolute === 0) return sentences([`${name}: all activations are zero`])
  const before = reference && reference.method !== result.method ? reference.profile : null
  return sentences([largestWords(name, map, before?.map ?? null), outstandingWords(map, before?.map ?? null)])
}

const largestCell = ({ values }: MagnitudeMap) =>
  values.reduce((best, value, i) => (value > values[best] ? i : best), 0)

function largestWords(name: string, map: MagnitudeMap, before: MagnitudeMap | null): string {
  const [value, at] = [formatMagnitude(map.values[largestCell(map)]), placeOf(map, largestCell(map))]
  if (before === null) return `${name}: the largest magnitude, ${value}, is at ${at}`
  const [old, from] = [before.values[largestCell(before)], placeOf(before, largestCell(before))]
  const [oldText, now] = [formatMagnitude(old), map.values[largestCell(map)]]
  const verb = now < old ? 'lowers' : 'raises'
  if (at === from) {
    return value === oldText
      ? `${name} leaves the largest magnitude, ${value}, at ${at}`
      : `${name} ${verb} the largest magnitude, at ${at}, from ${oldText} to ${value}`
  }
  const size = value === oldText ? `leaves it at ${value}` : `${verb} it from ${oldText} to ${value}`
  return `${name} moves the largest magnitude from ${from} to ${at} and ${size}`
}

/** "3.1 % of the cells exceed ten times the median cell, 4.2 % as loaded" */
function outstandingWords(map: MagnitudeMap, before: MagnitudeMap | null): string {
  const text = (one: MagnitudeMap) => {
    const limit = OUTSTANDING * medianOf(one.values)
    const above = one.values.reduce((count, value) => count + (value > limit ? 1 : 0), 0)
    return above === 0 ? 'none' : formatPercent((100 * above) / one.values.length)
  }
  const loaded = before === null ? '' : `, ${text(before)} as loaded`
  return `${text(map)} of the cells exceed${text(map) === 'none' ? 's' : ''} ten times the median cell${loaded}`
}

const placeOf = (map: MagnitudeMap, cell: number) =>
  `${nameCell(cell % map.cols, map.channels, map.cols)('channel')}, ${nameCell(Math.floor(cell / map.cols), map.tokens, map.rows)('token')}`

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
