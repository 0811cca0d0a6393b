import type { Annotations, Data } from '../../types/plotly-figure'
import type { MethodOutcome, MethodResult, TrainingCurve } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { lineName, methodLabel } from './describe'
import { directLabels, labelMargin } from './direct-labels'
import type { PanelFigure, UnfinishedTraining } from './figure'
import { formatPercent, formatRelativeError } from './format-number'
import { logRange, logTicks } from './log-ticks'
import { methodStyle } from './method-style'
import { axis, baseLayout, cornerNote, THEME_COLOURS, type Theme, TITLE_SIZE } from './theme'
import { clauses, namesOrCount, sentences } from './words'

const NOTHING_LEARNED = 'None of these methods is learned'

/** Points of a drawn curve, at most about; a longer one is thinned evenly. */
const DRAWN_POINTS = 1000

/** While a curve grows, the error axis ends at whole parts of a decade, so that it rarely moves. */
const PARTS_OF_DECADE = 5

interface Learned extends MethodResult {
  readonly training: TrainingCurve
}

/**
 * The loss of every learned method while it was fitted: the output relative error on the calibration rows. Trainings
 * without a result are drawn thinner, with how far they came at their end.
 */
export const training: PanelFigure = {
  id: 'training',
  label: 'Training',
  scope: 'panel',
  question: 'Has the learned method converged, and which step was kept?',
  build(outcomes, { theme, unfinished }) {
    const learned = learnedOf(outcomes)
    const yRange = errorRange(learned, unfinished)
    const lastSteps = [...learned.map(({ training: { steps } }) => steps[steps.length - 1]), ...unfinished.map(stepsOf)]
    const lastStep = Math.max(1, ...lastSteps)
    const ends = learned.map((result) => ({
      text: `${methodStyle(result.method, theme).glyph} ${lineName(result, learned)}`,
      method: result.method,
      x: result.training.steps[result.training.steps.length - 1],
      y: Math.log10(result.training.losses[result.training.losses.length - 1]),
    }))
    return {
      data: [
        ...learned.flatMap((result) => [lossLine(result, theme), keptMark(result, theme)]),
        ...unfinished.map((one) => unfinishedLine(one, theme)),
      ],
      layout: {
        ...baseLayout(theme),
        margin: labelMargin(ends),
        xaxis: axis(theme, 'step', { range: [0, lastStep * 1.02], nticks: 4, tickangle: 0, showgrid: false }),
        yaxis: axis(theme, 'output relative error, calibration rows, log', {
          type: 'log',
          range: yRange,
          ...logTicks({ min: 10 ** yRange[0], max: 10 ** yRange[1] }),
        }),
        annotations:
          lastSteps.length > 0
            ? [
                ...directLabels(ends, yRange, theme),
                ...unfinished.map((one) => unfinishedLabel(one, { theme, lastStep, yRange })),
              ]
            : [cornerNote(theme, NOTHING_LEARNED)],
      },
    }
  },
  describe(outcomes, { unfinished }) {
    const learned = learnedOf(outcomes)
    if (learned.length === 0 && unfinished.length === 0) return sentences([NOTHING_LEARNED])
    const finished = learned.length === 1 ? oneCurve(learned[0]) : learned.length > 1 ? severalCurves(learned) : null
    return sentences([finished, clauses(unfinished.map(describeUnfinished))])
  },
  table: (outcomes, { unfinished }) => ({
    columns: ['method', 'setting', 'step', 'calibration error'],
    rows: [
      ...learnedOf(outcomes).flatMap(({ method, setting, training: { steps, losses } }) =>
        steps.map((step, i) => [
          methodLabel(method),
          settingLabel(setting),
          String(step),
          formatRelativeError(losses[i]),
        ]),
      ),
      ...unfinished.flatMap((one) =>
        one.losses.map((loss, step) => [
          `${methodLabel(one.method)}, ${one.state}`,
          settingLabel(one.setting),
          String(step),
          formatRelativeError(loss),
        ]),
      ),
    ],
  }),
}

const stepsOf = ({ steps }: UnfinishedTraining) => steps

interface Course {
  readonly name: string
  readonly first: number
  readonly kept: number
  /** Share of the first error that training took away, in percent. */
  readonly lowered: number
  /** Kept the last step: the least error, as far as it was trained. */
  readonly isLast: boolean
}

function courseOf(one: Learned, all: readonly Learned[]): Course {
  const { losses, steps, bestStep } = one.training
  const kept = losses[steps.indexOf(bestStep)] ?? losses.reduce((least, loss) => (loss < least ? loss : least))
  const lowered = 100 * (1 - kept / losses[0])
  return { name: lineName(one, all), first: losses[0], kept, lowered, isLast: bestStep === steps[steps.length - 1] }
}

/** "FlatQuant under W4A4: training lowers the error by 67 %, from 0.3100 to 0.1010 at step 100 of 150, which is kept" */
function oneCurve(one: Learned): string {
  const { first, kept, lowered, isLast } = courseOf(one, [one])
  const { steps, bestStep } = one.training
  const name = `${methodLabel(one.method)} under ${settingLabel(one.setting)}`
  const [from, to] = [first, kept].map(formatRelativeError)
  const last = steps[steps.length - 1]
  if (last === 0) return `${name}: no step was asked for, the error stays at ${from}`
  if (from === to) return `${name}: ${last} steps leave the error at ${to}, step ${bestStep} is kept`
  const by = Number.isFinite(lowered) ? ` by ${formatPercent(lowered)}` : ''
  const where = isLast
    ? `at the last step, ${last}, so it was still falling`
    : `at step ${bestStep} of ${last}, which is kept`
  return `${name}: training lowers the error${by}, from ${from} to ${to} ${where}`
}

