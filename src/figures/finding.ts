/** The marks a verdict rests on: one row per measurement, the open range shaded. No part of a result. */
import type { Annotations, Data } from '../../types/plotly-figure'
import type { FindingAxis, FindingValue, FindingVerdict, Judgement } from '../experiment/findings/verdict'
import type { DataTable, FigureSpec } from './figure'
import { formatRelativeError } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme, withOpacity } from './theme'

/** Below the label of the longest row. */
const LABEL_CHARACTER_PX = 6.5
const PADDING = 0.1

/** Values from top to bottom in their order, each marked in the style of its method with its number beside it. */
export function drawFinding(values: readonly FindingValue[], shown: FindingAxis, theme: Theme): FigureSpec {
  const labels = values.map(({ label }) => label)
  const numbers = values.map(({ value }) => value)
  const most = Math.max(...numbers, ...(shown.open?.range ?? []))
  const longest = Math.max(0, ...labels.map((label) => label.length))
  const paper = baseLayout(theme)
  return {
    data: values.map((one) => mark(one, theme)),
    layout: {
      ...paper,
      margin: { ...paper.margin, t: shown.open === null ? 8 : 24, l: 16 + longest * LABEL_CHARACTER_PX, r: 56 },
      xaxis: axis(theme, shown.title, { range: [0, most * (1 + PADDING)], nticks: 5 }),
      yaxis: axis(theme, '', { type: 'category', categoryorder: 'array', categoryarray: [...labels].reverse() }),
      shapes: shown.open === null ? [] : [openRange(shown.open.range, theme)],
      annotations: shown.open === null ? [] : [openNote(shown.open, theme)],
    },
  }
}

function mark({ label, method, value }: FindingValue, theme: Theme): Data {
  const { colour, symbol } = methodStyle(method, theme)
  return {
    type: 'scatter',
    mode: 'text+markers',
    name: label,
    meta: [method],
    x: [value],
    y: [label],
    text: [formatRelativeError(value)],
    textposition: 'middle right',
    cliponaxis: false,
    marker: { color: colour, symbol, size: 9 },
    hovertemplate: `${label}: ${formatRelativeError(value)}<extra></extra>`,
  } as Data
}

/** Where a number decides nothing. */
function openRange([from, to]: readonly [number, number], theme: Theme) {
  const { colour } = methodStyle('rtn', theme)
  return {
    type: 'rect' as const,
    xref: 'x' as const,
    yref: 'paper' as const,
    x0: from,
    x1: to,
    y0: 0,
    y1: 1,
    line: { width: 0 },
    fillcolor: withOpacity(colour, 0.15),
    layer: 'below' as const,
  }
}

function openNote({ range: [from, to], method }: NonNullable<FindingAxis['open']>, theme: Theme): Partial<Annotations> {
  return {
    ...cornerNote(theme, `${method} here: open`),
    xref: 'x',
    x: (from + to) / 2,
    xanchor: 'center',
  }
}

export function findingTable(values: readonly FindingValue[], { title }: FindingAxis): DataTable {
  return { columns: ['measured', title], rows: values.map(({ label, value }) => [label, formatRelativeError(value)]) }
}

export const VERDICT_TEXT: Readonly<Record<FindingVerdict, string>> = {
  holds: 'holds here',
  fails: 'does not hold here',
  undecided: 'cannot be told from this data',
  pending: 'not measured yet',
}

/** "3 of 8 findings hold on this layer, 2 do not, 1 cannot be told, 2 are not measured yet." */
export function summaryOf(judgements: readonly Pick<Judgement, 'verdict'>[]): string {
  const count = (verdict: FindingVerdict) => judgements.filter((each) => each.verdict === verdict).length
  const pending = count('pending')
  if (pending === judgements.length) return 'None of the findings is measured on this layer yet.'
  const said = [
    `${count('holds')} of ${judgements.length} findings hold on this layer`,
    ...(count('fails') > 0 ? [`${count('fails')} ${count('fails') === 1 ? 'does' : 'do'} not`] : []),
    ...(count('undecided') > 0 ? [`${count('undecided')} cannot be told`] : []),
    ...(pending > 0 ? [`${pending} ${pending === 1 ? 'is' : 'are'} not measured yet`] : []),
  ]
  return `${said.join(', ')}.`
}
