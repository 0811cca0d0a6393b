/** The engine behind the worker's calls: device, open files, one run at a time. Knows nothing of messages. */
import { type ErrorReport, GpuError, isAbort, reportError } from '../core/errors'
import type { Progress } from '../core/progress'
import { VERSION_TEXT } from '../core/version'
import { runShortBench } from '../experiment/bench/short-bench'
import { exportLayer } from '../experiment/export-layer'
import type { LoadedLayer } from '../experiment/load-layer'
import { profileOperands } from '../experiment/operand-profile'
import { runOutlierStudy } from '../experiment/outlier-study'
import { explainRotation } from '../experiment/rotation-causes'
import type { ComparisonContext } from '../experiment/run-comparison'
import { createWorkCache } from '../experiment/shared-work'
import { cellAt, runSweep } from '../experiment/sweep'
import { mapBlocks, readRow } from '../experiment/tensor-blocks'
import { tensorStatistics } from '../experiment/tensor-statistics'
import { warmUp } from '../experiment/warm-up'
import { Arena } from '../gpu/arena'
import { type AdapterFacts, type Gpu, openGpu } from '../gpu/device'
import { NO_MEMORY, type TuningMemory, tuneGpu } from '../gpu/tuning/tune'
import { createCancellable } from './cancellable'
import { createLayerCache, type LayerCache } from './layer-cache'
import { createOpenFiles, type Network } from './open-files'
import type { Answer, EngineApi, LayerChoice, RunEnd } from './protocol'
import { runAnySize } from './run-large'

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
  /** Where the fastest kernels of an adapter are kept; absent: they are found again with each device. */
  readonly tuning?: TuningMemory
  /** How servers are reached; absent: by fetch, as outside a page. */
  readonly network?: Network
}

/** The layer key of a run that generates its layers. */
const NO_LAYER = ''

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
      const opened = await openGpu(environment.gpu())
      const { now, tuning: memory = NO_MEMORY } = environment
      const gpu = await tuneGpu(opened, { now, memory, version: VERSION_TEXT })
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

/** `use` of a cache, which also says when the bytes of a layer are there, or never will be. */
function endingReading({ use: withLayer }: LayerCache, end: () => void): LayerCache['use'] {
  return (request, use) =>
    withLayer(request, (layer) => {
      end()
      return use(layer)
    }).catch((error: unknown) => {
      end()
      throw error
    })
}

/** The calls that say what tensors are made of; they wait for no run. */
function describeTensors(
  { tensorOf, endReading }: Pick<ReturnType<typeof createOpenFiles>, 'tensorOf' | 'endReading'>,
  openDevice: () => Promise<Gpu>,
): Pick<EngineApi, 'describeTensor' | 'cancelDescription'> {
  const descriptions = createCancellable()
  return {
    describeTensor: (id, ref) =>
      descriptions.start(id, async (signal) =>
        tensorStatistics(tensorOf(ref, signal), { gpu: await openDevice(), signal }).finally(endReading),
      ),
    cancelDescription: async (id) => descriptions.cancel(id),
  }
}

/** Runs on a layer that say how far they are, and at the end what they found. */
function runsOfOneAnswer(
  start: (id: string, choice: LayerChoice, work: LayerWork) => Promise<RunEnd>,
): Pick<EngineApi, 'runExplanation' | 'exportLayer'> {
  return {
    runExplanation: (id, choice, query, onEvent) =>
      start(id, choice, async (layer, context) => {
        const onProgress = (progress: Progress) => onEvent({ kind: 'progress', progress })
        onEvent({ kind: 'explained', causes: await explainRotation(layer, query, { ...context, onProgress }) })
      }),
    exportLayer: (id, choice, request, onEvent) =>
      start(id, choice, async (layer, context) => {
        const onProgress = (progress: Progress) => onEvent({ kind: 'progress', progress })
        onEvent({ kind: 'exported', exported: await exportLayer(layer, request, { ...context, onProgress }) })
      }),
  }
}

