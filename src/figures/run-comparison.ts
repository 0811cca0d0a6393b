/** Two runs, method by method. No part of a result. */
import type { Data } from '../../types/plotly-figure'
import { methodLabel } from './describe'
import type { DataTable, FigureSpec } from './figure'
import { formatDecibelDifference, formatDecibels, formatRelativeError, shownDifference } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme } from './theme'
import { clauses, listed, namesOrCount, sentences } from './words'

/** What one method gave in one run, on evaluation rows. */
export interface RunNumbers {
  readonly outputSqnrDb: number | null
  readonly outputRelativeError: number | null
  /** Code of the error it failed with; null for a result. */
  readonly error: string | null
}

/** One method in runs A and B; null where a run does not have it. */
export interface ComparedMethod {
  readonly method: string
  readonly a: RunNumbers | null
  readonly b: RunNumbers | null
}

/** Marks of the runs: a ring, and a filled diamond. */
const RUNS = [
  { key: 'a', name: 'A', symbol: 'circle-open', size: 15 },
  { key: 'b', name: 'B', symbol: 'diamond', size: 8 },
] as const
const PADDING_DB = 1

const decibelsOf = (run: RunNumbers | null): number | null => {
  const value = run?.outputSqnrDb ?? null
  return value !== null && Number.isFinite(value) ? value : null
}

/** A line per method from run A to run B. What is missing, failed or exact has no mark. */
export function drawRunComparison(methods: readonly ComparedMethod[], theme: Theme): FigureSpec {
  const values = methods.flatMap(({ a, b }) => [decibelsOf(a), decibelsOf(b)]).filter((each) => each !== null)
  const range = values.length > 0 ? [Math.min(...values) - PADDING_DB, Math.max(...values) + PADDING_DB] : [0, 40]
  const missing = values.length > 0 ? [] : [cornerNote(theme, 'neither run has a number to draw')]
  return {
    data: methods.map((compared) => dumbbell(compared, theme)),
    layout: {
      ...baseLayout(theme),
      xaxis: axis(theme, 'output SQNR [dB]', { range, nticks: 6 }),
      yaxis: axis(theme, '', {
        type: 'category',
        categoryorder: 'array',
        // The first method stands at the top.
        categoryarray: methods.map(({ method }) => methodLabel(method)).reverse(),
        showgrid: false,
      }),
      annotations: missing.length > 0 ? missing : [cornerNote(theme, '○ run A, ◆ run B')],
    },
  }
}

function dumbbell({ method, ...runs }: ComparedMethod, theme: Theme): Data {
  const { colour } = methodStyle(method, theme)
  const label = methodLabel(method)
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name: label,
    x: RUNS.map(({ key }) => decibelsOf(runs[key])),
    y: RUNS.map(() => label),
    text: RUNS.map(({ name }) => `run ${name}`),
    line: { color: colour, width: 2 },
    marker: {
      color: colour,
      opacity: 1,
      symbol: RUNS.map(({ symbol }) => symbol),
      size: RUNS.map(({ size }) => size),
      line: { color: colour, width: 2 },
    },
    hovertemplate: `${label}, %{text}: %{x:.1f} dB<extra></extra>`,
  }
}

/** B − A as a reader would compute it from the numbers shown; null where one of them has none. */
export function decibelChange({ a, b }: ComparedMethod): number | null {
  const [from, to] = [decibelsOf(a), decibelsOf(b)]
  return from === null || to === null ? null : shownDifference(to, from)
}

interface Moved {
  readonly name: string
  readonly change: number
}

/** "RTN gains 6.0 dB and QuaRot loses 2.9 dB"; of more than three only how many, and which most. */
function movedWords(moved: readonly Moved[]): string | null {
  if (moved.length === 0) return null
  const text = ({ name, change }: Moved) =>
    `${name} ${change > 0 ? 'gains' : 'loses'} ${formatDecibels(Math.abs(change))} dB`
  if (moved.length <= 3) return `from A to B ${listed(moved.map(text))}`
  const [gained, lost] = [moved.filter(({ change }) => change > 0), moved.filter(({ change }) => change < 0).reverse()]
  const most = (group: readonly Moved[], verb: string) =>
    group.length === 0
      ? []
      : [`${group.length} ${verb}, most ${group[0].name} with ${formatDecibels(Math.abs(group[0].change))} dB`]
  return `from A to B ${listed([...most(gained, 'gain'), ...most(lost, 'lose')])}`
}

