/** Errors of methods over outlier strength in a synthetic layer, one panel per format. No part of a result. */
import type { Annotations, Data } from '../../types/plotly-figure'
import { type Crossing, crossings, VERDICT_MARGIN } from '../experiment/crossings'
import type { OutlierPoint } from '../experiment/outlier-study'
import { formatLabel, parseFormat } from '../formats/format-text'
import { methodLabel } from './describe'
import { spread } from './direct-labels'
import type { DataTable, FigureSpec } from './figure'
import { formatMagnitude, formatRelativeError, formatSignificant } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import type { PositiveRange } from './shared-scales'
import { axis, baseLayout, cornerNote, THEME_COLOURS, type Theme, TICK_SIZE } from './theme'
import { clauses, listed, namesOrCount, sentences } from './words'

/** A study as far as it is computed. */
export interface DrawnStudy {
  readonly points: readonly OutlierPoint[]
  /** In the order they are drawn. */
  readonly methods: readonly string[]
  /** The strength that is marked. */
  readonly strength: number
}

const BASELINE = 'rtn'
/** The rotation that sentences are about. */
const ROTATION = 'quarot'
/** Of a label over a ring, as a share of the axis. */
const LABEL_WIDTH = 0.2
const EMPTY = 'No error is computed yet'

/** Fewer ticks than this say too little on an axis that is to be read. */
export const LEAST_TICKS = 4

export const formatName = (text: string): string => formatLabel(parseFormat(text))

/** The points of one curve, by rising strength. */
export function curveOf(points: readonly OutlierPoint[], format: string, method: string): readonly OutlierPoint[] {
  return points
    .filter((point) => point.format === format && point.method === method)
    .sort((a, b) => a.strength - b.strength)
}

const positive = (value: number | null | undefined): number | null =>
  value !== null && value !== undefined && Number.isFinite(value) && value > 0 ? value : null

/** The range of `values` that are positive and finite; one decade where there is none. */
export function rangeOf(values: readonly (number | null | undefined)[]): PositiveRange {
  const drawn = values.flatMap((value) => positive(value) ?? [])
  if (drawn.length === 0) return { min: 0.1, max: 1 }
  const [min, max] = [Math.min(...drawn), Math.max(...drawn)]
  return max > min ? { min, max } : { min: min / 1.5, max: max * 1.5 }
}

/** The range with `padding` decades more at both ends: ticks may stand there. */
export const widened = ({ min, max }: PositiveRange, padding: number): PositiveRange => ({
  min: min / 10 ** padding,
  max: max * 10 ** padding,
})

/** The axis of strengths, a doubling apart, of all points together. */
export function strengthAxis(points: readonly OutlierPoint[], theme: Theme) {
  const strengths = [...new Set(points.map(({ strength }) => strength))].sort((a, b) => a - b)
  return axis(theme, 'outlier strength k, log', {
    type: 'log',
    tickmode: 'array',
    tickvals: strengths,
    ticktext: strengths.map(String),
    range: logRange(rangeOf(strengths), 0.06),
    showgrid: false,
  })
}

/** A dotted upright at the strength on screen. */
export function strengthMark(strength: number, { min, max }: PositiveRange, theme: Theme): Data {
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'strength',
    x: [strength, strength],
    y: [min, max],
    line: { color: THEME_COLOURS[theme].rule, width: 1, dash: 'dot' },
    hoverinfo: 'skip',
  }
}

/**
 * Thick, in the style of the method: error on evaluation rows. Thin dashed: what the closed form predicts of a global
 * rotation. Rings: where a curve crosses that of RTN. The y axis is that of all formats together.
 */
export function drawOutlierPanel({ points, methods, strength }: DrawnStudy, format: string, theme: Theme): FigureSpec {
  const range = rangeOf(points.flatMap(({ evaluation, predictedRotation }) => [evaluation, predictedRotation]))
  const drawn = methods.filter((method) => curveOf(points, format, method).length > 0)
  const crossed = crossingsIn(points, format, methods)
  return {
    data:
      drawn.length === 0
        ? []
        : [
            strengthMark(strength, range, theme),
            predictedLine(points, format, theme),
            ...drawn.map((method) => errorLine(points, format, method, theme)),
            ...crossingMarks(crossed, curveOf(points, format, BASELINE), theme),
          ],
    layout: {
      ...baseLayout(theme),
      xaxis: strengthAxis(points, theme),
      yaxis: axis(theme, 'output relative error, log', {
        type: 'log',
        range: logRange(range, 0.05),
        ...logTicks(widened(range, 0.05), LEAST_TICKS),
      }),
      annotations: drawn.length === 0 ? [cornerNote(theme, EMPTY)] : crossingLabels(crossed, points, theme),
    },
  }
}

