/** What components read: everything here follows from the facts in the store. */
import { looksLikeKeyOrValue } from '../experiment/kv-cache'
import type { LayerFacts, MethodOutcome, MethodResult } from '../experiment/result'
import { awaitedFiles } from './link-restore'
import { effectiveTokens, hasOutcome, layerKey, outcomeKey } from './result-keys'
import { isExplaining } from './rotation-causes'
import { isAwaiting, type SavedResults, savedOnScreen } from './saved-layer'
import { findTensor, visibleFiles } from './selection'
import type { AppState, CancelledRun, MethodSetup } from './state'
import type { Vocabulary } from './vocabulary'
import { wantedOutcomes } from './wanted'

/** `data-state` of the page. */
export type PageState = 'boot' | 'ready' | 'reading' | 'computing' | 'error'

/** What the page is doing; a lost or missing device and a failed run are errors, a refused file is not. */
export function pageState(state: AppState): PageState {
  const { device, source, run, sweeps, figure5, rotation, layerExport } = state
  if (source.reading.length > 0 && (source.active !== null || source.pendingLink !== null)) return 'reading'
  if (device.status === 'starting' || (source.active === null && source.reading.length > 0)) return 'boot'
  if (device.status === 'unavailable' || device.status === 'lost') return 'error'
  const busy = [sweeps.runId, figure5.runId, layerExport.runId].some((id) => id !== null)
  if (busy || run.phase !== 'idle' || rotation.phase !== 'idle' || isExplaining(rotation)) return 'computing'
  return run.end?.kind === 'failed' ? 'error' : 'ready'
}

/** `data-device` of the page; undefined until the browser has answered. */
export function deviceKind({ device }: AppState): 'webgpu' | 'software' | 'none' | undefined {
  if (device.status === 'unavailable') return 'none'
  if (!device.adapter) return undefined
  return device.adapter.isSoftware ? 'software' : 'webgpu'
}

/** The adapter by the name its driver gives it. */
export function adapterName({ device }: AppState): string | null {
  const { adapter } = device
  if (!adapter) return null
  const named = adapter.description !== 'unnamed adapter'
  return named ? adapter.description : `${adapter.vendor} ${adapter.architecture}`
}

/** Why there is nothing to show yet, for places that stay empty meanwhile; null when it is being computed. */
export function emptyReason(state: AppState): string | null {
  const awaited = awaitedFiles(state.source).map(({ name }) => name)
  if (isAwaiting(state)) return `Waiting for ${awaited.join(' and ')}`
  return state.setup.methods.some(({ hidden }) => !hidden) ? null : 'No method is chosen'
}

/** `data-result` of a tile. `stale`: what was computed under the previous setting, until its successor arrives. */
export type TileStatus = 'waiting' | 'running' | 'live' | 'stale' | 'failed' | 'cancelled'

/** One method as the main area shows it. */
export interface TileModel {
  readonly method: MethodSetup
  readonly status: TileStatus
  /** The outcome on screen: of this setting, or an earlier one while `status` is stale, running or cancelled. */
  readonly outcome: MethodOutcome | null
  /** True when the outcome belongs to another layer than the one chosen. */
  readonly otherLayer: boolean
  /** How far the run came that was cancelled; null unless `status` says so. */
  readonly cancelled: CancelledRun | null
}

/** Shown methods in the order of their chips. */
export function tiles(state: AppState): readonly TileModel[] {
  const layer = layerKey(state)
  const awaiting = isAwaiting(state)
  return state.setup.methods
    .filter(({ hidden }) => !hidden)
    .map((method) => {
      const bare = { method, outcome: null, otherLayer: false, cancelled: null }
      // What was shown before would pass for the result the link promises.
      if (awaiting) return { ...bare, status: 'waiting' }
      const key = layer === null ? null : outcomeKey(state, layer, state.setup.setting, method)
      const own = key === null ? undefined : state.run.results[key]
      if (own) return { ...bare, status: own.kind === 'result' ? 'live' : 'failed', outcome: own }
      const shown = state.run.shown[method.id]
      const running = state.run.runId !== null && state.run.current?.key === key
      const cancelled = (key !== null && state.run.cancelled[key]) || null
      const status = running ? 'running' : cancelled ? 'cancelled' : shown ? 'stale' : 'waiting'
      const otherLayer = shown !== undefined && shown.layerKey !== layer
      return { method, status, outcome: shown?.outcome ?? null, otherLayer, cancelled }
    })
}

