/** What was measured on the loaded layer beside what the channel noise and the closed form predict. */
import type { Data } from '../../types/plotly-figure'
import type { RotationCauses } from '../experiment/rotation-causes'
import { methodLabel } from './describe'
import type { DataTable, FigureSpec } from './figure'
import { formatRelativeError, formatSignificant } from './format-number'
import { methodStyle } from './method-style'
import { axis, baseLayout, THEME_COLOURS, type Theme, TICK_SIZE, withOpacity } from './theme'
import { changesInWords, clauses, sentences } from './words'

export type PredictedError = Pick<
  RotationCauses,
  | 'before'
  | 'after'
  | 'method'
  | 'closedForm'
  | 'chi'
  | 'mismatch'
  | 'weightKappa'
  | 'activationKappa'
  | 'weightFormat'
  | 'activationFormat'
>

const BASELINE = 'rtn'
const HEADROOM = 1.15
/** Rotations inside blocks: the closed form, which mixes all channels, says nothing of them. */
const WITHIN_BLOCKS: readonly string[] = ['block-hadamard']
/** The closed form is off by a quarter on built-in layers: RTN's error within this of it decides nothing. */
const CLOSED_FORM_MARGIN = 0.25

const mixesAllChannels = ({ method }: PredictedError) => !WITHIN_BLOCKS.includes(method.id)

/** What of the layer is rounded, in words. */
function roundedText({ weightFormat, activationFormat }: PredictedError): string {
  if (activationFormat === null) return 'weights rounded'
  return weightFormat === null ? 'activations rounded' : 'weights and activations rounded'
}

/** Solid: measured. Pale: the sums over the channels. Dashed: the closed form, of rotations that mix all channels. */
export function drawPredictedError(causes: PredictedError, theme: Theme): FigureSpec {
  const { before, after, closedForm } = causes
  const { ink } = THEME_COLOURS[theme]
  const closed = mixesAllChannels(causes)
  const errors = [before, after].flatMap(({ measured, predicted }) => [measured, predicted])
  const most = Math.max(...errors, closed ? closedForm : 0)
  return {
    data: [bars(causes, 'measured', theme), bars(causes, 'predicted', theme)],
    layout: {
      ...baseLayout(theme),
      barmode: 'group',
      bargap: 0.35,
      xaxis: axis(theme, roundedText(causes), { showgrid: false }),
      yaxis: axis(theme, 'output relative error', { range: [0, HEADROOM * (most > 0 ? most : 1)], nticks: 6 }),
      ...(closed ? closedFormLine(closedForm, ink) : {}),
    },
  }
}

/** A dashed line over both, and its number. */
function closedFormLine(closedForm: number, colour: string): Pick<FigureSpec['layout'], 'shapes' | 'annotations'> {
  const line = { color: colour, width: 1.5, dash: 'dash' } as const
  return {
    shapes: [{ type: 'line', xref: 'paper', x0: 0, x1: 1, y0: closedForm, y1: closedForm, line }],
    annotations: [
      {
        text: `closed form ${formatRelativeError(closedForm)}`,
        xref: 'paper',
        x: 1,
        y: closedForm,
        xanchor: 'right',
        yanchor: 'bottom',
        showarrow: false,
        font: { size: TICK_SIZE, color: colour },
      },
    ],
  }
}

function bars({ before, after, method }: PredictedError, key: 'measured' | 'predicted', theme: Theme): Data {
  const styles = [BASELINE, method.id].map((id) => methodStyle(id, theme))
  const colours = styles.map(({ colour }) => colour)
  const name = key === 'measured' ? 'measured' : 'from the channels'
  return {
    type: 'bar',
    name,
    meta: [BASELINE, method.id],
    x: styles.map(({ label }) => (label === methodLabel(BASELINE) ? `${label}, as it is` : `${label}, rotated`)),
    y: [before[key], after[key]],
    marker: {
      color: key === 'measured' ? colours : colours.map((colour) => withOpacity(colour, 0.25)),
      line: { color: colours, width: 1 },
    },
    hovertemplate: `%{x}<br>${name}: %{y:.4f}<extra></extra>`,
  }
}