function predictedLine(points: readonly OutlierPoint[], format: string, theme: Theme): Data {
  const curve = curveOf(points, format, BASELINE)
  return {
    type: 'scatter',
    mode: 'lines',
    name: 'closed form',
    x: curve.map((point) => point.strength),
    y: curve.map(({ predictedRotation }) => positive(predictedRotation)),
    line: { color: THEME_COLOURS[theme].ink, width: 1, dash: 'dash' },
    hovertemplate: 'closed form of a global rotation, k = %{x}<br>error %{y:.4f}<extra></extra>',
  }
}

function errorLine(points: readonly OutlierPoint[], format: string, method: string, theme: Theme): Data {
  const { colour, symbol, dash, label } = methodStyle(method, theme)
  const curve = curveOf(points, format, method)
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name: label,
    meta: [method],
    x: curve.map((point) => point.strength),
    y: curve.map(({ evaluation }) => positive(evaluation)),
    line: { color: colour, width: 2, dash },
    marker: { color: colour, size: 7, symbol },
    hovertemplate: `${label}, k = %{x}<br>error %{y:.4f}<extra></extra>`,
  }
}

const crossingsIn = (
  points: readonly OutlierPoint[],
  format: string,
  methods: readonly string[],
): readonly Crossing[] =>
  crossings(points).filter((crossing) => crossing.format === format && methods.includes(crossing.method))

/** "21", "5.3" */
const strengthText = (strength: number) => formatSignificant(strength, 2)

/** Rings on the curve of RTN. */
function crossingMarks(found: readonly Crossing[], baseline: readonly OutlierPoint[], theme: Theme): readonly Data[] {
  if (found.length === 0) return []
  return [
    {
      type: 'scatter',
      mode: 'markers',
      name: 'crossing',
      x: found.map(({ strength }) => strength),
      y: found.map(({ strength }) => interpolate(baseline, strength)),
      customdata: found.map(({ method, above }) => `${methodLabel(method)}: ${above} than RTN above`),
      marker: { color: THEME_COLOURS[theme].ink, size: 12, symbol: 'circle-open', line: { width: 1.5 } },
      hovertemplate: '%{customdata}<br>k = %{x:.3r}<extra></extra>',
    },
  ]
}

/** Above the plot, over each ring: the glyph of what crosses RTN there, and the strength. */
function crossingLabels(
  found: readonly Crossing[],
  points: readonly OutlierPoint[],
  theme: Theme,
): Partial<Annotations>[] {
  const { min, max } = rangeOf(points.map(({ strength }) => strength))
  const [low, high] = logRange({ min, max })
  const places = found.map(({ strength }) => Math.log10(strength))
  const placed = spread(places, LABEL_WIDTH * (high - low), [low, high])
  return found.map(({ method, strength }, i) => ({
    name: method,
    text: `${methodStyle(method, theme).glyph} ${strengthText(strength)}`,
    x: placed[i],
    y: 1,
    xref: 'x',
    yref: 'paper',
    xanchor: 'center',
    yanchor: 'bottom',
    showarrow: false,
    font: { size: TICK_SIZE, color: THEME_COLOURS[theme].ink },
  }))
}

/** The error of a curve between two of its strengths, straight in the logarithms of both; null outside. */
function interpolate(curve: readonly OutlierPoint[], strength: number): number | null {
  const known = curve.filter(({ evaluation }) => positive(evaluation) !== null)
  const at = known.findIndex((point) => point.strength >= strength)
  const [right, left] = [known[at], known[Math.max(at - 1, 0)]]
  if (!right || !left) return null
  if (right === left) return right.evaluation
  const share = Math.log(strength / left.strength) / Math.log(right.strength / left.strength)
  return Math.exp((1 - share) * Math.log(left.evaluation ?? 1) + share * Math.log(right.evaluation ?? 1))
}

/** Error of a method over that of RTN at one strength; null while one of both is missing, or RTN's is zero. */
export function ratioAt(points: readonly OutlierPoint[], format: string, method: string, strength: number) {
  const at = (id: string) => curveOf(points, format, id).find((point) => point.strength === strength)?.evaluation
  const [error, baseline] = [positive(at(method)), positive(at(BASELINE))]
  return error === null || baseline === null ? null : error / baseline
}

/** How far a ratio is from 1: "23 %". */
function changeText(ratio: number): string {
  return `${Math.abs(100 * (ratio - 1)).toFixed(0)} %`
}

/**
 * What a rotation does at the strength on screen, from the numbers: "At strength 32, QuaRot raises the error of MXFP4 by
 * 23 % and lowers that of INT4 by 43 %". null while none of the formats has both errors.
 */
