/** Output SQNR over one parameter of the number format, one line per method: what the two sweeps share. */
import type { Data, LayoutAxis, Shape } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, ScaleAnalysis, ScaleSweep } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { lineName, methodLabel, outputRemark } from './describe'
import { directLabels, type LineEnd, labelMargin } from './direct-labels'
import type { PanelFigure } from './figure'
import { formatDecibels } from './format-number'
import { methodStyle } from './method-style'
import { type SweptLine, sweepSentences } from './sweep-words'
import { axis, baseLayout, cornerNote, THEME_COLOURS, type Theme } from './theme'
import { clauses, sentences } from './words'

interface Swept<S extends ScaleSweep> {
  readonly result: MethodResult
  readonly sweep: S
}

/** What tells one sweep from another. */
export interface SweepSpec<S extends ScaleSweep> extends Pick<PanelFigure, 'id' | 'label' | 'question'> {
  readonly sweepOf: (analysis: ScaleAnalysis) => S | null
  /** The value a result was computed with, among those swept or between them; null where it is no point of the sweep. */
  readonly inUse: (result: MethodResult, sweep: S) => number | null
  readonly axisTitle: (sweeps: readonly S[]) => string
  /** What is swept, before the finding. */
  readonly caption: (sweeps: readonly S[]) => string
  readonly xaxis: (values: readonly number[]) => Partial<LayoutAxis>
  /** Where a value stands on the axis. */
  readonly place: (value: number) => number
  readonly valueText: (value: number) => string
  /** Said where no result has the sweep. */
  readonly nothing: string
}

/** Room above and below the lines, in dB. */
const PADDING_DB = 0.5

/** The panel figure of one sweep. A vertical line marks the value in use, where it belongs to what is swept. */
export function sweepFigure<S extends ScaleSweep>(spec: SweepSpec<S>): PanelFigure {
  const swept = (outcomes: readonly MethodOutcome[]): readonly Swept<S>[] =>
    outcomes.flatMap((outcome) => {
      const sweep = outcome.kind === 'result' && outcome.scaleAnalysis ? spec.sweepOf(outcome.scaleAnalysis) : null
      return outcome.kind === 'result' && sweep !== null ? [{ result: outcome, sweep }] : []
    })
  return {
    id: spec.id,
    label: spec.label,
    question: spec.question,
    scope: 'panel',
    build(outcomes, { theme }) {
      const lines = swept(outcomes)
      const range = decibelRange(lines.flatMap(({ sweep }) => sweep.outputSqnrDb))
      const ends = lineEnds(lines, spec, theme)
      const values = lines[0]?.sweep.values ?? []
      const used = usedValues(lines, spec)
      const mark = used.length > 0 ? [cornerNote(theme, `dotted: in use, ${used.map(spec.valueText).join(', ')}`)] : []
      const notes = lines.length > 0 ? mark : [cornerNote(theme, spec.nothing)]
      return {
        data: lines.map((line) => sweepLine(line, spec, theme)),
        layout: {
          ...baseLayout(theme),
          margin: labelMargin(ends),
          xaxis: axis(theme, spec.axisTitle(sweepsOf(lines)), { showgrid: false, ...spec.xaxis(values) }),
          yaxis: axis(theme, 'output SQNR [dB]', { range, nticks: 6 }),
          shapes: used.map((value) => usedRule(spec.place(value), theme)),
          annotations: [...directLabels(ends, range, theme), ...notes],
        },
      }
    },
    describe(outcomes) {
      const lines = swept(outcomes)
      const results = lines.map(({ result }) => result)
      const said = sweepSentences(lines.map((line) => wordedLine(line, lineName(line.result, results), spec)))
      if (lines.length === 0) return sentences([spec.nothing])
      if (said === null) return sentences([`${spec.caption(sweepsOf(lines))}: no output SQNR is a number`])
      const [trend, inUse] = said
      return sentences([`${spec.caption(sweepsOf(lines))}: ${trend}`, clauses([inUse, outputRemark(results)])])
    },
    table: (outcomes) => ({
      columns: ['method', 'setting', spec.axisTitle(sweepsOf(swept(outcomes))), 'output SQNR [dB]'],
      rows: swept(outcomes).flatMap(({ result, sweep }) =>
        sweep.values.map((value, i) => [
          methodLabel(result.method),
          settingLabel(result.setting),
          spec.valueText(value),
          formatDecibels(sweep.outputSqnrDb[i]),
        ]),
      ),
    }),
  }
}

function sweepsOf<S extends ScaleSweep>(lines: readonly Swept<S>[]): readonly S[] {
  return lines.map(({ sweep }) => sweep)
}

function usedValues<S extends ScaleSweep>(lines: readonly Swept<S>[], spec: SweepSpec<S>): readonly number[] {
  const values = lines.map(({ result, sweep }) => spec.inUse(result, sweep))
  return [...new Set(values.filter((value) => value !== null))]
}

/** From the least to the largest finite value; exact products have no place on a decibel axis. */
export function decibelRange(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite)
  return finite.length > 0 ? [Math.min(...finite) - PADDING_DB, Math.max(...finite) + PADDING_DB] : [0, 40]
}

function wordedLine<S extends ScaleSweep>({ result, sweep }: Swept<S>, name: string, spec: SweepSpec<S>): SweptLine {
  const used = spec.inUse(result, sweep)
  return {
    name,
    values: sweep.values.map((value, i) => ({ at: spec.valueText(value), decibels: sweep.outputSqnrDb[i] })),
    inUse: used === null ? null : spec.valueText(used),
  }
}

function sweepLine<S extends ScaleSweep>({ result, sweep }: Swept<S>, spec: SweepSpec<S>, theme: Theme): Data {
  const { colour, symbol, dash, label } = methodStyle(result.method, theme)
  return {
    type: 'scatter',
    mode: 'lines+markers',
    name: `${label}, ${settingLabel(result.setting)}`,
    meta: [result.method],
    x: sweep.values.map(spec.place),
    y: sweep.outputSqnrDb.map((value) => (Number.isFinite(value) ? value : null)),
    text: sweep.values.map(spec.valueText),
    line: { color: colour, width: 2, dash },
    marker: { color: colour, size: 7, symbol },
    hovertemplate: `${label}, %{text}<br>output SQNR %{y:.1f} dB<extra></extra>`,
  }
}

/** A dotted line over the whole plot. */
export function usedRule(x: number | string, theme: Theme): Partial<Shape> {
  const line = { color: THEME_COLOURS[theme].mutedInk, width: 1, dash: 'dot' as const }
  return { type: 'line', xref: 'x', yref: 'paper', x0: x, x1: x, y0: 0, y1: 1, line }
}

function lineEnds<S extends ScaleSweep>(
  lines: readonly Swept<S>[],
  spec: SweepSpec<S>,
  theme: Theme,
): readonly LineEnd[] {
  const results = lines.map(({ result }) => result)
  const ends = lines.map(({ result, sweep: { values, outputSqnrDb } }) => ({
    text: `${methodStyle(result.method, theme).glyph} ${lineName(result, results)}`,
    method: result.method,
    x: spec.place(values[values.length - 1]),
    y: outputSqnrDb[outputSqnrDb.length - 1],
  }))
  return ends.filter(({ y }) => Number.isFinite(y))
}
