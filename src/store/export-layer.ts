/** The quantized layer as a file: what can be asked for, and the run that writes it. */
import type { Progress } from '../core/progress'
import type { ExportedLayer, ExportLayout } from '../experiment/export-request'
import type { RunEnd } from '../worker/protocol'
import type { StoreContext } from './context'
import { mxChoices } from './mx-choices'
import { askedHeadDim, layerChoice } from './result-keys'
import { pageState } from './selectors'
import type { AppState } from './state'

/** What an export was asked for. */
export interface ExportChoice {
  readonly method: string
  readonly layout: ExportLayout
}

export interface LayerExportSlice {
  readonly runId: string | null
  readonly asked: ExportChoice | null
  readonly progress: Progress | null
  /** The file, once it is written and read back. */
  readonly exported: ExportedLayer | null
  /** How the last export ended; null before the first and while one is going. */
  readonly end: RunEnd | null
}

export const DEFAULT_LAYER_EXPORT: LayerExportSlice = {
  runId: null,
  asked: null,
  progress: null,
  exported: null,
  end: null,
}

export interface LayerExportActions {
  /** Quantizes the layer once more with a shown method and keeps the file. */
  exportLayer(choice: ExportChoice): Promise<void>
  cancelExport(): void
  /** Lets the file go: it is as large as the layer. */
  dropExport(): void
}

/** Why no layer can be exported now; null where one can. */
export function exportObstacle(state: AppState): string | null {
  if (layerChoice(state) === null) return 'No layer is open: results of a file hold no weights.'
  const page = pageState(state)
  if (state.layerExport.runId === null && (page === 'computing' || page === 'boot' || page === 'reading')) {
    return 'The page is computing. Export the layer when it has finished.'
  }
  return state.device.status === 'ready' ? null : 'This needs WebGPU.'
}

/** The file on hand, where it is what `choice` asks for. */
export function exportedLayer({ layerExport }: AppState, { method, layout }: ExportChoice): ExportedLayer | null {
  const { asked, exported } = layerExport
  return asked?.method === method && asked.layout === layout ? exported : null
}

function bug(error: unknown): RunEnd {
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', error: { kind: 'bug', code: 'BUG', message } }
}

export function createLayerExportActions({ engine, environment, get, patch }: StoreContext): LayerExportActions {
  let runs = 0
  return {
    exportLayer: async (asked) => {
      const state = get()
      const choice = layerChoice(state)
      const method = state.setup.methods.find(({ id }) => id === asked.method)
      if (!choice || !method || exportObstacle(state) !== null) return
      runs += 1
      const runId = `export-${runs}`
      patch('layerExport', { ...DEFAULT_LAYER_EXPORT, runId, asked })
      const { setup } = state
      const request = {
        ...mxChoices(setup),
        setting: setup.setting,
        method: { id: method.id, options: method.options },
        seed: setup.seed,
        headDim: askedHeadDim(state, environment.vocabulary.builtIns),
        layout: asked.layout,
      }
      const end = await engine
        .exportLayer(runId, choice, request, (event) => {
          if (get().layerExport.runId !== runId) return
          if (event.kind === 'progress') patch('layerExport', { progress: event.progress })
          else patch('layerExport', { exported: event.exported })
        })
        .catch(bug)
      if (get().layerExport.runId !== runId) return
      const silent = end.kind === 'done' && get().layerExport.exported === null
      const said = silent ? bug(new Error('The export ended without a file.')) : end
      patch('layerExport', { runId: null, progress: null, end: said })
    },
    cancelExport: () => {
      const { runId } = get().layerExport
      if (runId !== null) void engine.cancel(runId)
    },
    dropExport: () => {
      const { runId } = get().layerExport
      if (runId !== null) void engine.cancel(runId)
      patch('layerExport', DEFAULT_LAYER_EXPORT)
    },
  }
}
