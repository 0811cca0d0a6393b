/** The engine behind the worker's calls: device, open files, one run at a time. Knows nothing of messages. */
import { type ErrorReport, GpuError, InputError, isAbort, reportError } from '../core/errors'
import type { LayerSources, LoadedLayer } from '../experiment/load-layer'
import type { TensorSource } from '../experiment/load-tensor'
import { type ComparisonContext, runComparison } from '../experiment/run-comparison'
import { runSweep } from '../experiment/sweep'
import { mapBlocks, readRow } from '../experiment/tensor-blocks'
import { Arena } from '../gpu/arena'
import { type AdapterFacts, type Gpu, openGpu } from '../gpu/device'
import { blobSource } from '../io/byte-source'
import { type Header, readHeader } from '../io/read-header'
import { createLayerCache } from './layer-cache'
import type { Answer, EngineApi, LayerChoice, RunEnd } from './protocol'

interface OpenFile extends Header {
  readonly source: ReturnType<typeof blobSource>
}

interface ActiveRun {
  readonly id: string
  /** Of its layer. */
  readonly layerKey: string
  readonly controller: AbortController
  /** Settles when the run has let go of the GPU; never rejects. */
  readonly ended: Promise<RunEnd>
}

export interface EngineEnvironment {
  /** navigator.gpu, looked up each time a device is opened. */
  readonly gpu: () => GPU | undefined
  /** Milliseconds from any fixed start. */
  readonly now: () => number
}

/** What a run does with its layer. */
type LayerWork = (layer: LoadedLayer, context: ComparisonContext) => Promise<void>

async function answer<T>(work: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return { ok: false, error: reportError(error) }
  }
}

/** The open device: opened on first use, and again after a loss, of which `onLoss` hears once each time. */
function createDeviceHolder(environment: EngineEnvironment, onLoss: (error: ErrorReport) => void) {
  let opening: Promise<Gpu> | null = null
  const open = async () => {
    try {
      const gpu = await openGpu(environment.gpu())
      gpu.device.lost.then(({ reason, message }) => {
        opening = null
        onLoss({ kind: 'gpu', code: 'GP-04', message: `GPU device lost: "${reason}", "${message}".` })
      })
      return gpu
    } catch (error) {
      opening = null
      throw error
    }
  }
  return {
    get: (): Promise<Gpu> => {
      opening ??= open()
      return opening
    },
    /** Destroys the device, if there is one. */
    destroy: async () => (await opening)?.device.destroy(),
  }
}

/** One run at a time. */
function createRunSlot() {
  let active: ActiveRun | null = null
  return {
    /** Ends the run before, waits until it has let go of the GPU, and does `work` as run `id`. */
    start: (id: string, layerKey: string, work: (signal: AbortSignal) => Promise<RunEnd>): Promise<RunEnd> => {
      const previous = active
      previous?.controller.abort()
      const controller = new AbortController()
      const ended = (previous?.ended ?? Promise.resolve())
        .then(() => work(controller.signal))
        .finally(() => {
          if (active?.id === id) active = null
        })
      active = { id, layerKey, controller, ended }
      return ended
    },
    cancel: (id: string) => {
      if (active?.id === id) active.controller.abort()
    },
    /** Settles while no run of another layer goes on. */
    othersEnded: async (layerKey: string) => {
      while (active && active.layerKey !== layerKey) await active.ended
    },
  }
}

/** Creates an engine; nothing is opened until it is asked for. */
export function createEngine(environment: EngineEnvironment): EngineApi {
  const files = new Map<string, OpenFile>()
  const lossCallbacks = new Set<(error: ErrorReport) => void>()
  const device = createDeviceHolder(environment, (error) => {
    for (const callback of lossCallbacks) callback(error)
  })
  const withLayer = createLayerCache()
  const runs = createRunSlot()
  let filesOpened = 0

  const tensorOf = ({ fileId, tensor: name }: { fileId: string; tensor: string }): TensorSource => {
    const file = files.get(fileId)
    const tensor = file?.tensors.find((candidate) => candidate.name === name)
    if (file && tensor) return { source: file.source, tensor }
    throw new InputError('TS-06', `${file?.source.name ?? `file ${fileId}`}: no tensor "${name}".`)
  }

  const sourcesOf = ({ weight, activations, heldOutShare, tokens }: LayerChoice): LayerSources => ({
    weight: tensorOf(weight),
    activations:
      activations.kind === 'synthetic'
        ? activations
        : { kind: 'captured', calibration: tensorOf(activations), evaluation: null },
    heldOutShare,
    tokens,
    tensors: files.get(weight.fileId)?.tensors ?? [],
  })

  const layerRequest = (gpu: Gpu, choice: LayerChoice, signal: AbortSignal) => ({
    key: JSON.stringify(choice),
    sources: () => sourcesOf(choice),
    gpu,
    signal,
  })

  /** A look into the layer of `choice`, beside a run of the same layer, after a run of another one. */
  const look = async <T>(
    choice: LayerChoice,
    read: (layer: LoadedLayer, scratch: { readonly gpu: Gpu; readonly arena: Arena }) => Promise<T>,
  ): Promise<T> => {
    const gpu = await device.get()
    await runs.othersEnded(JSON.stringify(choice))
    return withLayer(layerRequest(gpu, choice, new AbortController().signal), async (layer) => {
      const arena = new Arena(gpu)
      try {
        return await read(layer, { gpu, arena })
      } catch (error) {
        // Mapping a buffer of a lost device is told as an abort.
        throw isAbort(error) ? new GpuError('GP-04', 'GPU device lost while it was reading.', { cause: error }) : error
      } finally {
        arena.release()
      }
    })
  }

  const execute = async (signal: AbortSignal, choice: LayerChoice, work: LayerWork): Promise<RunEnd> => {
    try {
      signal.throwIfAborted()
      const gpu = await device.get()
      const layer = await withLayer(layerRequest(gpu, choice, signal), (loaded) => loaded)
      signal.throwIfAborted()
      await work(layer, { gpu, signal, now: environment.now })
      return { kind: 'done' }
    } catch (error) {
      return isAbort(error) ? { kind: 'cancelled' } : { kind: 'failed', error: reportError(error) }
    }
  }

  const start = (id: string, choice: LayerChoice, work: LayerWork): Promise<RunEnd> =>
    runs.start(id, JSON.stringify(choice), (signal) => execute(signal, choice, work))

  return {
    openDevice: () => answer<AdapterFacts>(async () => (await device.get()).adapter),
    openFile: (file) =>
      answer(async () => {
        const source = blobSource(file.name, file)
        const header = await readHeader(source)
        const id = `file-${filesOpened++}`
        files.set(id, { source, ...header })
        return { id, name: source.name, byteLength: source.byteLength, ...header }
      }),
    closeFile: async (fileId) => {
      files.delete(fileId)
    },
    run: (id, choice, request, onEvent) =>
      start(id, choice, (layer, context) => {
        onEvent({ kind: 'layer', layer: layer.facts })
        return runComparison(layer, request, context, onEvent)
      }),
    runSweep: (id, choice, request, onEvent) =>
      start(id, choice, (layer, context) => runSweep(layer, request, context, onEvent)),
    cancel: async (id) => runs.cancel(id),
    mapBlocks: (choice, query) => answer(() => look(choice, (layer, scratch) => mapBlocks(layer, query, scratch))),
    readRow: (choice, query) => answer(() => look(choice, (layer, scratch) => readRow(layer, query, scratch))),
    onDeviceLost: async (callback) => {
      lossCallbacks.add(callback)
    },
    loseDevice: () => device.destroy(),
  }
}
