/** A comparison on a layer that no buffer holds: loaded for one run, in pieces, and given back after it. */
import { type LayerSources, outlineLayer } from '../experiment/load-layer'
import { fitsWhole } from '../experiment/pieces'
import type { ComparisonRequest } from '../experiment/request'
import type { ComparisonContext } from '../experiment/run-comparison'
import { compareAny, loadAny } from '../experiment/run-pieces'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { RunEvent } from './protocol'

/** True for a layer with a matrix beyond the largest buffer. Throws what outlineLayer throws. */
export function isLarge(sources: LayerSources, { pool }: Gpu): boolean {
  return !fitsWhole(outlineLayer(sources).facts, pool.limitBytes)
}

/** Runs `request` on a layer in pieces. `onLoaded` is called when its bytes are there, or never will be. */
export async function runLarge(
  { sources, request }: { readonly sources: LayerSources; readonly request: ComparisonRequest },
  context: ComparisonContext,
  { onEvent, onLoaded }: { readonly onEvent: (event: RunEvent) => void; readonly onLoaded: () => void },
): Promise<void> {
  const { gpu, signal } = context
  const arena = new Arena(gpu)
  try {
    const load = () => loadAny(sources, request, { gpu, arena, signal })
    const open = await withErrorScopes(gpu, signal, load).finally(onLoaded)
    onEvent({ kind: 'layer', layer: open.layer.facts })
    await compareAny(open, request, context, (event) => {
      if (event.kind !== 'plan') onEvent(event)
    })
  } finally {
    arena.release()
    gpu.pool.trim()
  }
}
