/** The Sweeps view: one parameter of the chosen methods against their errors. What there is to sweep, and what is swept. */
import { TOKENS_PARAMETER } from '../experiment/request'
import type { SweepPoint } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { reachedValue, sweepParameters, sweepValues } from '../experiment/sweep-parameters'
import { methodLabel } from '../figures/describe'
import type { ParameterSweep, SweptMethod } from '../figures/parameter-sweep'
import type { RunEnd } from '../worker/protocol'
import { layerKey, outcomeKey } from './result-keys'
import { layerFacts, layerTitle } from './selectors'
import type { AppState, MethodSetup } from './state'
import type { Vocabulary } from './vocabulary'

/** One method over one parameter: the points so far, and the name of what they were computed under. */
export interface SweepSeries extends SweptMethod {
  /** Of everything a point depends on but the swept value. */
  readonly key: string
  readonly values: readonly number[]
  /** "Demo layer, W4A4" */
  readonly about: string
}

export interface SweepsSlice {
  /** The key chosen or linked; null: the first there is. */
  readonly parameter: string | null
  /** The last sweep of each parameter. */
  readonly series: Readonly<Record<string, readonly SweepSeries[]>>
  /** `waiting`: it starts, or goes on, once the comparison has ended. */
  readonly phase: 'idle' | 'waiting' | 'running' | 'cancelling'
  /**
   * What was asked for last: keys of series, null until the layer is loaded. What is no longer on screen is not
   * computed.
   */
  readonly asked: { readonly parameter: string; readonly keys: readonly string[] | null }
  readonly runId: string | null
  /** Key of the series that runs. */
  readonly current: string | null
  /** How the last sweep ended; null before the first and while one is going. */
  readonly end: RunEnd | null
}

export const DEFAULT_SWEEPS: SweepsSlice = {
  parameter: null,
  series: {},
  phase: 'idle',
  asked: { parameter: '', keys: [] },
  runId: null,
  current: null,
  end: null,
}

/** A parameter that at least one shown method has. */
export interface SweepParameter {
  readonly key: string
  /** As the methods call it. */
  readonly label: string
  /** Ids of the shown methods that have it. */
  readonly methods: readonly string[]
}

/** More are counted rather than named. */
const NAMED_METHODS = 3

const shownMethods = ({ setup }: AppState): readonly MethodSetup[] => setup.methods.filter(({ hidden }) => !hidden)

/** What can be swept among the shown methods, in the order of their options, the calibration rows last. */
export function sweepChoices(state: AppState): readonly SweepParameter[] {
  const found = new Map<string, { labels: string[]; methods: string[] }>()
  for (const { id } of shownMethods(state)) {
    for (const { key, label } of sweepParameters(id)) {
      const { labels, methods } = found.get(key) ?? { labels: [], methods: [] }
      found.set(key, { labels: [...new Set([...labels, label])], methods: [...methods, id] })
    }
  }
  const all = [...found].map(([key, { labels, methods }]) => ({ key, label: labels.join(' / '), methods }))
  return [...all.filter(({ key }) => key !== TOKENS_PARAMETER), ...all.filter(({ key }) => key === TOKENS_PARAMETER)]
}

/** The same as a menu: what it is called, and whose it is. A key that no shown method has stands first, as it is. */
export function sweepMenu(state: AppState): readonly { readonly value: string; readonly label: string }[] {
  const choices = sweepChoices(state)
  const { parameter } = state.sweeps
  const own = parameter === null || choices.some(({ key }) => key === parameter)
  const offered = choices.map(({ key, label, methods }) => ({
    value: key,
    label: `${label} (${methods.length > NAMED_METHODS ? `${methods.length} methods` : methods.map(methodLabel).join(', ')})`,
  }))
  return own ? offered : [{ value: parameter, label: parameter }, ...offered]
}

/** True for a key that a method of the catalog can be swept over. */
export function isSweepParameter(key: string, { methods }: Pick<Vocabulary, 'methods'>): boolean {
  return (
    key === TOKENS_PARAMETER ||
    methods.some(({ options }) => options.some((option) => option.key === key && option.kind === 'number'))
  )
}

/** The parameter on screen; null where no shown method has the one chosen. */
export function shownParameter(state: AppState): SweepParameter | null {
  const choices = sweepChoices(state)
  const { parameter } = state.sweeps
  return (parameter === null ? choices[0] : choices.find(({ key }) => key === parameter)) ?? null
}

