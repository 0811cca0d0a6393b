import { type LayerSources, type LoadedLayer, loadLayer } from '../experiment/load-layer'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'

export interface LayerRequest {
  /** Two requests with the same key are for the same layer. */
  readonly key: string
  readonly sources: () => LayerSources
  readonly gpu: Gpu
  readonly signal: AbortSignal
}

export interface LayerCache {
  /** Calls `use` with the layer, which stays. */
  use<T>(request: LayerRequest, use: (layer: LoadedLayer) => T | Promise<T>): Promise<T>
  /** Gives the layer back, once every `use` before has ended. */
  drop(): Promise<void>
}

/**
 * Keeps the last layer on the GPU so that a change of setting, or a look at its blocks, does not read the file again.
 * Loads wait for one another. `use` runs with the layer before the next one may replace it; what goes on using the
 * layer afterwards must see to it that nobody asks for another one meanwhile. `onRelease` is called before a layer goes,
 * and lets go of what is kept for it.
 */
export function createLayerCache(onRelease: () => void): LayerCache {
  let cached: { readonly key: string; readonly gpu: Gpu; readonly arena: Arena; readonly layer: LoadedLayer } | null =
    null
  let last: Promise<unknown> = Promise.resolve()

  const release = () => {
    if (cached) onRelease()
    cached?.arena.release()
    cached = null
  }

  const load = async ({ key, sources, gpu, signal }: LayerRequest): Promise<LoadedLayer> => {
    if (cached?.key === key && cached.gpu === gpu) return cached.layer
    release()
    const arena = new Arena(gpu)
    try {
      const layer = await withErrorScopes(gpu, signal, () => loadLayer(sources(), { gpu, arena, signal }))
      cached = { key, gpu, arena, layer }
      return layer
    } catch (error) {
      arena.release()
      gpu.pool.trim()
      throw error
    }
  }

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }

  return {
    use: (request, use) =>
      inTurn(async () => {
        request.signal.throwIfAborted()
        return use(await load(request))
      }),
    drop: () => inTurn(async () => release()),
  }
}
