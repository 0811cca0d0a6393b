import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EngineApi } from '../worker/protocol'
import { type BenchActions, createBenchActions } from './bench-actions'
import { type BlocksActions, createBlocksActions, DEFAULT_BLOCKS } from './blocks-view'
import type { StoreContext, StoreEnvironment } from './context'
import { createDeviceActions, type DeviceActions } from './device-actions'
import { createLayerExportActions, DEFAULT_LAYER_EXPORT, type LayerExportActions } from './export-layer'
import { DEFAULT_FIGURE5 } from './figure5'
import { createFigure5Actions, type Figure5Actions } from './figure5-actions'
import { createFindingsActions, DEFAULT_FINDINGS, type FindingsActions } from './findings'
import { createFormatsActions, DEFAULT_FORMATS, type FormatsActions } from './formats-view'
import { createGridActions, DEFAULT_GRID, type GridActions } from './grid-view'
import { createGuideActions, type GuideActions, initialGuide } from './guide'
import { createHighlightActions, DEFAULT_HIGHLIGHT, type HighlightActions } from './highlight'
import { DEFAULT_HISTORY } from './history'
import { createHistoryActions, type HistoryActions } from './history-actions'
import { createLinkActions, type LinkActions } from './link-actions'
import { createOfflineActions, DEFAULT_OFFLINE, type OfflineActions } from './offline'
import { createOpenActions, type OpenActions } from './open-actions'
import { readFolded } from './rail-summary'
import { createRemoteActions, type RemoteActions } from './remote-actions'
import { createRotationActions, type RotationActions } from './rotation-actions'
import { DEFAULT_ROTATION } from './rotation-view'
import { createRunActions, type RunActions } from './run-actions'
import { DEFAULT_SAVED } from './saved-layer'
import { createSavedActions, type SavedActions } from './saved-results'
import { createSetupActions, type SetupActions } from './setup-actions'
import { createSourceActions, type SourceActions } from './source-actions'
import type { AppState } from './state'
import { createSweepActions, type SweepActions } from './sweep-actions'
import { DEFAULT_SWEEPS } from './sweeps'
import { createTableActions, keptTable, type TableActions } from './table-look'
import { createTensorDetailActions, type TensorDetailActions } from './tensor-details'
import { DEFAULT_UNDO } from './undo'
import { createUndoActions, type UndoActions, undoable } from './undo-actions'
import { DEFAULT_VIEW } from './views'
import { DEFAULT_CONTROLS, DEFAULT_HELD_OUT, defaultSetup, type Vocabulary } from './vocabulary'

export interface Actions
  extends SourceActions,
    OpenActions,
    RemoteActions,
    TensorDetailActions,
    SetupActions,
    DeviceActions,
    BenchActions,
    LinkActions,
    RunActions,
    FormatsActions,
    BlocksActions,
    SweepActions,
    Figure5Actions,
    RotationActions,
    SavedActions,
    OfflineActions,
    LayerExportActions,
    HighlightActions,
    TableActions,
    GridActions,
    FindingsActions,
    HistoryActions,
    UndoActions,
    GuideActions {}

/** The facts of the page, what may be done with them, and the names they are made of. */
export interface AppStore extends StoreApi<AppState> {
  readonly actions: Actions
  readonly vocabulary: Vocabulary
}

function initialState(environment: StoreEnvironment): AppState {
  const { vocabulary } = environment
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
      firstToken: 0,
      tokens: null,
      remote: { opening: null, repository: null, error: null },
      fetching: null,
      kept: [],
      details: {},
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
      compiling: false,
      progress: null,
      learning: null,
      cancelled: {},
      end: null,
      results: {},
      facts: {},
      memory: null,
      shown: {},
    },
    device: { status: 'starting', adapter: null, error: null, recovered: false },
    view: {
      view: DEFAULT_VIEW,
      theme: 'auto',
      surface: 'map',
      axes: 'shared',
      pane: 'figures',
      railOpen: false,
      folded: readFolded(environment.memory),
      help: null,
      unknown: [],
    },
    formats: DEFAULT_FORMATS,
    blocks: DEFAULT_BLOCKS,
    sweeps: DEFAULT_SWEEPS,
    figure5: DEFAULT_FIGURE5,
    rotation: DEFAULT_ROTATION,
    saved: DEFAULT_SAVED,
    layerExport: DEFAULT_LAYER_EXPORT,
    history: DEFAULT_HISTORY,
    undo: DEFAULT_UNDO,
    guide: initialGuide(environment),
    highlight: DEFAULT_HIGHLIGHT,
    table: keptTable(environment.memory),
    grid: DEFAULT_GRID,
    findings: DEFAULT_FINDINGS,
    offline: DEFAULT_OFFLINE,
  }
}

/** The one store of the page, over an engine. Nothing starts before `openDevice` and `applyLink` are called. */
export function createAppStore(engine: EngineApi, environment: StoreEnvironment): AppStore {
  const store = createStore<AppState>()(() => initialState(environment))
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
  const opening = createOpenActions(context)
  const sweep = createSweepActions(context)
  const figure5 = createFigure5Actions(context)
  const rotation = createRotationActions(context)
  const saved = createSavedActions(context, opening)
  const link = createLinkActions(context, { ...opening, ...sweep })
  const history = createHistoryActions(context, { ...saved, ...link })
  const plain = {
    ...opening,
    ...createSourceActions(context),
    ...createRemoteActions(context),
    ...createTensorDetailActions(context),
    ...createSetupActions(context),
    ...createDeviceActions(context),
    ...createBenchActions(context),
    ...link,
    ...run,
    ...createFormatsActions(context),
    ...createBlocksActions(context),
    ...sweep,
    ...figure5,
    ...rotation,
    ...saved,
    ...history,
    ...createLayerExportActions(context),
    ...createOfflineActions(context, history),
    ...createHighlightActions(context),
    ...createTableActions(context),
    ...createFindingsActions(context),
    ...createGridActions(context),
    ...createGuideActions(context, link),
  }
  const actions: Actions = { ...plain, ...createUndoActions(context, plain), ...undoable(context, plain) }
  store.subscribe(sweep.advanceSweep)
  store.subscribe(figure5.advanceFigure5)
  store.subscribe(rotation.advanceStudy)
  store.subscribe(rotation.advanceTraining)
  store.subscribe(history.keepFinished)
  store.subscribe(history.showAwaited)
  return { ...store, actions, vocabulary: environment.vocabulary }
}
