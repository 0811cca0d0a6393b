/** Output SQNR over one parameter of the methods, computed value by value on request. No part of a result. */
import type { Data } from '../../types/plotly-figure'
import type { OutputErrors, SweepPoint } from '../experiment/result'
import { methodLabel } from './describe'
import { directLabels, type LineEnd, labelMargin } from './direct-labels'
import type { DataTable, FigureSpec } from './figure'
import { formatDecibels, formatRelativeError } from './format-number'
import { methodStyle } from './method-style'
import { decibelRange, usedRule } from './scale-sweep'
import { bestValue, type SweptLine, sweepSentences } from './sweep-words'
import { axis, baseLayout, cornerNote, type Theme } from './theme'
import { clauses, sentences } from './words'

/** One method over the parameter. */
export interface SweptMethod {
  readonly method: string
  /** What the comparison uses. */
  readonly inUse: number
  /** Those computed so far, by rising value. */
  readonly points: readonly SweepPoint[]
}

export interface ParameterSweep {
  /** What is varied, as the axis says it. */
  readonly label: string
  readonly lines: readonly SweptMethod[]
}

/** Where a median lies below this share of the range, values are spread over powers and so is the axis. */
const EVEN_SHARE = 0.35

interface Spacing {
  readonly isLog: boolean
  /** Where a value stands on the axis. */
  readonly place: (value: number) => number
}

/** An axis on which the values are about evenly spread; zero stands one doubling before the least on a log one. */
function spacingOf(values: readonly number[]): Spacing {
  const linear: Spacing = { isLog: false, place: (value) => value }
  const [least, most] = [values[0], values[values.length - 1]]
  const half = (values.length - 1) / 2
  const median = (values[Math.floor(half)] + values[Math.ceil(half)]) / 2
  if (values.length < 3 || least < 0 || median - least >= EVEN_SHARE * (most - least)) return linear
  const first = values.find((value) => value > 0) ?? 1
  return { isLog: true, place: (value) => Math.log2(value > 0 ? value : first / 2) }
}

/** All values of the sweep and those in use, rising. */
function axisValues({ lines }: ParameterSweep): readonly number[] {
  const all = lines.flatMap(({ points, inUse }) => [inUse, ...points.map(({ value }) => value)])
  return [...new Set(all)].sort((a, b) => a - b)
}

const EMPTY = 'No value is computed yet'

/** Solid: evaluation rows. Thin: calibration rows, left out where they are the same. Dotted upright: in use. */
export function drawParameterSweep(sweep: ParameterSweep, theme: Theme): FigureSpec {
  const values = axisValues(sweep)
  const spacing = spacingOf(values)
  const drawn = sweep.lines.filter(({ points }) => points.some(({ evaluation }) => evaluation !== null))
  const split = drawn.some(({ points }) => points.some(isHeldOut))
  const range = decibelRange(drawn.flatMap(({ points }) => points.flatMap(decibels)))
  const used = [...new Set(drawn.map(({ inUse }) => inUse))].sort((a, b) => a - b)
  const ends = drawn.map((line) => lineEnd(line, spacing, theme)).filter(({ y }) => Number.isFinite(y))
  const rows = split ? 'thin: calibration rows, ' : ''
  const note = drawn.length > 0 ? `${rows}dotted: in use, ${used.map(String).join(', ')}` : EMPTY
  const places = values.map(spacing.place)
  const edge = 0.04 * ((places[places.length - 1] ?? 1) - (places[0] ?? 0)) || 0.5
  return {
    data: drawn.flatMap((line) => [
      ...(split ? [calibrationLine(line, spacing, theme)] : []),
      evaluationLine(line, spacing, theme),
    ]),
    layout: {
      ...baseLayout(theme),
      margin: labelMargin(ends),
      xaxis: axis(theme, spacing.isLog ? `${sweep.label}, spaced by powers` : sweep.label, {
        tickmode: 'array',
        tickvals: places,
        ticktext: values.map(String),
        range: [(places[0] ?? 0) - edge, (places[places.length - 1] ?? 1) + edge],
        showgrid: false,
      }),
      yaxis: axis(theme, 'output SQNR [dB]', { range, nticks: 6 }),
      shapes: used.map((value) => usedRule(spacing.place(value), theme)),
      annotations: [...directLabels(ends, range, theme), cornerNote(theme, note)],
    },
  }
}

