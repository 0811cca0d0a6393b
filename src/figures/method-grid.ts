/** Output SQNR over transform and mitigation, as a heat map and in words. */
import type { Annotations, Data } from '../../types/plotly-figure'
import type { FigureSpec } from './figure'
import { formatDecibelDifference, formatDecibels } from './format-number'
import { axis, baseLayout, type Theme } from './theme'

/** One measured method of the grid; several may stand in one cell. */
export interface GridValue {
  readonly method: string
  readonly label: string
  readonly row: string
  readonly column: string
  /** Output SQNR on evaluation rows, in dB. */
  readonly sqnrDb: number
}

export interface GridModel {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  readonly values: readonly GridValue[]
  /** Label of the method without transform and mitigation, which differences are taken against. */
  readonly baseline: string
}

/** RGB of Cividis at 0, 1/8, …, 1: from dark blue over grey to yellow, in order also for colour-blind readers. */
const CIVIDIS: readonly (readonly [number, number, number])[] = [
  [0, 32, 76],
  [0, 49, 111],
  [62, 75, 107],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [165, 156, 116],
  [195, 179, 105],
  [255, 233, 69],
]

export interface CellColour {
  readonly paper: string
  /** Black or white, whichever is read more easily on it. */
  readonly ink: string
}

/** The colour of a number between `least` and `most`; the middle where both are the same, or the number is infinite below. */
export function cellColour(
  value: number,
  { least, most }: { readonly least: number; readonly most: number },
): CellColour {
  const place = most > least ? Math.min(1, Math.max(0, (value - least) / (most - least))) : 0.5
  const at = place * (CIVIDIS.length - 1)
  const [low, high] = [CIVIDIS[Math.floor(at)], CIVIDIS[Math.ceil(at)]]
  const rgb = low.map((from, i) => Math.round(from + (high[i] - from) * (at - Math.floor(at))))
  const linear = (channel: number) =>
    channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4
  const [red, green, blue] = rgb.map(linear)
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
  // Contrast with white is 1.05 / (L + 0.05), with black (L + 0.05) / 0.05.
  const dark = (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05)
  return { paper: `rgb(${rgb.join(' ')})`, ink: dark ? '#000' : '#fff' }
}

/** Least and most of the finite values. */
export function valueRange(values: readonly GridValue[]): { readonly least: number; readonly most: number } {
  const finite = values.map(({ sqnrDb }) => sqnrDb).filter(Number.isFinite)
  return { least: Math.min(...finite), most: Math.max(...finite) }
}

const baselineOf = ({ values, baseline }: GridModel) => values.find(({ label }) => label === baseline)

/** What a cell says: its SQNR, or how far that is from the baseline. */
export function cellText(value: GridValue, model: GridModel, scale: 'sqnr' | 'difference'): string {
  const baseline = baselineOf(model)
  if (scale === 'sqnr' || !baseline) return formatDecibels(value.sqnrDb)
  const difference = value.sqnrDb - baseline.sqnrDb
  return Number.isNaN(difference) ? '–' : formatDecibelDifference(difference)
}

/** The better of two where a cell has two; null where it has none. */
function bestAt({ values }: GridModel, row: string, column: string): GridValue | null {
  const here = values.filter((value) => value.row === row && value.column === column)
  return here.length === 0 ? null : here.reduce((best, each) => (each.sqnrDb > best.sqnrDb ? each : best))
}

export function drawGrid(model: GridModel, scale: 'sqnr' | 'difference', theme: Theme): FigureSpec {
  const { rows, columns } = model
  const cells = rows.map((row) => columns.map((column) => bestAt(model, row, column)))
  const range = valueRange(model.values)
  const heatmap = {
    type: 'heatmap',
    x: [...columns],
    y: [...rows],
    z: cells.map((line) => line.map((cell) => cell?.sqnrDb ?? null)),
    zmin: range.least,
    zmax: range.most,
    xgap: 2,
    ygap: 2,
    colorscale: CIVIDIS.map((rgb, i) => [i / (CIVIDIS.length - 1), `rgb(${rgb.join(',')})`]),
    colorbar: { title: { text: 'output SQNR [dB]', side: 'right' }, thickness: 12 },
    hovertemplate: '%{y}, %{x}: %{z:.1f} dB<extra></extra>',
  } as Data
  const notes = cells.flatMap((line) =>
    line.flatMap((cell): Partial<Annotations>[] =>
      cell === null
        ? []
        : [
            {
              x: cell.column,
              y: cell.row,
              text: cellText(cell, model, scale),
              showarrow: false,
              font: { color: cellColour(cell.sqnrDb, range).ink, size: 12 },
            },
          ],
    ),
  )
  return {
    data: [heatmap],
    layout: {
      ...baseLayout(theme),
      margin: { l: 190, r: 12, t: 8, b: 48 },
      xaxis: axis(theme, 'mitigation', { type: 'category', showgrid: false }),
      yaxis: axis(theme, 'transform', { type: 'category', showgrid: false, autorange: 'reversed' }),
      annotations: notes,
    },
  }
}

/** What is seen: the best cell, what mitigations add, which transforms stay below no transform. */
export function describeGrid(model: GridModel): string {
  const { values, rows, columns } = model
  if (values.length === 0) return 'No cell of the grid is computed yet.'
  const best = values.reduce((first, each) => (each.sqnrDb > first.sqnrDb ? each : first))
  const sentences = [
    values.length === 1
      ? `One cell is computed: ${best.label} with ${formatDecibels(best.sqnrDb)} dB.`
      : `Best of ${values.length} computed cells: ${best.label} with ${formatDecibels(best.sqnrDb)} dB.`,
    ...gains(model, columns),
    ...losers(model, rows),
  ]
  return sentences.join(' ')
}

/** Mean gain of each mitigation over the first column, over the transforms that have both. */
function gains(model: GridModel, [plain, ...mitigations]: readonly string[]): readonly string[] {
  const said = mitigations.flatMap((column) => {
    const gained = model.rows.flatMap((row) => {
      const [before, after] = [bestAt(model, row, plain), bestAt(model, row, column)]
      const gain = before && after ? after.sqnrDb - before.sqnrDb : Number.NaN
      return Number.isFinite(gain) ? [gain] : []
    })
    if (gained.length < 2) return []
    const mean = gained.reduce((sum, gain) => sum + gain, 0) / gained.length
    return [`${column} ${formatDecibelDifference(mean)} dB over ${gained.length} transforms`]
  })
  return said.length === 0 ? [] : [`Against ${plain.toLowerCase()}, on average: ${said.join('; ')}.`]
}

/** Transforms that are worse than none with every mitigation that both have. */
function losers(model: GridModel, [none, ...transforms]: readonly string[]): readonly string[] {
  const worse = transforms.filter((row) => {
    const both = model.columns.flatMap((column) => {
      const [without, own] = [bestAt(model, none, column), bestAt(model, row, column)]
      return without && own ? [own.sqnrDb < without.sqnrDb] : []
    })
    return both.length > 0 && both.every(Boolean)
  })
  return worse.length === 0 ? [] : [`Worse than no transform wherever both are computed: ${worse.join(', ')}.`]
}
