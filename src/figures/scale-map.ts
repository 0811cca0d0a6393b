import type { ColorBar, Data, Shape } from '../../types/plotly-figure'
import type { BlockMap } from '../experiment/tensor-blocks'
import { exponentOf } from '../formats/codec-element'
import { scaleByteOf } from '../formats/codec-scale'
import { formatLabel } from '../formats/format-text'
import type { MxQuantizer, Quantizer } from '../formats/number-format'
import type { DataTable, FigureSpec } from './figure'
import { formatCount, formatMagnitude, formatPercent } from './format-number'
import { scaleExponent } from './scale-text'
import { axis, baseLayout, THEME_COLOURS, type Theme, TICK_SIZE, TITLE_SIZE } from './theme'
import { clauses, sentences } from './words'

/** A map of blocks, the format its operand is quantized to, and the block that is open. */
export interface ScaleMapModel {
  readonly map: BlockMap
  readonly quantizer: Quantizer | null
  readonly chosen: { readonly row: number; readonly block: number } | null
}

/** What the rows of an operand are called. */
export const ROW_NOUN = { weight: 'output row', activations: 'token' } as const

/** First and last index of cell `cell` when `total` things share `cells` cells. */
function cellSpan(cell: number, total: number, cells: number): { readonly first: number; readonly last: number } {
  return { first: Math.floor((cell * total) / cells), last: Math.floor(((cell + 1) * total) / cells) - 1 }
}

/** The cell that index `at` is in. */
function cellOf(at: number, total: number, cells: number): number {
  return Math.floor(((at + 1) * cells - 1) / total)
}

/** Where cells begin and end, one more than there are cells: from centres Plotly would guess wrong ones. */
function cellEdges(total: number, cells: number): number[] {
  return Array.from({ length: cells + 1 }, (_, cell) => Math.floor((cell * total) / cells) - 0.5)
}

/** The number drawn for a block maximum: null for a block of zeros or one that is NaN. */
function shownExponent(maximum: number, quantizer: Quantizer | null): number | null {
  if (maximum === 0 || !Number.isFinite(maximum)) return null
  if (quantizer?.family === 'mx') return sharedExponent(maximum, quantizer)
  return exponentOf(maximum)
}

function sharedExponent(maximum: number, quantizer: MxQuantizer): number {
  const { preScale } = quantizer
  const scaled = preScale?.variant === 'literal' ? Math.fround(maximum * preScale.factor) : maximum
  return scaleExponent(scaleByteOf(scaled, quantizer))
}

function grid<T>({ mapRows, mapCols }: BlockMap, cellValue: (cell: number) => T): T[][] {
  return Array.from({ length: mapRows }, (_, row) =>
    Array.from({ length: mapCols }, (_, col) => cellValue(row * mapCols + col)),
  )
}

/** What the colours mean, for the colour bar and the caption. */
export function exponentMeaning(quantizer: Quantizer | null): string {
  if (quantizer?.family !== 'mx') return 'exponent of the block maximum'
  const label = formatLabel({ format: quantizer.format, options: {} })
  const isOwn = quantizer.scaleRule !== 'best' && quantizer.scaleRule !== 'fp32'
  return `shared exponent, ${label}, rule ${isOwn ? quantizer.scaleRule : 'floor'}`
}

/** Whole exponents, thinned until they fit beside one another. */
function exponentTicks(min: number, max: number): number[] {
  const step = Math.max(1, Math.ceil((max - min + 1) / 16))
  return Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, i) => min + i * step)
}

const MOST_TICKS = 6

/** A round whole number of things between two ticks of an axis that counts `total` of them. */
function wholeStep(total: number): number {
  const rough = total / MOST_TICKS
  const power = 10 ** Math.max(0, Math.floor(Math.log10(rough)))
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= rough) ?? 10 * power
}

/** Whether a cell stands for several blocks. */
function isPooled({ rows, mapRows, blocks, mapCols }: BlockMap): boolean {
  return rows > mapRows || blocks > mapCols
}