/** Results on screen of one status, for shared axes and the answer line. */
export function resultsOf(models: readonly TileModel[], only?: TileStatus): readonly MethodResult[] {
  return models.flatMap(({ outcome, status }) =>
    outcome?.kind === 'result' && (only === undefined || status === only) ? [outcome] : [],
  )
}

/** The baseline's result under the current setting, whether shown or hidden; null until it is there. */
export function baselineResult(state: AppState): MethodResult | null {
  const outcomes = currentOutcomes(state)
  return (
    (outcomes.find((outcome) => outcome.kind === 'result' && outcome.method === 'rtn') as MethodResult | null) ?? null
  )
}

function currentOutcomes(state: AppState): readonly MethodOutcome[] {
  const layer = layerKey(state)
  if (layer === null) return []
  return state.setup.methods.flatMap((method) => {
    const outcome = state.run.results[outcomeKey(state, layer, state.setup.setting, method)]
    return outcome ? [outcome] : []
  })
}

/** Outcomes of shown methods under every setting the view wants, in that order; what is missing is left out. */
export function panelOutcomes(state: AppState, vocabulary: Vocabulary): readonly MethodOutcome[] {
  return wantedOutcomes(state, vocabulary.settings)
    .filter(({ method }) => !method.hidden)
    .flatMap(({ key }) => (state.run.results[key] ? [state.run.results[key]] : []))
}

/** How much of what the view wants is computed. */
export function runProgress(
  state: AppState,
  vocabulary: Vocabulary,
): { readonly done: number; readonly total: number } {
  const wanted = wantedOutcomes(state, vocabulary.settings)
  const done = wanted.filter((each) => hasOutcome(state.run.results, each)).length
  return { done, total: wanted.length }
}

/** What was compared, once the engine has loaded the layer; null before. */
export function layerFacts(state: AppState): LayerFacts | null {
  const layer = layerKey(state)
  return layer === null ? null : (state.run.facts[layer] ?? null)
}

/** Name, shape and dtype of the chosen weight for the header. */
export interface LayerTitle {
  readonly file: string
  readonly weight: string
  readonly shape: readonly number[]
  readonly dtype: string
}

/** null while no weight is chosen. */
export function layerTitle(state: AppState, vocabulary: Pick<Vocabulary, 'builtIns'>): LayerTitle | null {
  const weight = findTensor(visibleFiles(state.source), state.source.weight)
  const saved = savedOnScreen(state)
  if (saved !== null) return titleOf(saved.weight)
  if (!weight) return null
  const builtIn = vocabulary.builtIns.find(({ id }) => id === state.source.active)
  return {
    file: builtIn?.label ?? weight.fileName,
    weight: weight.tensor.replace(/\.weight$/, ''),
    shape: weight.view.shape,
    dtype: weight.view.dtype,
  }
}

function titleOf({ title, tensor, shape, dtype }: SavedResults['weight']): LayerTitle {
  return { file: title, weight: tensor.replace(/\.weight$/, ''), shape, dtype }
}

/** [out, in] of the chosen weight; null while none is chosen. */
export function chosenShape({ source }: AppState): readonly number[] | null {
  return findTensor(visibleFiles(source), source.weight)?.view.shape ?? null
}

/** True when the chosen weight is by its name a key or value projection, whose output the cache stores. */
export function choosesKeyOrValue({ source }: AppState): boolean {
  return source.weight !== null && looksLikeKeyOrValue(source.weight.tensor)
}

/** True when a software adapter limits the rows without the user having asked for a number. */
export function isTokenCapped(state: AppState): boolean {
  return state.source.tokens === null && effectiveTokens(state) !== null && state.source.activations.kind === 'captured'
}