/** "Output SQNR on evaluation rows: from A to B RTN gains 6.0 dB and QuaRot loses 2.9 dB. Only in A: FlatQuant." */
export function describeRunComparison(methods: readonly ComparedMethod[]): string {
  const changes = methods.flatMap((compared): readonly Moved[] => {
    const change = decibelChange(compared)
    return change === null ? [] : [{ name: methodLabel(compared.method), change }]
  })
  const moved = changes.filter(({ change }) => change !== 0).sort((a, b) => b.change - a.change)
  const level = changes.filter(({ change }) => change === 0).map(({ name }) => name)
  const exact = methods.filter(({ a, b }) => isExact(a) || isExact(b)).map(({ method }) => methodLabel(method))
  const same = level.length > 0 ? `the same in both: ${namesOrCount(level)}` : null
  const trend = clauses([movedWords(moved), same])
  return sentences([
    `Output SQNR on evaluation rows: ${trend ?? 'no method has a number in both runs'}`,
    clauses([...missingWords(methods), exact.length > 0 ? `exact in a run: ${listed(exact)}` : null]),
  ])
}

const isExact = (run: RunNumbers | null) => run?.outputSqnrDb === Number.POSITIVE_INFINITY

/** What only one run has, and what failed. */
function missingWords(methods: readonly ComparedMethod[]): readonly string[] {
  const only = RUNS.flatMap(({ key, name }) => {
    const other = key === 'a' ? 'b' : 'a'
    const own = methods.filter((each) => each[key] !== null && each[other] === null)
    return own.length === 0 ? [] : [`only in ${name}: ${own.map(({ method }) => methodLabel(method)).join(', ')}`]
  })
  const failed = methods.flatMap(({ method, ...runs }) =>
    RUNS.flatMap(({ key, name }) => {
      const error = runs[key]?.error ?? null
      return error === null ? [] : [`${methodLabel(method)} failed in ${name} (${error})`]
    }),
  )
  return [...only, ...failed]
}

const decibelsText = (run: RunNumbers | null) =>
  run === null ? '–' : run.outputSqnrDb === null ? (run.error ?? '–') : formatDecibels(run.outputSqnrDb)
const errorText = (run: RunNumbers | null) =>
  run?.outputRelativeError == null ? '–' : formatRelativeError(run.outputRelativeError)

/** B − A in the four decimals shown, its sign always there: "+0.0123", "−0.0400". */
function errorChange({ a, b }: ComparedMethod): string {
  const [from, to] = [a?.outputRelativeError ?? Number.NaN, b?.outputRelativeError ?? Number.NaN]
  if (!Number.isFinite(from) || !Number.isFinite(to)) return '–'
  const change = Number(to.toFixed(4)) - Number(from.toFixed(4))
  const text = Math.abs(change).toFixed(4)
  return Number(text) === 0 ? text : `${change > 0 ? '+' : '−'}${text}`
}

/** Output SQNR and relative error of both runs and their differences, a method a row. */
export function runComparisonTable(methods: readonly ComparedMethod[]): DataTable {
  return {
    columns: ['method', 'A [dB]', 'B [dB]', 'B − A [dB]', 'A, relative error', 'B, relative error', 'B − A'],
    rows: methods.map((compared) => {
      const { method, a, b } = compared
      const change = decibelChange(compared)
      return [
        methodLabel(method),
        decibelsText(a),
        decibelsText(b),
        change === null ? '–' : formatDecibelDifference(change),
        errorText(a),
        errorText(b),
        errorChange(compared),
      ]
    }),
  }
}