/** Who gains most and who least, and who was still falling. */
function severalCurves(learned: readonly Learned[]): string {
  const courses = learned.map((one) => courseOf(one, learned))
  const known = courses.filter(({ lowered }) => Number.isFinite(lowered)).sort((a, b) => b.lowered - a.lowered)
  const lowest = courses.reduce((least, each) => (each.kept < least.kept ? each : least))
  const ends = `${lowest.name} ends lowest at ${formatRelativeError(lowest.kept)}`
  const still = courses.filter(({ isLast }) => isLast).map(({ name }) => name)
  const falling = still.length > 0 ? `; still falling at the last step: ${namesOrCount(still)}` : ''
  if (known.length < 2) return `${ends}${falling}`
  const [most, least] = [known[0], known[known.length - 1]]
  const [high, low] = [most, least].map(({ lowered }) => formatPercent(lowered))
  const span =
    high === low ? `by ${high} in all ${known.length} results` : `by ${low} (${least.name}) to ${high} (${most.name})`
  return `training lowers the error on calibration rows ${span}; ${ends}${falling}`
}

/** [log10 min, log10 max] of every error drawn. */
function errorRange(learned: readonly Learned[], unfinished: readonly UnfinishedTraining[]): [number, number] {
  const all = [...learned.map(({ training }) => training.losses), ...unfinished.map(({ losses }) => losses)].flat()
  const losses = all.filter((loss) => loss > 0 && Number.isFinite(loss))
  if (losses.length === 0) return logRange({ min: 0.03, max: 0.3 }, 0.08)
  const min = losses.reduce((least, loss) => Math.min(least, loss))
  const max = losses.reduce((most, loss) => Math.max(most, loss))
  const [low, high] = logRange({ min, max }, 0.08)
  if (unfinished.length === 0) return [low, high]
  return [Math.floor(PARTS_OF_DECADE * low) / PARTS_OF_DECADE, Math.ceil(PARTS_OF_DECADE * high) / PARTS_OF_DECADE]
}

/** Every n-th of `values` and the last, few enough to draw. */
function thinned(values: readonly number[]): number[] {
  const stride = Math.ceil(values.length / DRAWN_POINTS)
  return values.filter((_, i) => i % stride === 0 || i === values.length - 1)
}

const lastOf = ({ losses }: UnfinishedTraining) => losses.length - 1

/** "at step 41" while it goes on, "cancelled at step 41" after. */
const standing = (one: UnfinishedTraining) =>
  one.state === 'running' ? `at step ${lastOf(one)}` : `cancelled at step ${lastOf(one)}`

function describeUnfinished(one: UnfinishedTraining): string {
  const { method, setting, losses, steps, state } = one
  const best = formatRelativeError(losses.reduce((least, loss) => (loss < least ? loss : least)))
  const end = state === 'running' ? 'least so far' : 'least'
  return `${methodLabel(method)} under ${settingLabel(setting)}: ${standing(one)} of ${steps}, from ${formatRelativeError(losses[0])}, ${end} ${best}`
}

function unfinishedLine(one: UnfinishedTraining, theme: Theme): Data {
  const { colour, dash, label } = methodStyle(one.method, theme)
  return {
    type: 'scatter',
    mode: 'lines',
    name: `${label}, ${one.setting}, ${standing(one)}`,
    meta: [one.method],
    x: thinned(one.losses.map((_, step) => step)),
    y: thinned(one.losses),
    line: { color: colour, width: 1.25, dash },
    hovertemplate: `${label}, ${settingLabel(one.setting)}, ${one.state}<br>step %{x}: %{y:.4f} on calibration rows<extra></extra>`,
  }
}

interface Axes {
  readonly theme: Theme
  readonly lastStep: number
  readonly yRange: readonly [number, number]
}

/** Its name where the curve ends, above it: to the left of a point in the right half, else to the right. */
function unfinishedLabel(one: UnfinishedTraining, { theme, lastStep, yRange }: Axes): Partial<Annotations> {
  const { glyph, label } = methodStyle(one.method, theme)
  const loss = one.losses[lastOf(one)]
  const y = loss > 0 && Number.isFinite(loss) ? Math.log10(loss) : yRange[1]
  return {
    name: one.method,
    text: `${glyph} ${label}, ${standing(one)}`,
    x: lastOf(one),
    y,
    xref: 'x',
    yref: 'y',
    xanchor: lastOf(one) > lastStep / 2 ? 'right' : 'left',
    yanchor: 'bottom',
    yshift: 6,
    showarrow: false,
    font: { size: TITLE_SIZE, color: THEME_COLOURS[theme].ink },
  }
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
    meta: [method],
    x: thinned(steps),
    y: thinned(losses),
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
    meta: [method],
    x: at < 0 ? [] : [bestStep],
    y: at < 0 ? [] : [losses[at]],
    marker: { color: colour, size: 10, symbol },
    hovertemplate: `${label}, ${settingLabel(setting)}<br>kept: step %{x}, %{y:.4f} on calibration rows<extra></extra>`,
  }
}