/** One method as a sweep would compute it now, without its points. */
export interface WantedSeries extends Omit<SweepSeries, 'points'> {
  readonly setup: MethodSetup
}

/** The series that the shown methods give over `parameter`; empty before the layer is loaded. */
export function wantedSeries(state: AppState, parameter: string, vocabulary: Vocabulary): readonly WantedSeries[] {
  const layer = layerKey(state)
  const facts = layerFacts(state)
  if (layer === null || facts === null) return []
  const { setting } = state.setup
  const title = layerTitle(state, vocabulary)
  const builtIn = vocabulary.builtIns.find(({ id }) => id === state.source.active)
  const about = `${builtIn ? builtIn.label : `${title?.file} › ${title?.weight}`}, ${settingLabel(setting.id)}`
  const chosen = sweepChoices(state).find(({ key }) => key === parameter)?.methods ?? []
  return shownMethods(state)
    .filter(({ id }) => chosen.includes(id))
    .map((setup) => {
      const { [parameter]: own, ...options } = setup.options
      const spec = vocabulary.methods.find(({ id }) => id === setup.id)?.options.find(({ key }) => key === parameter)
      const asked = parameter === TOKENS_PARAMETER ? facts.calibrationTokens : Number(own ?? spec?.default)
      const inUse = reachedValue(parameter, asked, facts)
      const usual = sweepValues(setup.id, parameter, facts)
      return {
        key: JSON.stringify([parameter, outcomeKey(state, layer, setting, { ...setup, options })]),
        method: setup.id,
        inUse,
        values: [...new Set([...usual, inUse])].sort((a, b) => a - b),
        about,
        setup,
      }
    })
}

/** The values a series still lacks. */
export function lackingValues(values: readonly number[], points: readonly SweepPoint[]): readonly number[] {
  return values.filter((value) => !points.some((point) => point.value === value))
}

/** What the Sweeps view shows. Flat, and its lines are those of the store, so that it stays the same while nothing changes. */
export interface SweepModel {
  /** The parameter's key and what the methods call it. */
  readonly key: string
  readonly label: string
  readonly lines: readonly SweepSeries[]
  /** What each line's method uses now, or used when the line was computed, where it is stale. */
  readonly inUse: readonly number[]
  /** What the lines were computed under, where that is no longer the layer and setting on screen. */
  readonly stale: string | null
  /** Shown methods that do not have the parameter. */
  readonly without: readonly string[]
  /** Values computed and asked for under the layer and setting on screen. */
  readonly done: number
  readonly total: number
  /** The method that is being swept. */
  readonly running: string | null
}

/** null where no shown method has the parameter chosen. Lines of another layer or setting never stand beside others. */
export function sweepModel(state: AppState, vocabulary: Vocabulary): SweepModel | null {
  const parameter = shownParameter(state)
  if (parameter === null) return null
  const { key, label, methods } = parameter
  const kept = state.sweeps.series[key] ?? []
  const begun = kept.filter(({ points }) => points.length > 0)
  const wanted = wantedSeries(state, key, vocabulary).map((series) => ({
    series,
    line: begun.find((each) => each.key === series.key),
  }))
  const live = wanted.flatMap(({ series: { inUse }, line }) => (line ? [{ line, inUse }] : []))
  const left = live.length > 0 ? [] : begun.filter(({ method }) => methods.includes(method))
  const total = wanted.reduce((sum, { series }) => sum + series.values.length, 0)
  const lacking = wanted.reduce(
    (sum, { series, line }) => sum + lackingValues(series.values, line?.points ?? []).length,
    0,
  )
  return {
    key,
    label,
    lines: live.length > 0 ? live.map(({ line }) => line) : left,
    inUse: live.length > 0 ? live.map(({ inUse }) => inUse) : left.map(({ inUse }) => inUse),
    stale: left.length > 0 ? [...new Set(left.map(({ about }) => about))].join('; ') : null,
    without: shownMethods(state)
      .map(({ id }) => id)
      .filter((id) => !methods.includes(id)),
    done: total - lacking,
    total,
    running: kept.find((each) => each.key === state.sweeps.current)?.method ?? null,
  }
}

/** The figure's view of the model. */
export function drawnSweep({ label, lines, inUse }: Pick<SweepModel, 'label' | 'lines' | 'inUse'>): ParameterSweep {
  return { label, lines: lines.map((line, at) => ({ ...line, inUse: inUse[at] })) }
}