/** The block a click on a cell opens: the one its colour is of. */
function opensText(map: BlockMap, cell: number): string {
  const { row, block } = openedBlock(map, cell)
  const name = `block ${block}, ${ROW_NOUN[map.operand]} ${row}`
  return `${isPooled(map) ? `largest here: ${name}` : name}<br>|value| up to ${formatMagnitude(map.maxima[cell])}`
}

/** The block that holds the maximum of a cell. */
function openedBlock({ at, blocks }: BlockMap, cell: number): { readonly row: number; readonly block: number } {
  return { row: Math.floor(at[cell] / blocks), block: at[cell] % blocks }
}

function colourBar(theme: Theme, title: string, ticks: readonly number[]): Partial<ColorBar> {
  const { mutedInk } = THEME_COLOURS[theme]
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
    title: { text: title, side: 'top', font: { size: TITLE_SIZE, color: mutedInk } },
    tickfont: { size: TICK_SIZE, color: mutedInk },
    tickvals: [...ticks],
    ticktext: ticks.map((exponent) => String(exponent).replace('-', '−')),
  }
}

/** A frame around the cell of the open block: light within dark, so that it shows on every colour. */
function chosenMark({ map, chosen }: ScaleMapModel, theme: Theme): Partial<Shape>[] {
  if (!chosen) return []
  const row = cellSpan(cellOf(Math.min(chosen.row, map.rows - 1), map.rows, map.mapRows), map.rows, map.mapRows)
  const block = cellSpan(
    cellOf(Math.min(chosen.block, map.blocks - 1), map.blocks, map.mapCols),
    map.blocks,
    map.mapCols,
  )
  const { background, ink } = THEME_COLOURS[theme]
  const box = { x0: block.first - 0.5, x1: block.last + 0.5, y0: row.first - 0.5, y1: row.last + 0.5 }
  return [
    { type: 'rect', xref: 'x', yref: 'y', ...box, line: { color: ink, width: 5 } },
    { type: 'rect', xref: 'x', yref: 'y', ...box, line: { color: background, width: 2 } },
  ]
}

/** The block that gives the cell at (x, y) of the drawing its colour. */
export function blockAt(map: BlockMap, x: number, y: number): { readonly row: number; readonly block: number } {
  const within = (at: number, total: number) => Math.min(Math.max(Math.round(at), 0), total - 1)
  const row = cellOf(within(y, map.rows), map.rows, map.mapRows)
  const col = cellOf(within(x, map.blocks), map.blocks, map.mapCols)
  return openedBlock(map, row * map.mapCols + col)
}

/** The finite exponents of the map, lowest and highest; null when no block has one. */
export function exponentRange({
  map,
  quantizer,
}: ScaleMapModel): { readonly min: number; readonly max: number } | null {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const maximum of map.maxima) {
    const exponent = shownExponent(maximum, quantizer)
    if (exponent === null) continue
    min = Math.min(min, exponent)
    max = Math.max(max, exponent)
  }
  return max < min ? null : { min, max }
}

/** Cells by exponent, exponents rising: how many, and the largest magnitude. */
function cellsByExponent({ map, quantizer }: ScaleMapModel) {
  const counts = new Map<number, { readonly cells: number; readonly largest: number }>()
  for (const maximum of map.maxima) {
    const exponent = shownExponent(maximum, quantizer)
    if (exponent === null) continue
    const entry = counts.get(exponent) ?? { cells: 0, largest: 0 }
    counts.set(exponent, { cells: entry.cells + 1, largest: Math.max(entry.largest, maximum) })
  }
  return [...counts].sort(([a], [b]) => a - b)
}

/** ", most often −3 (41 % of the cells)"; nothing where all are alike or none is. */
function commonText(model: ScaleMapModel): string {
  const cells = cellsByExponent(model)
  if (cells.length < 2) return ''
  const [exponent, { cells: count }] = cells.reduce((best, each) => (each[1].cells > best[1].cells ? each : best))
  const percent = formatPercent((100 * count) / model.map.maxima.length)
  return `, most often ${String(exponent).replace('-', '−')} (${percent} of the cells)`
}

