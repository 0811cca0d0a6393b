/** The engine behind the worker's calls: device, open files, one run at a time. Knows nothing of messages. */
import { type ErrorReport, InputError, isAbort, reportError } from '../core/errors'
import { type LayerSources, type LoadedLayer, loadLayer } from '../experiment/load-layer'
import type { TensorSource } from '../experiment/load-tensor'
import { runComparison } from '../experiment/run-comparison'
import { Arena } from '../gpu/arena'
import { type AdapterFacts, type Gpu, openGpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import { blobSource } from '../io/byte-source'
import { type Header, readHeader } from '../io/read-header'
import type { Answer, EngineApi, LayerChoice, RunEnd } from './protocol'

interface OpenFile extends Header {
  readonly source: ReturnType<typeof blobSource>
}

interface ActiveRun {
  readonly id: string
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

/** Keeps the last layer on the GPU so that a change of setting does not read the file again. */
function createLayerCache() {
  let cached: { key: string; gpu: Gpu; arena: Arena; layer: LoadedLayer } | null = null
  return async (gpu: Gpu, sources: { key: string; of: () => LayerSources }, signal: AbortSignal) => {
    if (cached?.key === sources.key && cached.gpu === gpu) return cached.layer
    // Buffers of a lost device are gone with it.
    if (cached?.gpu === gpu) cached.arena.release()
    cached = null
    const arena = new Arena(gpu)
    try {
      const layer = await withErrorScopes(gpu, signal, () => loadLayer(sources.of(), { gpu, arena, signal }))
      cached = { key: sources.key, gpu, arena, layer }
      return layer
    } catch (error) {
      arena.release()
      gpu.pool.trim()
      throw error
    }
  }
}

/** Creates an engine; nothing is opened until it is asked for. */
export function createEngine(environment: EngineEnvironment): EngineApi {
  const files = new Map<string, OpenFile>()
  const lossCallbacks = new Set<(error: ErrorReport) => void>()
  const device = createDeviceHolder(environment, (error) => {
    for (const callback of lossCallbacks) callback(error)
  })
  const layerFor = createLayerCache()
  let active: ActiveRun | null = null
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

  const execute = async (signal: AbortSignal, ...[choice, request, onEvent]: RunParameters): Promise<RunEnd> => {
    try {
      signal.throwIfAborted()
      const gpu = await device.get()
      const key = JSON.stringify(choice)
      const layer = await layerFor(gpu, { key, of: () => sourcesOf(choice) }, signal)
      signal.throwIfAborted()
      onEvent({ kind: 'layer', layer: layer.facts })
      await runComparison(layer, request, { gpu, signal, now: environment.now }, onEvent)
      return { kind: 'done' }
    } catch (error) {
      return isAbort(error) ? { kind: 'cancelled' } : { kind: 'failed', error: reportError(error) }
    }
  }

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
    run: (id, ...parameters) => {
      const previous = active
      previous?.controller.abort()
      const controller = new AbortController()
      const ended = (previous?.ended ?? Promise.resolve()).then(() => execute(controller.signal, ...parameters))
      active = { id, controller, ended }
      return ended
    },
    cancel: async (id) => {
      if (active?.id === id) active.controller.abort()
    },
    onDeviceLost: async (callback) => {
      lossCallbacks.add(callback)
    },
    loseDevice: () => device.destroy(),
  }
}

type RunParameters = Parameters<EngineApi['run']> extends [string, ...infer Rest] ? Rest : never
