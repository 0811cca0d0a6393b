/**
 * Computes what the Figure 5 view shows beyond a comparison, while the view is open. Comparisons, sweeps and studies come
 * first: each ends this run, and it goes on with what is missing once they are at rest.
 */
import type { ProfileEvent } from '../experiment/profile-request'
import type { RunEnd } from '../worker/protocol'
import type { StoreContext } from './context'
import {
  chosenTensor,
  type Figure5Look,
  lackingProfiles,
  type Profiled,
  type WantedProfiles,
  wantedProfiles,
} from './figure5'
import { mxChoices } from './mx-choices'
import { askedHeadDim, layerChoice } from './result-keys'
import { layerFacts } from './selectors'
import type { AppState } from './state'

export interface Figure5Actions {
  setFigure5(change: Partial<Figure5Look>): void
  /** Stops what is being computed until something else is shown. */
  cancelFigure5(): void
  /** Asks again for what failed or was stopped. */
  retryFigure5(): void
  /** Starts or stops what the view needs, after anything has changed. */
  advanceFigure5(): void
}

/** Entries kept in memory; the profiles of one take up to 0.8 MB. */
const KEPT_ENTRIES = 96

const AT_REST = { runId: null, plan: [], current: null, progress: null } as const

function bug(error: unknown): RunEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', error: { kind: 'bug', code: 'BUG', message } }
}

/** Nothing that comes first is under way, and the layer is there. */
function isFree(state: AppState): boolean {
  const { device, source, run, sweeps, rotation } = state
  const settled = device.status === 'ready' && !source.restoring && source.pendingLink === null
  const quiet = run.phase === 'idle' && sweeps.phase === 'idle' && rotation.phase === 'idle'
  return settled && quiet && layerFacts(state) !== null
}

export function createFigure5Actions(context: StoreContext): Figure5Actions {
  const { engine, environment, get, patch } = context
  let runs = 0

  const stop = () => {
    const { runId } = get().figure5
    if (runId === null) return
    patch('figure5', AT_REST)
    void engine.cancel(runId)
  }

  const start = async (lacking: readonly WantedProfiles[]) => {
    const state = get()
    const choice = layerChoice(state)
    if (!choice) return
    runs += 1
    const runId = `profiles-${runs}`
    const plan = lacking.map(({ key }) => key)
    patch('figure5', { ...AT_REST, runId, plan, stopped: null })
    const tensor = chosenTensor(state)
    const request = {
      ...mxChoices(state.setup),
      setting: state.setup.setting,
      methods: lacking.flatMap(({ method }) => (method ? [{ id: method.id, options: method.options }] : [])),
      seed: state.setup.seed,
      headDim: askedHeadDim(state, environment.vocabulary.builtIns),
      tensor: tensor && { fileId: tensor.fileId, tensor: tensor.tensor },
    }
    const loaded = wantedProfiles(state).find(({ method }) => method === null)?.key ?? ''
    const keyOf = (id: string) => lacking.find(({ method }) => method?.id === id)?.key ?? ''
    const end = await engine
      .runProfiles(runId, choice, request, (event) => {
        if (get().figure5.runId === runId) receive(context, event, { loaded, keyOf })
      })
      .catch(bug)
    if (get().figure5.runId !== runId) return
    const keys = plan.filter((key) => !Object.hasOwn(get().figure5.profiled, key))
    const silent = end.kind === 'done' && keys.length > 0
    const said = silent ? bug(new Error('The run ended without profiles of every method.')) : end
    // A run that something else has ended is asked for again when that is done.
    patch('figure5', { ...AT_REST, stopped: said.kind === 'failed' ? { keys, end: said } : null })
  }

  return {
    setFigure5: (change) => patch('figure5', { look: { ...get().figure5.look, ...change } }),
    cancelFigure5: () => {
      const { plan, runId } = get().figure5
      if (runId === null) return
      patch('figure5', { stopped: { keys: plan, end: { kind: 'cancelled' } } })
      stop()
    },
    retryFigure5: () => {
      const entries = Object.entries(get().figure5.profiled).filter(([, { kind }]) => kind === 'ready')
      patch('figure5', { profiled: Object.fromEntries(entries), stopped: null })
    },
    advanceFigure5: () => {
      const state = get()
      const { runId, plan, stopped } = state.figure5
      const isOpen = state.view.view === 'figure5'
      if (!isOpen && runId === null) return
      const lacking = isOpen ? lackingProfiles(state) : []
      if (runId !== null) {
        if (!lacking.some(({ key }) => plan.includes(key))) stop()
        return
      }
      if (lacking.length === 0 || !isFree(state)) return
      if (lacking.every(({ key }) => stopped?.keys.includes(key))) return
      void start(lacking)
    },
  }
}

interface Keys {
  readonly loaded: string
  readonly keyOf: (method: string) => string
}

function receive({ get, patch }: StoreContext, event: ProfileEvent, { loaded, keyOf }: Keys): void {
  const keep = (key: string, entry: Profiled) =>
    patch('figure5', { progress: null, profiled: withEntry(get().figure5.profiled, key, entry) })
  if (event.kind === 'started') patch('figure5', { current: event.method, progress: null })
  else if (event.kind === 'progress') patch('figure5', { progress: event.progress })
  else if (event.kind === 'loaded') keep(loaded, { kind: 'ready', profiles: event.profiles })
  else if (event.kind === 'profiled') keep(keyOf(event.method), { kind: 'ready', profiles: event.profiles })
  else keep(keyOf(event.method), { kind: 'failed', error: event.error })
}

/** The entries with one more, the oldest left out when there are too many. */
function withEntry(
  profiled: Readonly<Record<string, Profiled>>,
  key: string,
  entry: Profiled,
): Readonly<Record<string, Profiled>> {
  const others = Object.entries(profiled).filter(([other]) => other !== key)
  return Object.fromEntries([...others.slice(1 - KEPT_ENTRIES), [key, entry]])
}