/** "largest |value| 100: block 2 of output row 5"; null where no block has one. */
function largestText(map: BlockMap): string | null {
  const at = map.maxima.reduce(
    (best, maximum, i) => (maximum > map.maxima[best] || Number.isNaN(map.maxima[best]) ? i : best),
    0,
  )
  if (!(map.maxima[at] > 0)) return null
  const { row, block } = openedBlock(map, at)
  return `largest |value| ${formatMagnitude(map.maxima[at])}: block ${block} of ${ROW_NOUN[map.operand]} ${row}`
}

/** A map of shared exponents: rows of the operand downwards, blocks along `in` to the right. */
export const scaleMap = {
  id: 'scale-map',
  label: 'Shared exponents',
  question: 'Which blocks need a large scale, and which share one with an outlier?',
  build(model: ScaleMapModel, theme: Theme): FigureSpec {
    const { map, quantizer } = model
    const range = exponentRange(model) ?? { min: 0, max: 0 }
    const heatmap: Data = {
      type: 'heatmap',
      x: cellEdges(map.blocks, map.mapCols),
      y: cellEdges(map.rows, map.mapRows),
      z: grid(map, (cell) => shownExponent(map.maxima[cell], quantizer)),
      customdata: grid(map, (cell) => opensText(map, cell)),
      zmin: range.min - 0.5,
      zmax: range.max + 0.5,
      colorscale: 'Cividis',
      colorbar: colourBar(theme, `${exponentMeaning(quantizer)} [log₂]`, exponentTicks(range.min, range.max)),
      hoverongaps: false,
      hovertemplate: 'exponent %{z}<br>%{customdata}<extra></extra>',
    }
    return {
      data: [heatmap],
      layout: {
        ...baseLayout(theme),
        margin: { l: 8, r: 12, t: 4, b: 8 },
        xaxis: axis(theme, `block of ${map.blockSize} along in`, {
          showgrid: false,
          dtick: wholeStep(map.blocks),
          range: [-0.5, map.blocks - 0.5],
        }),
        yaxis: axis(theme, ROW_NOUN[map.operand], {
          showgrid: false,
          dtick: wholeStep(map.rows),
          // Given, not found: room for the frame of the chosen block would move the cells.
          range: [map.rows - 0.5, -0.5],
        }),
        shapes: chosenMark(model, theme),
      },
    }
  },
  /** "Shared exponent, MXFP4, rule floor: −6 to 1 over 1,024 output rows x 32 blocks, most often −3 (41 % of the cells). …" */
  describe(model: ScaleMapModel): string {
    const { map, quantizer } = model
    const range = exponentRange(model)
    const ends = range && (range.min === range.max ? `${range.min} throughout` : `${range.min} to ${range.max}`)
    const spread = ends?.replaceAll('-', '−') ?? 'none, all blocks are zero or NaN'
    const size = `over ${formatCount(map.rows)} ${ROW_NOUN[map.operand]}s x ${formatCount(map.blocks)} blocks`
    const cell = `${formatCount(Math.ceil(map.rows / map.mapRows))} x ${formatCount(Math.ceil(map.blocks / map.mapCols))}`
    const zeros = map.maxima.reduce((count, maximum) => count + (maximum === 0 ? 1 : 0), 0)
    return sentences([
      `${exponentMeaning(quantizer)}: ${spread} ${size}${commonText(model)}`,
      clauses([
        largestText(map),
        isPooled(map) ? `a cell is the largest of up to ${cell}; choosing it opens the block that has it` : null,
        zeros > 0 ? `${formatCount(zeros)} cells hold zeros only and stay empty` : null,
      ]),
    ])
  },
  /** How many cells have which exponent. */
  table(model: ScaleMapModel): DataTable {
    return {
      columns: ['exponent [power of two]', 'cells of the map', 'largest |value|'],
      rows: cellsByExponent(model).map(([exponent, { cells, largest }]) => [
        String(exponent).replace('-', '−'),
        formatCount(cells),
        formatMagnitude(largest),
      ]),
    }
  },
}
