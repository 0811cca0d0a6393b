import type { Data } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, TrainingCurve } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { lineName, methodLabel } from './describe'
import { directLabels, labelMargin } from './direct-labels'
import type { PanelFigure } from './figure'
import { formatRelativeError } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, type Theme } from './theme'

const NOTHING_LEARNED = 'None of these methods is learned'

interface Learned extends MethodResult {
  readonly training: TrainingCurve
}

/** The loss of every learned method while it was fitted: the output relative error on the calibration rows. */
export const training: PanelFigure = {
  id: 'training',
  label: 'Training',
  scope: 'panel',
  question: 'Has the learned method converged, and which step was kept?',
  build(outcomes, { theme }) {
    const learned = learnedOf(outcomes)
    const losses = learned.flatMap((result) => result.training.losses.filter((loss) => loss > 0))
    const range = losses.length > 0 ? { min: Math.min(...losses), max: Math.max(...losses) } : { min: 0.03, max: 0.3 }
    const yRange = logRange(range, 0.08)
    const lastStep = Math.max(1, ...learned.flatMap((result) => result.training.steps))
    const ends = learned.map((result) => ({
      text: `${methodStyle(result.method, theme).glyph} ${lineName(result, learned)}`,
      x: result.training.steps[result.training.steps.length - 1],
      y: Math.log10(result.training.losses[result.training.losses.length - 1]),
    }))
    return {
      data: learned.flatMap((result) => [lossLine(result, theme), keptMark(result, theme)]),
      layout: {
        ...baseLayout(theme),
        margin: labelMargin(ends),
        xaxis: axis(theme, 'step', { range: [0, lastStep * 1.02], nticks: 4, tickangle: 0, showgrid: false }),
        yaxis: axis(theme, 'output relative error, calibration rows, log', {
          type: 'log',
          range: yRange,
          ...logTicks({ min: 10 ** yRange[0], max: 10 ** yRange[1] }),
        }),
        annotations: learned.length > 0 ? directLabels(ends, yRange, theme) : [cornerNote(theme, NOTHING_LEARNED)],
      },
    }
  },
  describe(outcomes) {
    const sentences = learnedOf(outcomes).map(({ method, setting, training: { losses, steps, bestStep } }) => {
      const best = formatRelativeError(losses[steps.indexOf(bestStep)] ?? Math.min(...losses))
      return `${methodLabel(method)} under ${settingLabel(setting)}: from ${formatRelativeError(losses[0])} to ${best}, kept step ${bestStep} of ${steps[steps.length - 1]}`
    })
    return sentences.length > 0 ? sentences.join('. ') : NOTHING_LEARNED
  },
  table: (outcomes) => ({
    columns: ['method', 'setting', 'step', 'calibration error'],
    rows: learnedOf(outcomes).flatMap(({ method, setting, training: { steps, losses } }) =>
      steps.map((step, i) => [
        methodLabel(method),
        settingLabel(setting),
        String(step),
        formatRelativeError(losses[i]),
      ]),
    ),
  }),
}

function learnedOf(outcomes: readonly MethodOutcome[]): Learned[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind !== 'result' || !outcome.training || outcome.training.steps.length === 0) return []
    return [{ ...outcome, training: outcome.training }]
  })
}

function lossLine({ method, setting, training: { steps, losses } }: Learned, theme: Theme): Data {
  const { colour, dash, label } = methodStyle(method, theme)
  return {
    type: 'scatter',
    mode: 'lines',
    name: `${label}, ${setting}`,
    x: [...steps],
    y: [...losses],
    line: { color: colour, width: 2, dash },
    hovertemplate: `${label}, ${settingLabel(setting)}<br>step %{x}: %{y:.4f} on calibration rows<extra></extra>`,
  }
}

/** Marks the step whose state was kept. */
function keptMark({ method, setting, training: { steps, losses, bestStep } }: Learned, theme: Theme): Data {
  const { colour, symbol, label } = methodStyle(method, theme)
  const at = steps.indexOf(bestStep)
  return {
    type: 'scatter',
    mode: 'markers',
    name: `${label}, ${setting}, kept`,
    x: at < 0 ? [] : [bestStep],
    y: at < 0 ? [] : [losses[at]],
    marker: { color: colour, size: 10, symbol },
    hovertemplate: `${label}, ${settingLabel(setting)}<br>kept: step %{x}, %{y:.4f} on calibration rows<extra></extra>`,
  }
}