/** Trend and best value in words, computed from the points; where calibration rows disagree, and what failed. */
export function describeParameterSweep({ label, lines }: ParameterSweep): string {
  const said = sweepSentences(lines.map(wordedLine))
  const rest = [...lines.flatMap(calibrationWords), ...lines.flatMap(failureWords)]
  if (said === null) return sentences(rest.length > 0 ? [`${label}: ${rest.join('; ')}`] : [EMPTY])
  const [trend, inUse] = said
  return sentences([`${label}: ${trend}`, clauses([inUse, ...rest])])
}

function wordedLine({ method, points, inUse }: SweptMethod): SweptLine {
  const values = points.flatMap(({ value, evaluation }) =>
    evaluation ? [{ at: String(value), decibels: evaluation.outputSqnrDb }] : [],
  )
  return { name: methodLabel(method), values, inUse: String(inUse) }
}

/** The best of the values computed of one method, on evaluation rows; null before the first. */
export function bestSwept({
  points,
}: Pick<SweptMethod, 'points'>): { readonly value: number; readonly decibels: number } | null {
  return bestValue(
    points.flatMap(({ value, evaluation }) => (evaluation ? [{ value, decibels: evaluation.outputSqnrDb }] : [])),
  )
}

/** "on calibration rows SmoothQuant is best at 0.75", where that is another value. */
function calibrationWords({ method, points }: SweptMethod): readonly string[] {
  if (!points.some(isHeldOut)) return []
  const fitted = bestValue(
    points.flatMap(({ value, calibration }) => (calibration ? [{ value, decibels: calibration.outputSqnrDb }] : [])),
  )
  const best = bestSwept({ points })
  return fitted && best && fitted.value !== best.value
    ? [`on calibration rows ${methodLabel(method)} is best at ${fitted.value}`]
    : []
}

function failureWords({ method, points }: SweptMethod): readonly string[] {
  return points.flatMap(({ value, error }) =>
    error === null ? [] : [`${methodLabel(method)} fails at ${value} (${error.code} ${error.message})`],
  )
}

export function parameterSweepTable({ label, lines }: ParameterSweep): DataTable {
  return {
    columns: ['method', label, 'evaluation error', 'calibration error', 'output SQNR [dB]'],
    rows: lines.flatMap(({ method, points }) =>
      points.map(({ value, evaluation, calibration, error }) => [
        methodLabel(method),
        String(value),
        evaluation ? formatRelativeError(evaluation.outputRelativeError) : `failed: ${error?.message ?? ''}`,
        calibration ? formatRelativeError(calibration.outputRelativeError) : '–',
        evaluation ? formatDecibels(evaluation.outputSqnrDb) : '–',
      ]),
    ),
  }
}

const isHeldOut = ({ evaluation, calibration }: SweepPoint) =>
  evaluation?.outputRelativeError !== calibration?.outputRelativeError

const decibels = ({ evaluation, calibration }: SweepPoint): readonly number[] =>
  [evaluation, calibration].flatMap((errors) => (errors ? [errors.outputSqnrDb] : []))

const finite = (errors: OutputErrors | null) =>
  errors && Number.isFinite(errors.outputSqnrDb) ? errors.outputSqnrDb : null

function evaluationLine({ method, points }: SweptMethod, { place }: Spacing, theme: Theme): Data {
  const { colour, symbol, dash, label } = methodStyle(method, theme)
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name: label,
    meta: [method],
    x: points.map(({ value }) => place(value)),
    y: points.map(({ evaluation }) => finite(evaluation)),
    text: points.map(({ value }) => String(value)),
    line: { color: colour, width: 2, dash },
    marker: { color: colour, size: 7, symbol },
    hovertemplate: `${label}, %{text}<br>evaluation rows: %{y:.1f} dB<extra></extra>`,
  }
}

function calibrationLine({ method, points }: SweptMethod, { place }: Spacing, theme: Theme): Data {
  const { colour, label } = methodStyle(method, theme)
  return {
    type: 'scatter',
    mode: 'lines',
    name: `${label}, calibration`,
    meta: [method],
    x: points.map(({ value }) => place(value)),
    y: points.map(({ calibration }) => finite(calibration)),
    text: points.map(({ value }) => String(value)),
    line: { color: colour, width: 1, dash: 'dash' },
    hovertemplate: `${label}, %{text}<br>calibration rows: %{y:.1f} dB<extra></extra>`,
  }
}

function lineEnd({ method, points }: SweptMethod, { place }: Spacing, theme: Theme): LineEnd {
  const { glyph, label } = methodStyle(method, theme)
  const last = points.findLast(({ evaluation }) => finite(evaluation) !== null)
  return {
    text: `${glyph} ${label}`,
    method,
    x: place(last?.value ?? 0),
    y: last?.evaluation?.outputSqnrDb ?? Number.NaN,
  }
}
