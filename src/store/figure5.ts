/** The Figure 5 view: one tensor as loaded and what every shown method makes of it, and where each row stands. */
import type { ErrorReport } from '../core/errors'
import type { Progress } from '../core/progress'
import { type ProfileStage, type ProfileSubject, type Profiles, takesTransform } from '../experiment/profile-request'
import type { ActivationProfile } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { isReal } from '../io/tensor-bytes'
import type { RunEnd } from '../worker/protocol'
import { layerKey, outcomeKey } from './result-keys'
import { type FileTensor, findTensor, visibleFiles } from './selection'
import { baselineResult, layerFacts, type TileStatus, tiles } from './selectors'
import type { AppState, MethodSetup } from './state'
import { BASELINE, type Vocabulary } from './vocabulary'

/** What the view is set to: in the link. */
export interface Figure5Look {
  readonly subject: ProfileSubject
  /** Name of the tensor that `subject` 'tensor' means; null: none is chosen yet. */
  readonly tensor: string | null
  readonly stage: Exclude<ProfileStage, 'loaded'>
  /** Whether all rows share their axes and colours. */
  readonly axes: 'shared' | 'own'
  /** Channels where they are, or sorted by their norm. */
  readonly order: 'channel' | 'norm'
}

export const DEFAULT_LOOK: Figure5Look = {
  subject: 'activations',
  tensor: null,
  stage: 'transformed',
  axes: 'shared',
  order: 'channel',
}

/** What a run told about one key. */
export type Profiled =
  | { readonly kind: 'ready'; readonly profiles: Profiles }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

export interface Figure5Slice {
  readonly look: Figure5Look
  /** By key, the latest last. */
  readonly profiled: Readonly<Record<string, Profiled>>
  readonly runId: string | null
  /** Keys that run computes. */
  readonly plan: readonly string[]
  /** Id of the method it is at. */
  readonly current: string | null
  readonly progress: Progress | null
  /** How the last run ended short of what it was asked for, and which keys: these are not asked for again by themselves. */
  readonly stopped: { readonly keys: readonly string[]; readonly end: RunEnd } | null
}

export const DEFAULT_FIGURE5: Figure5Slice = {
  look: DEFAULT_LOOK,
  profiled: {},
  runId: null,
  plan: [],
  current: null,
  progress: null,
  stopped: null,
}

/** Something the view shows and a comparison does not measure. `method` null: the tensors as loaded. */
export interface WantedProfiles {
  readonly key: string
  readonly method: MethodSetup | null
}

/** Tensors of the files on screen that can be profiled: finite matrices, as far as a header tells. */
export function profiledTensors(state: AppState): readonly FileTensor[] {
  return visibleFiles(state.source).flatMap((file) =>
    file.tensors
      .filter((view) => isReal(view) && view.shape.length === 2 && !view.shape.includes(0))
      .map((view) => ({ fileId: file.id, tensor: view.name, fileName: file.name, view })),
  )
}

/** The tensor `subject` 'tensor' means; null where none is chosen or it is not there. */
export function chosenTensor(state: AppState): FileTensor | null {
  const { subject, tensor } = state.figure5.look
  if (subject !== 'tensor' || tensor === null) return null
  return profiledTensors(state).find((each) => each.tensor === tensor) ?? null
}

/** Whether the methods apply to what is shown; null while the layer is not known. */
export function methodsApply(state: AppState): boolean | null {
  if (state.figure5.look.subject !== 'tensor') return true
  const chosen = chosenTensor(state)
  const weight = findTensor(visibleFiles(state.source), state.source.weight)
  const facts = layerFacts(state)
  return chosen && weight && facts ? takesTransform(chosen.view, weight.view, facts.inDim) : null
}

/** What a comparison has measured already: X after the transform. */
const isMeasured = ({ subject, stage }: Figure5Look) => subject === 'activations' && stage === 'transformed'

function keysOf(state: AppState) {
  const layer = layerKey(state)
  const { look } = state.figure5
  const tensor = chosenTensor(state)
  if (layer === null || (look.subject === 'tensor' && tensor === null)) return null
  const what = tensor ? JSON.stringify([tensor.fileId, tensor.tensor]) : ''
  return {
    loaded: `${layer}${what}`,
    of: (method: MethodSetup) => `${outcomeKey(state, layer, state.setup.setting, method)}${what}`,
  }
}

const shownMethods = ({ setup }: AppState) => setup.methods.filter(({ hidden }) => !hidden)
const baselineOf = ({ setup }: AppState) => setup.methods.find(({ id }) => id === BASELINE) ?? null

/** What the view shows and a comparison does not measure, in the order of rows. */
export function wantedProfiles(state: AppState): readonly WantedProfiles[] {
  const keys = keysOf(state)
  const { look } = state.figure5
  if (keys === null || isMeasured(look)) return []
  const baseline = baselineOf(state)
  const shown = methodsApply(state) ? shownMethods(state) : []
  // Errors are compared with the baseline's, shown or not.
  const hidden = look.subject === 'error' && baseline?.hidden ? [baseline] : []
  const methods = [...hidden, ...shown].map((method) => ({ key: keys.of(method), method }))
  return [{ key: keys.loaded, method: null }, ...methods]
}

