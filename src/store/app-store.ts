import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EngineApi } from '../worker/protocol'
import { type BlocksActions, createBlocksActions, DEFAULT_BLOCKS } from './blocks-view'
import type { StoreContext, StoreEnvironment } from './context'
import { createDeviceActions, type DeviceActions } from './device-actions'
import { createFormatsActions, DEFAULT_FORMATS, type FormatsActions } from './formats-view'
import { createLinkActions, type LinkActions } from './link-actions'
import { createRunActions, type RunActions } from './run-actions'
import { createSetupActions, type SetupActions } from './setup-actions'
import { createSourceActions, type SourceActions } from './source-actions'
import type { AppState } from './state'
import { createSweepActions, type SweepActions } from './sweep-actions'
import { DEFAULT_SWEEPS } from './sweeps'
import { DEFAULT_VIEW } from './views'
import { DEFAULT_CONTROLS, DEFAULT_HELD_OUT, defaultSetup, type Vocabulary } from './vocabulary'

export interface Actions
  extends SourceActions,
    SetupActions,
    DeviceActions,
    LinkActions,
    RunActions,
    FormatsActions,
    BlocksActions,
    SweepActions {}

/** The facts of the page, what may be done with them, and the names they are made of. */
export interface AppStore extends StoreApi<AppState> {
  readonly actions: Actions
  readonly vocabulary: Vocabulary
}

function initialState(vocabulary: Vocabulary): AppState {
  return {
    source: {
      files: [],
      active: null,
      reading: [],
      problems: [],
      weight: null,
      activations: { kind: 'synthetic' },
      synthetic: DEFAULT_CONTROLS,
      heldOutShare: DEFAULT_HELD_OUT,
      tokens: null,
      pendingLink: null,
      restoring: true,
      notes: [],
    },
    setup: defaultSetup(vocabulary),
    run: {
      phase: 'idle',
      runId: null,
      plan: [],
      current: null,
      progress: null,
      losses: [],
      end: null,
      results: {},
      facts: {},
      shown: {},
    },
    device: { status: 'starting', adapter: null, error: null, recovered: false },
    view: { view: DEFAULT_VIEW, theme: 'auto', surface: 'map', pane: 'figures', railOpen: false, unknown: [] },
    formats: DEFAULT_FORMATS,
    blocks: DEFAULT_BLOCKS,
    sweeps: DEFAULT_SWEEPS,
  }
}

/** The one store of the page, over an engine. Nothing starts before `openDevice` and `applyLink` are called. */
export function createAppStore(engine: EngineApi, environment: StoreEnvironment): AppStore {
  const store = createStore<AppState>()(() => initialState(environment.vocabulary))
  let timer: ReturnType<typeof setTimeout> | undefined
  const context: StoreContext = {
    engine,
    environment,
    get: store.getState,
    patch: (slice, change) => store.setState((state) => ({ [slice]: { ...state[slice], ...change } })),
    schedule: () => {
      clearTimeout(timer)
      if (store.getState().run.phase !== 'cancelling') context.patch('run', { phase: 'scheduled' })
      timer = setTimeout(run.run, environment.debounceMs)
    },
  }
  const run = createRunActions(context)
  const source = createSourceActions(context)
  const sweep = createSweepActions(context)
  const actions: Actions = {
    ...source,
    ...createSetupActions(context),
    ...createDeviceActions(context),
    ...createLinkActions(context, { ...source, ...sweep }),
    ...run,
    ...createFormatsActions(context),
    ...createBlocksActions(context),
    ...sweep,
  }
  store.subscribe(sweep.advanceSweep)
  return { ...store, actions, vocabulary: environment.vocabulary }
}
