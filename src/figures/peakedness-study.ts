/** How flat each method leaves the activations of a synthetic layer, over outlier strength. No part of a result. */
import type { Data } from '../../types/plotly-figure'
import type { Peakedness } from '../experiment/peakedness'
import { methodLabel } from './describe'
import type { FigureSpec } from './figure'
import { formatMagnitude } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle, REFERENCE_COLOUR } from './method-style'
import {
  curveOf,
  type DrawnStudy,
  formatName,
  LEAST_TICKS,
  rangeOf,
  strengthAxis,
  strengthMark,
  widened,
} from './outlier-study'
import { axis, baseLayout, type Theme } from './theme'
import { grouped, listed, namesOrCount, sentences } from './words'

export type PeakednessMeasure = keyof Peakedness

const TITLES: Readonly<Record<PeakednessMeasure, string>> = {
  kurtosis: 'kurtosis of X′, log',
  crest: 'maximum ÷ rms of X′, log',
}

/** Transforms that leave the activations as they are draw the dotted line of what comes before. */
const BASELINE = 'rtn'

/** Dotted: as the layer has them. In the style of the method: after its transform. */
export function drawPeakedness(
  { points, methods, strength }: DrawnStudy,
  { measure, format }: { readonly measure: PeakednessMeasure; readonly format: string },
  theme: Theme,
): FigureSpec {
  const own = points.filter((point) => point.format === format)
  const range = rangeOf(own.flatMap(({ before, after }) => [before[measure], after?.[measure]]))
  const lines = methods.filter((method) => method !== BASELINE && curveOf(own, format, method).length > 0)
  const before = curveOf(own, format, BASELINE)
  return {
    data: [
      strengthMark(strength, range, theme),
      line(
        'as it is',
        before.map((point) => [point.strength, point.before[measure]]),
        {
          color: REFERENCE_COLOUR[theme],
          width: 1.5,
          dash: 'dot',
        },
      ),
      ...lines.map((method): Data => {
        const { colour, symbol, label } = methodStyle(method, theme)
        const curve = curveOf(own, format, method).map((point) => [point.strength, point.after?.[measure]] as const)
        return {
          ...line(label, curve, { color: colour, width: 2, dash: 'solid' }),
          mode: 'lines+markers',
          meta: [method],
          marker: { color: colour, size: 6, symbol },
        } as Data
      }),
    ],
    layout: {
      ...baseLayout(theme),
      xaxis: strengthAxis(points, theme),
      yaxis: axis(theme, TITLES[measure], {
        type: 'log',
        range: logRange(range, 0.06),
        ...logTicks(widened(range, 0.06), LEAST_TICKS),
      }),
    },
  }
}

function line(
  name: string,
  points: readonly (readonly [strength: number, value: number | undefined])[],
  style: { readonly color: string; readonly width: number; readonly dash: 'dot' | 'solid' },
): Data {
  return {
    type: 'scatter',
    mode: 'lines',
    name,
    x: points.map(([strength]) => strength),
    y: points.map(([, value]) => (value !== undefined && value > 0 && Number.isFinite(value) ? value : null)),
    line: style,
    hovertemplate: `${name}, k = %{x}<br>%{y:.3r}<extra></extra>`,
  }
}

/** What a panel is about, in a heading: "Kurtosis, 3 for a Gaussian", "Crest factor in INT4 rows". */
export function peakednessTitle(measure: PeakednessMeasure, format: string): string {
  return measure === 'kurtosis' ? 'Kurtosis (Gaussian: 3)' : `Crest factor where ${formatName(format)} shares a scale`
}

/** The finding in words, at the strength on screen: who flattens the activations most, and who least. */
export function describePeakedness(
  { points, methods, strength }: DrawnStudy,
  { measure, format }: { readonly measure: PeakednessMeasure; readonly format: string },
): string {
  const at = (method: string) => curveOf(points, format, method).find((point) => point.strength === strength)
  const text = (value: number) => (Number.isFinite(value) ? formatMagnitude(value) : '–')
  const after = methods.flatMap((method) => {
    const value = method === BASELINE ? undefined : at(method)?.after?.[measure]
    return value === undefined || !Number.isFinite(value) ? [] : [{ name: methodLabel(method), value }]
  })
  const before = at(BASELINE)?.before[measure]
  const noun =
    measure === 'kurtosis' ? 'Kurtosis of the activations' : `Mean crest factor of ${formatName(format)} blocks`
  if (before === undefined) return sentences([`${noun}: nothing is computed yet`])
  const start = `${noun} at k = ${strength}`
  if (!Number.isFinite(before) || after.length === 0) return sentences([`${start}: ${text(before)} as it is`])
  const groups = grouped(after, ({ value }) => {
    const to = text(value)
    if (to === text(before)) return `leaves it at ${to}`
    return `${value < before ? 'lowers' : 'raises'} it to ${to}`
  })
  const said = groups.map(([words, own]) => {
    const names = namesOrCount(own.map(({ name }) => name))
    return `${names} ${own.length === 1 ? words : words.replace('s it', ' it')}`
  })
  return sentences([`${start}: ${text(before)} as it is; ${listed(said)}`])
}