export function studySentence({ points, strength }: DrawnStudy, formats: readonly string[]): string | null {
  const ratios = formats.flatMap((format) => {
    const ratio = ratioAt(points, format, ROTATION, strength)
    return ratio === null ? [] : [{ name: formatName(format), ratio }]
  })
  const raised = ratios.filter(({ ratio }) => ratio > 1 + VERDICT_MARGIN)
  const lowered = ratios.filter(({ ratio }) => ratio < 1 - VERDICT_MARGIN)
  const level = ratios.filter((each) => !raised.includes(each) && !lowered.includes(each))
  const changes = (group: typeof ratios) => listed(group.map(({ name, ratio }) => `${name} by ${changeText(ratio)}`))
  const verbs = [
    ...(raised.length > 0 ? [{ verb: 'raises', rest: changes(raised) }] : []),
    ...(lowered.length > 0 ? [{ verb: 'lowers', rest: changes(lowered) }] : []),
    ...(level.length > 0 ? [{ verb: 'leaves', rest: `${listed(level.map(({ name }) => name))} within 2 %` }] : []),
  ]
  if (verbs.length === 0) return null
  const parts = verbs.map(({ verb, rest }, i) => `${verb} ${i === 0 ? 'the error' : 'that'} of ${rest}`)
  return `At strength ${strength}, ${methodLabel(ROTATION)} ${listed(parts)}`
}

/** The finding of one panel in words: who is lowest at the strength on screen, where curves cross RTN's, what failed. */
export function describeOutlierPanel({ points, methods, strength }: DrawnStudy, format: string): string {
  const here = methods.flatMap((method) => {
    const point = curveOf(points, format, method).find((each) => each.strength === strength)
    const error = point?.evaluation ?? null
    return error === null || !Number.isFinite(error) ? [] : [{ name: methodLabel(method), error }]
  })
  const closed = curveOf(points, format, BASELINE).find((each) => each.strength === strength)?.predictedRotation
  const crossed = crossingsIn(points, format, methods).map(
    (crossing) =>
      `${methodLabel(crossing.method)} is ${crossing.above} than RTN above ${strengthText(crossing.strength)}`,
  )
  const failed = points.filter((point) => point.format === format && point.error !== null)
  const failures = [...new Map(failed.map(({ method, error }) => [method, error]))].map(
    ([method, error]) => `${methodLabel(method)} failed (${error?.code} ${error?.message})`,
  )
  const closedForm = positive(closed) === null ? [] : [`closed form of a rotation ${formatRelativeError(closed ?? 0)}`]
  const now = here.length > 0 ? [`at k = ${strength} ${[extremes(here), ...closedForm].join(', ')}`] : []
  const name = formatName(format)
  if (now.length + crossed.length + failures.length === 0) return sentences([`${name}: ${EMPTY.toLowerCase()}`])
  return sentences(
    now.length > 0
      ? [`${name}: ${now[0]}`, clauses([...crossed, ...failures])]
      : [`${name}: ${clauses([...crossed, ...failures])}`],
  )
}

/** "FlatQuant is lowest with 0.1013, QuaRot highest with 0.2841" */
function extremes(all: readonly { readonly name: string; readonly error: number }[]): string {
  const sorted = [...all].sort((a, b) => a.error - b.error)
  const text = ({ error }: { readonly error: number }) => formatRelativeError(error)
  const [least, most] = [text(sorted[0]), text(sorted[sorted.length - 1])]
  const at = (shown: string) => sorted.filter((each) => text(each) === shown).map(({ name }) => name)
  if (sorted.length === 1) return `${sorted[0].name} has an error of ${least}`
  if (least === most) return `${namesOrCount(at(least))} are level at ${least}`
  const verb = at(least).length === 1 ? 'is' : 'are'
  return `${namesOrCount(at(least))} ${verb} lowest with ${least}, ${namesOrCount(at(most))} highest with ${most}`
}

/** Every number of a study. */
export function outlierTable({ points, methods }: DrawnStudy, formats: readonly string[]): DataTable {
  const number = (value: number | null | undefined) => (positive(value) === null ? '–' : formatMagnitude(value ?? 0))
  return {
    columns: [
      'format',
      'method',
      'strength k',
      'evaluation error',
      'calibration error',
      'of RTN',
      'closed form of a rotation',
      'kurtosis before',
      'kurtosis after',
      'crest before',
      'crest after',
    ],
    rows: formats.flatMap((format) =>
      methods.flatMap((method) =>
        curveOf(points, format, method).map((point) => [
          formatName(format),
          methodLabel(method),
          String(point.strength),
          point.evaluation === null ? `failed: ${point.error?.message ?? ''}` : formatRelativeError(point.evaluation),
          point.calibration === null ? '–' : formatRelativeError(point.calibration),
          number(ratioAt(points, format, method, point.strength)),
          formatRelativeError(point.predictedRotation),
          number(point.before.kurtosis),
          number(point.after?.kurtosis),
          number(point.before.crest),
          number(point.after?.crest),
        ]),
      ),
    ),
  }
}
