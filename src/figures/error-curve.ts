import type { Data } from '../../types/plotly-figure'
import type { MethodFailure, MethodResult } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { blockRemark, methodLabel } from './describe'
import { directLabels, labelMargin } from './direct-labels'
import type { DataTable, PanelFigure } from './figure'
import { formatDecibels, formatRelativeError } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import { usedRule } from './scale-sweep'
import { axis, baseLayout, cornerNote, type Theme } from './theme'
import { clauses, grouped, listed, namesOrCount, sentences } from './words'

/** From mild to harsh; other settings follow in the order they come, and no line leads to them. */
const SETTING_ORDER = ['W8A8', 'W4A16', 'W4A8', 'W4A4']
const RANGE_PADDING = 0.08
const BASELINE = 'rtn'

/** Output error of every method under every setting that was computed. */
export const errorCurve: PanelFigure = {
  id: 'error-curve',
  label: 'Error',
  scope: 'panel',
  question: 'Who loses least at the layer output, and from which setting on does the method matter?',
  build(outcomes, { theme, setting }) {
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
        method: last.method,
        x: settingLabel(last.setting),
        y: Math.log10(last.evaluation.outputRelativeError),
      }
    })
    // A lone setting needs no mark.
    const inUse = setting !== null && settings.length > 1 && settings.includes(setting) ? settingLabel(setting) : null
    const notes = [
      ...(held ? ['small hollow: calibration rows'] : []),
      ...(inUse === null ? [] : [`dotted: in use, ${inUse}`]),
    ]
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
        shapes: inUse === null ? [] : [usedRule(inUse, theme)],
        annotations: [
          ...directLabels(
            ends.filter((end) => Number.isFinite(end.y)),
            yRange,
            theme,
          ),
          ...(notes.length > 0 ? [cornerNote(theme, notes.join(', '))] : []),
        ],
      },
    }
  },
  describe(outcomes) {
    const results = outcomes.filter((outcome) => outcome.kind === 'result')
    const failed = outcomes.filter((outcome) => outcome.kind === 'failure').map(failureText)
    const remarks = [...new Set(results.map(blockRemark))].filter((remark) => remark !== null)
    const blocks = remarks.map((remark) => `MX formats in ${remark}`)
    if (results.length === 0) return sentences(['no result yet', clauses(failed)])
    const settings = settingsOf(results)
    const lines = methodsOf(results).map((method) => sortedResults(results, method, settings))
    const finite = lines.flat().filter(({ evaluation }) => Number.isFinite(evaluation.outputRelativeError))
    const lowest = finite.length > 0 ? lowestWords(finite, settings) : 'no output error is a finite number'
    return sentences([lowest, clauses([againstBaseline(lines, settings), ...blocks, ...failed])])
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

/** An error as a reader sees it. */
const shownError = ({ evaluation }: MethodResult) => formatRelativeError(evaluation.outputRelativeError)

/** "FlatQuant stays lowest from W8A8 to W4A4"; the lowest of each setting where they differ. */
function lowestWords(results: readonly MethodResult[], settings: readonly string[]): string {
  if (results.length === 1) {
    const [only] = results
    return `${methodLabel(only.method)} has an output relative error of ${shownError(only)} under ${settingLabel(only.setting)}`
  }
  const measured = settings.filter((setting) => results.some((result) => result.setting === setting))
  const best = measured.map((setting) => {
    const own = results.filter((result) => result.setting === setting)
    const [least] = [...own].sort((a, b) => a.evaluation.outputRelativeError - b.evaluation.outputRelativeError)
    const names = own.filter((each) => shownError(each) === shownError(least)).map(({ method }) => methodLabel(method))
    const rest = own.length - names.length
    return {
      setting,
      names: namesOrCount(names),
      several: names.length > 1,
      alone: rest === 0,
      error: shownError(least),
    }
  })
  const [first] = best
  if (measured.length === 1) {
    const verb = first.several ? (first.alone ? 'are level' : 'are level and lowest') : 'is lowest'
    return `under ${settingLabel(first.setting)} ${first.names} ${verb} with an output relative error of ${first.error}`
  }
  const errors = `${first.error} to ${best[best.length - 1].error}`
  if (best.every(({ names }) => names === first.names)) {
    const all = methodsOf(results).length
    if (all === 1) return `${first.names} has an output relative error of ${errors} ${overSettings(measured)}`
    return `${first.names} ${first.several ? 'stay level and' : 'stays'} lowest ${overSettings(measured)}, with ${errors}`
  }
  const where = grouped(best, ({ names }) => names).map(
    ([names, own]) =>
      `${names} under ${listed(own.map(({ setting, error }) => `${settingLabel(setting)} (${error})`))}`,
  )
  return `lowest output relative error: ${where.join(', ')}`
}

/** "from W8A8 to W4A4" where the settings have an order, "in 3 settings" where not. */
function overSettings(settings: readonly string[]): string {
  if (!settings.every(isStandard)) return `in all ${settings.length} settings`
  return `from ${settingLabel(settings[0])} to ${settingLabel(settings[settings.length - 1])}`
}

/** "Against RTN QuaRot is above and FlatQuant is below, wherever both are computed"; null where no other method stands beside RTN. */
function againstBaseline(lines: readonly (readonly MethodResult[])[], settings: readonly string[]): string | null {
  const baseline = lines.find(([{ method }]) => method === BASELINE) ?? []
  const others = lines.flatMap((line) => {
    const differences = line.flatMap((result) => {
      const other = baseline.find(({ setting }) => setting === result.setting)
      const [own, reference] = [result, other].map((each) => each?.evaluation.outputRelativeError ?? Number.NaN)
      if (!other || other === result || !Number.isFinite(own - reference)) return []
      return [shownError(result) === shownError(other) ? 0 : own - reference]
    })
    return differences.length > 0 ? [{ name: methodLabel(line[0].method), differences }] : []
  })
  if (others.length === 0) return null
  const groups = [
    ['above', others.filter(({ differences }) => differences.every((each) => each > 0))],
    ['below', others.filter(({ differences }) => differences.every((each) => each < 0))],
    ['level', others.filter(({ differences }) => differences.every((each) => each === 0))],
  ] as const
  const rest = others.filter((each) => groups.every(([, own]) => !own.some(({ name }) => name === each.name)))
  const where = settings.length > 1 ? ' wherever both are computed' : ''
  const sides = groups.flatMap(([word, own]) => (own.length > 0 ? [`${subject(own)} ${word}`] : []))
  const mixed = rest.length > 0 ? [`${subject(rest)} above or below depending on the setting`] : []
  const said = [...(sides.length > 0 ? [`${listed(sides)}${where}`] : []), ...mixed]
  return `against ${methodLabel(BASELINE)} ${said.join(', ')}`
}

const subject = (all: readonly { readonly name: string }[]) =>
  `${namesOrCount(all.map(({ name }) => name))} ${all.length === 1 ? 'is' : 'are'}`

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
    meta: [line[0].method],
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
    meta: [line[0].method],
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
