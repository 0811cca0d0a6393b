/** A comparison on a layer of any size: one that no buffer holds is loaded for the run, in pieces, and given back after it. */
import { type LayerSources, outlineLayer } from '../experiment/load-layer'
import { fitsWhole } from '../experiment/pieces'
import { type LayerAccess, runRecovering } from '../experiment/recover'
import type { RunParts } from '../experiment/run-comparison'
import { compareAny, loadAny } from '../experiment/run-pieces'
import { warmUp } from '../experiment/warm-up'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { RunEvent } from './protocol'

/** True for a layer with a matrix beyond the largest buffer. Throws what outlineLayer throws. */
export function isLarge(sources: LayerSources, { pool }: Gpu): boolean {
  return !fitsWhole(outlineLayer(sources).facts, pool.limitBytes)
}

export interface AnySizeParts extends Omit<RunParts, 'emit'> {
  readonly emit: (event: RunEvent) => void
}

/** Runs a comparison. `onLoaded` is called when the bytes of a large layer are there, or never will be. */
export async function runAnySize(access: LayerAccess, parts: AnySizeParts, onLoaded: () => void): Promise<void> {
  const sources = access.sources()
  if (isLarge(sources, parts.context.gpu)) return runLarge(sources, parts, onLoaded)
  const context = { ...parts.context, ready: warmUp(outlineLayer(sources).facts, parts.request, parts.context) }
  await runRecovering(access, { ...parts, context }, ({ facts }) => parts.emit({ kind: 'layer', layer: facts }))
}

/** Runs a comparison on a layer in pieces. */
export async function runLarge(
  sources: LayerSources,
  { request, context, emit }: AnySizeParts,
  onLoaded: () => void,
): Promise<void> {
  const { gpu, signal } = context
  const arena = new Arena(gpu)
  try {
    const load = () => loadAny(sources, request, { gpu, arena, signal })
    const open = await withErrorScopes(gpu, signal, load).finally(onLoaded)
    emit({ kind: 'layer', layer: open.layer.facts })
    await compareAny(open, request, context, emit)
  } finally {
    arena.release()
    gpu.pool.trim()
  }
}
