import type { Data } from '../../types/plotly-figure'
import type { MethodFailure, MethodResult } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { blockRemark, methodLabel } from './describe'
import { directLabels, labelMargin } from './direct-labels'
import type { DataTable, PanelFigure } from './figure'
import { formatDecibels, formatRelativeError } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme } from './theme'

/** From mild to harsh; other settings follow in the order they come, and no line leads to them. */
const SETTING_ORDER = ['W8A8', 'W4A16', 'W4A8', 'W4A4']
const RANGE_PADDING = 0.08

/** Output error of every method under every setting that was computed. */
export const errorCurve: PanelFigure = {
  id: 'error-curve',
  label: 'Error',
  scope: 'panel',
  question: 'Who loses least at the layer output, and from which setting on does the method matter?',
  build(outcomes, { theme }) {
    const results = outcomes.filter((outcome) => outcome.kind === 'result')
    const settings = settingsOf(results)
    const errors = results.flatMap((result) => [result.evaluation, result.calibration])
    const range = errorRange(errors.map((one) => one.outputRelativeError))
    const yRange = logRange(range, RANGE_PADDING)
    const lines = methodsOf(results).map((method) => sortedResults(results, method, settings))
    const held = results.some(
      (result) => result.calibration.outputRelativeError !== result.evaluation.outputRelativeError,
    )
    const ends = lines.map((line) => {
      const last = line[line.length - 1]
      const { glyph, label } = methodStyle(last.method, theme)
      return {
        text: `${glyph} ${label}`,
        x: settingLabel(last.setting),
        y: Math.log10(last.evaluation.outputRelativeError),
      }
    })
    return {
      data: lines.flatMap((line) =>
        held ? [calibrationMarks(line, theme), evaluationLine(line, theme)] : [evaluationLine(line, theme)],
      ),
      layout: {
        ...baseLayout(theme),
        margin: labelMargin(ends),
        xaxis: axis(theme, 'setting', {
          type: 'category',
          categoryorder: 'array',
          categoryarray: settings.map(settingLabel),
          ...settingTicks(settings),
          range: [-0.3, Math.max(settings.length, 1) - 0.85],
          showgrid: false,
        }),
        yaxis: axis(theme, 'output relative error, log', { type: 'log', range: yRange, ...logTicks(range) }),
        annotations: [
          ...directLabels(
            ends.filter((end) => Number.isFinite(end.y)),
            yRange,
            theme,
          ),
          ...(held ? [cornerNote(theme, 'small hollow: calibration rows')] : []),
        ],
      },
    }
  },
  describe(outcomes) {
    const results = outcomes.filter((outcome) => outcome.kind === 'result')
    const sentences = settingsOf(results).map((setting) => {
      const best = results
        .filter((result) => result.setting === setting)
        .sort((a, b) => a.evaluation.outputRelativeError - b.evaluation.outputRelativeError)
      return `${settingLabel(setting)}: ${best.map((result) => `${methodLabel(result.method)} ${formatRelativeError(result.evaluation.outputRelativeError)}`).join(', ')}`
    })
    const failed = outcomes.filter((outcome) => outcome.kind === 'failure').map(failureText)
    const remarks = [...new Set(results.map(blockRemark))].filter((remark) => remark !== null)
    return [
      results.length === 0 ? 'No result yet' : `Output relative error, least first. ${sentences.join('. ')}`,
      ...remarks.map((remark) => `MX formats in ${remark}`),
      ...failed,
    ].join('. ')
  },
  table(outcomes): DataTable {
    return {
      columns: ['method', 'setting', 'evaluation error', 'calibration error', 'output SQNR [dB]'],
      rows: outcomes.map((outcome) => {
        const name = [methodLabel(outcome.method), settingLabel(outcome.setting)]
        if (outcome.kind === 'failure') return [...name, `failed: ${outcome.error.message}`, '–', '–']
        const { evaluation, calibration } = outcome
        const errors = [evaluation, calibration].map((one) => formatRelativeError(one.outputRelativeError))
        return [...name, ...errors, formatDecibels(evaluation.outputSqnrDb)]
      }),
    }
  },
}

function failureText(failure: MethodFailure): string {
  return `${methodLabel(failure.method)} under ${settingLabel(failure.setting)} failed: ${failure.error.message}`
}

/** Settings of the results, each once. */
function settingsOf(results: readonly MethodResult[]): string[] {
  const found = [...new Set(results.map((result) => result.setting))]
  return [...SETTING_ORDER.filter((id) => found.includes(id)), ...found.filter((id) => !SETTING_ORDER.includes(id))]
}

function methodsOf(results: readonly MethodResult[]): string[] {
  return [...new Set(results.map((result) => result.method))]
}

function sortedResults(results: readonly MethodResult[], method: string, settings: readonly string[]): MethodResult[] {
  return settings.flatMap((setting) =>
    results.filter((result) => result.method === method && result.setting === setting).slice(-1),
  )
}

/** From the least to the largest positive error; a decade around 0.1 when there is none. */
function errorRange(errors: readonly number[]) {
  const positive = errors.filter((error) => error > 0 && Number.isFinite(error))
  return positive.length > 0 ? { min: Math.min(...positive), max: Math.max(...positive) } : { min: 0.03, max: 0.3 }
}

/** Formats take a line each under the axis; names alone need no ticks of their own. */
function settingTicks(settings: readonly string[]) {
  if (settings.every(isStandard)) return {}
  const tickvals = settings.map(settingLabel)
  return { tickvals, ticktext: tickvals.map((label) => label.replaceAll(' / ', ' /<br>')) }
}

const isStandard = (setting: string) => SETTING_ORDER.includes(setting)

/** Joined through the standard settings, which are ordered; a gap before every other one leaves a mark alone. */
function evaluationLine(line: readonly MethodResult[], theme: Theme): Data {
  const { colour, symbol, dash, label } = methodStyle(line[0].method, theme)
  const points = line.flatMap(({ setting, evaluation }) => {
    const point = { x: settingLabel(setting), y: evaluation.outputRelativeError }
    return isStandard(setting) ? [point] : [{ ...point, y: null }, point]
  })
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name: label,
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => y),
    line: { color: colour, width: 2, dash },
    marker: { color: colour, size: 9, symbol },
    hovertemplate: `${label}, %{x}<br>evaluation rows: %{y:.4f}<extra></extra>`,
  }
}

/** Hollow, smaller, no line: the error on the rows the method was fitted to. */
function calibrationMarks(line: readonly MethodResult[], theme: Theme): Data {
  const { colour, symbol, label } = methodStyle(line[0].method, theme)
  return {
    type: 'scatter',
    mode: 'markers',
    name: `${label}, calibration`,
    x: line.map((result) => settingLabel(result.setting)),
    y: line.map((result) => result.calibration.outputRelativeError),
    marker: {
      color: colour,
      size: 7,
      symbol: `${symbol.replace(/-open|-dot/g, '')}-open`,
      line: { width: 1.5, color: colour },
    },
    hovertemplate: `${label}, %{x}<br>calibration rows: %{y:.4f}<extra></extra>`,
  }
}