/** "+1.3 %": how far a prediction is from what was measured. */
function offText(predicted: number, measured: number): string {
  const percent = 100 * (predicted / measured - 1)
  if (!Number.isFinite(percent)) return '–'
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`
}

/** Measured against RTN, then what the closed form says of a rotation before it is run. */
export function describePrediction(causes: PredictedError): string {
  const { before, after, closedForm, method, mismatch } = causes
  const name = methodLabel(method.id)
  const measured =
    changesInWords([
      { noun: 'the output error', from: before.measured, to: after.measured, format: formatRelativeError },
    ]) ?? `has an output error of ${formatRelativeError(after.measured)}`
  const index = `mismatch index ${formatSignificant(mismatch, 2)}: ${mismatchWords(mismatch)}`
  if (!mixesAllChannels(causes)) {
    const scope = 'it mixes channels within blocks only, so the closed form says nothing of it'
    return sentences([`${name} ${measured}`, clauses([scope, index])])
  }
  const off = offText(closedForm, after.measured)
  const rule = `rule of thumb for a rotation of all channels: ${formatRelativeError(closedForm)}${off === '–' ? '' : `, off by ${off}`}`
  return sentences([`${name} ${measured}`, clauses([rule, expectation(before.measured / closedForm), index])])
}

/** What RTN's error over the closed form lets one expect. */
function expectation(ratio: number): string {
  const percent = `${Math.abs(100 * (ratio - 1)).toFixed(0)} %`
  if (!Number.isFinite(ratio)) return 'nothing follows from it'
  if (Math.abs(ratio - 1) <= CLOSED_FORM_MARGIN) {
    return `RTN's error is within ${100 * CLOSED_FORM_MARGIN} % of it, about as far as the rule can be off, so it cannot tell`
  }
  return ratio > 1
    ? `RTN's error is ${percent} above it, so such a rotation should help`
    : `RTN's error is ${percent} below it, so such a rotation should hurt`
}

function mismatchWords(mismatch: number): string {
  if (!Number.isFinite(mismatch)) return 'one of both is zero'
  if (mismatch > 1.1) return 'large activations meet small weights'
  return mismatch < 0.9 ? 'large activations meet large weights' : 'activations and weights are about independent'
}

/** Measured and predicted errors beside each other, one prediction a row. */
export function predictionTable(causes: PredictedError): DataTable {
  const { before, after, method, closedForm } = causes
  const row = (name: string, predicted: number, measured: number) => [
    name,
    formatRelativeError(measured),
    formatRelativeError(predicted),
    offText(predicted, measured),
  ]
  const name = methodLabel(method.id)
  return {
    columns: ['prediction', 'measured', 'predicted', 'off by'],
    rows: [
      row('RTN, from the channels', before.predicted, before.measured),
      row(`${name}, from the channels`, after.predicted, after.measured),
      ...(mixesAllChannels(causes) ? [row(`${name}, closed form`, closedForm, after.measured)] : []),
    ],
  }
}

/** What the predictions are made of, each with what it means. */
export function indexTable({ chi, mismatch, weightKappa, activationKappa }: PredictedError): DataTable {
  const row = (name: string, value: number, meaning: string) => [name, formatSignificant(value, 3), meaning]
  return {
    columns: ['index', 'value', 'what it is'],
    rows: [
      row('mismatch index', mismatch, 'above 1: large activations meet small weights'),
      row('χ', chi, '1 without structure; above, X and W cancel'),
      row('κ of W', weightKappa, 'noise energy of Gaussian weights in this format'),
      row('κ of X', activationKappa, 'the same of Gaussian activations'),
    ],
  }
}