/** Does the work of a run on the open device and says how it ended. */
function createExecutor(openDevice: () => Promise<Gpu>, { now }: EngineEnvironment) {
  return async (signal: AbortSignal, work: (context: ComparisonContext) => Promise<void>): Promise<RunEnd> => {
    try {
      signal.throwIfAborted()
      await work({ gpu: await openDevice(), signal, now })
      return { kind: 'done' }
    } catch (error) {
      return isAbort(error) ? { kind: 'cancelled' } : { kind: 'failed', error: reportError(error) }
    }
  }
}

/** Creates an engine; nothing is opened until it is asked for. */
export function createEngine(environment: EngineEnvironment): EngineApi {
  const files = createOpenFiles(() => environment.network ?? { fetch })
  const lossCallbacks = new Set<(error: ErrorReport) => void>()
  const device = createDeviceHolder(environment, (error) => {
    for (const callback of lossCallbacks) callback(error)
  })
  const shared = createWorkCache()
  const layers = createLayerCache(shared.clear)
  const withLayer = endingReading(layers, files.endReading)
  const runs = createRunSlot()
  const { tensorOf } = files

  const layerRequest = (gpu: Gpu, choice: LayerChoice, signal: AbortSignal) => ({
    key: JSON.stringify(choice),
    sources: () => files.sourcesOf(choice, signal),
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

  const execute = createExecutor(device.get, environment)

  const start = (id: string, choice: LayerChoice, work: LayerWork): Promise<RunEnd> =>
    runs.start(id, JSON.stringify(choice), (signal) =>
      execute(signal, async (context) => {
        const layer = await withLayer(layerRequest(context.gpu, choice, signal), (loaded) => loaded)
        signal.throwIfAborted()
        await work(layer, { ...context, work: shared })
      }),
    )

  return {
    openDevice: () => answer<AdapterFacts>(async () => (await device.get()).adapter),
    openFile: (file) => answer(() => files.openFile(file)),
    openUrl: files.openUrl,
    listRepository: files.listRepository,
    cancelOpening: async (id) => files.cancelOpening(id),
    joinFiles: (fileIds) => answer(() => files.joinFiles(fileIds)),
    closeFile: async (fileId) => {
      files.closeFile(fileId)
    },
    onReading: async (callback) => {
      files.onReading(callback)
    },
    run: (id, choice, request, onEvent) =>
      runs.start(id, JSON.stringify(choice), (signal) =>
        execute(signal, async (context) => {
          const access = {
            sources: () => files.sourcesOf(choice, signal),
            whole: () => withLayer(layerRequest(context.gpu, choice, signal), (loaded) => loaded),
            drop: layers.drop,
          }
          await runAnySize(access, { request, context: { ...context, work: shared }, emit: onEvent }, files.endReading)
        }),
      ),
    runSweep: (id, choice, request, onEvent) =>
      start(id, choice, (layer, context) => {
        const ready = warmUp(layer.facts, cellAt(request, request.values[0]), context)
        return runSweep(layer, request, { ...context, ready }, onEvent)
      }),
    runProfiles: (id, choice, request, onEvent) =>
      start(id, choice, (layer, context) => {
        const weight = tensorOf(choice.weight).tensor
        const foreign = request.tensor && { source: tensorOf(request.tensor, context.signal), weight }
        return profileOperands(layer, request, { ...context, work: shared, foreign }, onEvent).finally(files.endReading)
      }),
    runOutlierStudy: (id, request, onEvent) =>
      runs.start(id, NO_LAYER, (signal) => execute(signal, (context) => runOutlierStudy(request, context, onEvent))),
    runBench: (id, host, onEvent) =>
      runs.start(id, NO_LAYER, (signal) => execute(signal, (context) => runShortBench(host, context, onEvent))),
    ...runsOfOneAnswer(start),
    cancel: async (id) => runs.cancel(id),
    mapBlocks: (choice, query) => answer(() => look(choice, (layer, scratch) => mapBlocks(layer, query, scratch))),
    readRow: (choice, query) => answer(() => look(choice, (layer, scratch) => readRow(layer, query, scratch))),
    explainRotation: (choice, query) =>
      answer(() =>
        look(choice, (layer, { gpu }) => explainRotation(layer, query, { gpu, signal: new AbortController().signal })),
      ),
    ...describeTensors(files, device.get),
    onDeviceLost: async (callback) => {
      lossCallbacks.add(callback)
    },
    loseDevice: () => device.destroy(),
  }
}