/** The part of it that is not there. */
export function lackingProfiles(state: AppState): readonly WantedProfiles[] {
  return wantedProfiles(state).filter(({ key }) => !Object.hasOwn(state.figure5.profiled, key))
}

export interface Figure5Row {
  readonly method: string
  readonly status: TileStatus
  readonly profile: ActivationProfile | null
  /** The tensor as loaded, the baseline's error behind an error; null where that is the row itself or is not there. */
  readonly before: ActivationProfile | null
  /** The method makes each channel out of several: the same number means another thing after it. */
  readonly mixes: boolean
  /** What stands in place of a missing profile. */
  readonly text: string | null
}

/** The stage of what is shown that its key has. */
function staged(state: AppState, key: string, stage: ProfileStage): ActivationProfile | null {
  const found = state.figure5.profiled[key]
  return found?.kind === 'ready' ? (found.profiles[state.figure5.look.subject]?.[stage] ?? null) : null
}

/** The tensor as loaded, once it is there; null also for an error, which nothing was loaded as. */
export function loadedProfile(state: AppState): ActivationProfile | null {
  if (isMeasured(state.figure5.look)) return baselineResult(state)?.profile ?? null
  const keys = keysOf(state)
  return keys && staged(state, keys.loaded, 'loaded')
}

function beforeOf(state: AppState): ActivationProfile | null {
  if (state.figure5.look.subject !== 'error') return loadedProfile(state)
  const baseline = baselineOf(state)
  const keys = keysOf(state)
  return keys && baseline && staged(state, keys.of(baseline), 'quantized')
}

/** Whether the transform of a method makes channels out of several, by the kind of the method that is the transform alone. */
export function mixesChannels({ methods }: Pick<Vocabulary, 'methods'>, id: string): boolean {
  const row = methods.find((method) => method.id === id)?.row
  const plain = methods.find((method) => method.row === row && method.column === 'round-to-nearest')
  return plain?.kind === 'rotation' || plain?.kind === 'affine'
}

/** One row per shown method, in the order of their chips; none where methods do not apply. */
export function figure5Rows(state: AppState, vocabulary: Pick<Vocabulary, 'methods'>): readonly Figure5Row[] {
  const measured = isMeasured(state.figure5.look)
  if (!measured && methodsApply(state) !== true) return []
  const before = beforeOf(state)
  const rows = measured ? measuredRows(state) : computedRows(state)
  return rows.map((row) => ({
    ...row,
    // An output has the same channels under every method.
    mixes: state.figure5.look.subject !== 'error' && mixesChannels(vocabulary, row.method),
    before: row.status === 'stale' || before === row.profile ? null : before,
  }))
}

type BareRow = Omit<Figure5Row, 'before' | 'mixes'>

function measuredRows(state: AppState): readonly BareRow[] {
  return tiles(state).map(({ method, status, outcome }) => ({
    method: method.id,
    status: status === 'running' && outcome ? 'stale' : status,
    profile: outcome?.kind === 'result' ? outcome.profile : null,
    text: outcome?.kind === 'failure' ? `${outcome.error.code} ${outcome.error.message}` : waitingText(state, status),
  }))
}

function computedRows(state: AppState): readonly BareRow[] {
  const keys = keysOf(state)
  const { look, profiled, runId, current } = state.figure5
  return shownMethods(state).map((method): BareRow => {
    const found = keys ? profiled[keys.of(method)] : undefined
    const row = { method: method.id, profile: null }
    if (found?.kind === 'failed') {
      return { ...row, status: 'failed', text: `${found.error.code} ${found.error.message}` }
    }
    if (found) {
      const profile = found.profiles[look.subject]?.[look.subject === 'error' ? 'quantized' : look.stage] ?? null
      return { ...row, status: 'live', profile, text: profile ? null : unquantizedText(state) }
    }
    const status = runId !== null && current === method.id ? 'running' : 'waiting'
    return { ...row, status, text: waitingText(state, status) }
  })
}

function unquantizedText({ setup, figure5 }: AppState): string {
  const letter = figure5.look.subject === 'weight' ? 'W' : 'X'
  return `${letter} stays as it is under ${settingLabel(setup.setting.id)}`
}

function waitingText(state: AppState, status: TileStatus): string {
  const { figure5, run, device, source } = state
  const progress = figure5.progress ?? run.progress
  if (status === 'running') {
    return progress && progress.total > 1
      ? `Computing, ${progress.stage} ${progress.done} of ${progress.total}`
      : 'Computing'
  }
  if (device.status === 'unavailable') return 'Needs WebGPU'
  if (source.pendingLink !== null) return 'Waiting for a file'
  return figure5.stopped ? 'Not computed' : 'Waiting'
}
