/** A comparison that goes on where memory runs out: that method once more in pieces, else with words on what to reduce. */
import { GpuError, MxError } from '../core/errors'
import { Arena } from '../gpu/arena'
import { mebibytes, OutOfMemory } from '../gpu/buffer-pool'
import { withErrorScopes } from '../gpu/error-scope'
import { matrixBytes } from '../gpu/gpu-matrix'
import { meterPool } from '../gpu/memory-meter'
import { type LayerOutline, type LayerSources, type LoadedLayer, outlineLayer } from './load-layer'
import { loadPieces } from './load-pieces'
import { memoryPlan } from './memory-plan'
import { planPieces, refusal } from './pieces'
import type { MethodOutcome } from './result'
import { type Cell, cellsFor, failureOf, planWhole, type RunParts, runWhole, type Stopped } from './run-comparison'
import { planOfPieces, runInPieces, workOf } from './run-pieces'
import { usedTokens, withTokens } from './token-scale'

/** The layer of a run, which can be given back and had again. */
export interface LayerAccess {
  readonly sources: () => LayerSources
  whole(): Promise<LoadedLayer>
  /** Gives its memory back, and all else that is kept for it. */
  drop(): Promise<void>
}

/** A method is tried again with buffers of at most this share of the layer's largest matrix, one after the other. */
const SHARES = [1 / 2, 1 / 4]

/** The fewest tokens that are proposed. */
const LEAST_TOKENS = 32

/**
 * As runComparison, on a layer that fits whole. Where memory runs out in a method, all that the run holds is given back and
 * that method is run again in pieces; where it cannot be, or still does not fit, it fails with GP-03, which says what to
 * reduce. Throws GpuError GP-03 of the same kind where there is no memory for the layer itself.
 */
export async function runRecovering(
  access: LayerAccess,
  parts: RunParts,
  onLayer: (layer: LoadedLayer) => void,
): Promise<void> {
  const { request, context } = parts
  const cells = cellsFor(request, outlineLayer(access.sources()).facts.outDim)
  for (let next = 0; next < cells.length; ) {
    const rest = cells.slice(next)
    const stopped = await untilExhausted(access, { cells: rest, onFirst: next === 0 ? onLayer : null }, parts)
    if (!stopped) return
    await access.drop()
    context.gpu.pool.trim()
    parts.emit({ kind: 'outcome', outcome: await again(access.sources(), stopped, parts) })
    next += stopped.index + 1
  }
}

/** Runs `cells` on the whole layer. Returns the one that memory ran out in; throws where it ran out before the first. */
async function untilExhausted(
  access: LayerAccess,
  { cells, onFirst }: { readonly cells: readonly Cell[]; readonly onFirst: ((layer: LoadedLayer) => void) | null },
  parts: RunParts,
): Promise<Stopped | null> {
  try {
    const layer = await access.whole()
    parts.context.signal.throwIfAborted()
    const plan = await planWhole(layer, cells, parts)
    onFirst?.(layer)
    if (onFirst) parts.emit({ kind: 'plan', plan })
    return await runWhole(layer, { cells, plan }, parts)
  } catch (error) {
    if (!(error instanceof OutOfMemory)) throw error
    await access.drop()
    parts.context.gpu.pool.trim()
    throw await advice(access.sources(), { cells, error }, parts)
  }
}

/** The outcome of a method that memory ran out in: from smaller and smaller pieces, else the failure. */
async function again(sources: LayerSources, { cell, error }: Stopped, parts: RunParts): Promise<MethodOutcome> {
  const outline = outlineLayer(sources)
  for (const share of SHARES) {
    const outcome = await inPieces(sources, { outline, cell, share }, parts)
    if (outcome === 'impossible') break
    if (outcome !== 'exhausted') return outcome
  }
  return failureOf(cell, await advice(sources, { cells: [cell], error }, parts))
}

/** One method in pieces: its outcome, or why there is none. */
async function inPieces(
  sources: LayerSources,
  { outline, cell, share }: { readonly outline: LayerOutline; readonly cell: Cell; readonly share: number },
  { request, context, emit }: RunParts,
): Promise<MethodOutcome | 'impossible' | 'exhausted'> {
  const { facts } = outline
  const limitBytes = Math.floor(share * largestMatrix(outline))
  const plan = piecesOf(cell, outline, limitBytes)
  if (!plan) return 'impossible'
  const { signal } = context
  const gpu = { ...context.gpu, pool: meterPool(context.gpu.pool, { base: 0, limitBytes }) }
  const arena = new Arena(gpu)
  const found: MethodOutcome[] = []
  try {
    const layer = await withErrorScopes(gpu, signal, () =>
      loadPieces(sources, { outline, plan }, { gpu, arena, signal }),
    )
    emit({ kind: 'plan', plan: planOfPieces(layer, [cell]) })
    const take: RunParts['emit'] = (event) => (event.kind === 'outcome' ? found.push(event.outcome) : emit(event))
    const stopped = await runInPieces(layer, [cell], { request, context: { ...context, gpu }, emit: take })
    return stopped ? 'exhausted' : told(found[0], facts.outDim, plan.weightPieces)
  } catch (error) {
    if (error instanceof OutOfMemory) return 'exhausted'
    throw error
  } finally {
    arena.release()
    gpu.pool.trim()
  }
}

/** The outcome with a note on how it was had. */
function told(outcome: MethodOutcome, rows: number, pieces: number): MethodOutcome {
  if (outcome.kind === 'failure') return outcome
  const note = `GPU memory ran out, so the ${rows} rows of the weight were taken in ${pieces} pieces.`
  return { ...outcome, notes: [...outcome.notes, note] }
}

function largestMatrix({ facts: { outDim, inDim, calibrationTokens, evaluationTokens } }: LayerOutline): number {
  const tokens = Math.max(calibrationTokens, evaluationTokens)
  return Math.max(matrixBytes(outDim, inDim), matrixBytes(tokens, inDim), matrixBytes(tokens, outDim))
}

/** The pieces of a layer for one method; null where it cannot be had in pieces. */
function piecesOf(cell: Cell, { facts }: LayerOutline, limitBytes: number) {
  const work = workOf(cell)
  const limits = { limitBytes, scale: null }
  if (refusal(work, facts, limits)) return null
  try {
    return planPieces(facts, [work], limits)
  } catch (error) {
    if (error instanceof MxError) return null
    throw error
  }
}

/** The error of cells that memory ran out in: what they need, and what would make it less. */
async function advice(
  sources: LayerSources,
  { cells, error }: { readonly cells: readonly Cell[]; readonly error: OutOfMemory },
  { request, context }: RunParts,
): Promise<GpuError> {
  const { headDim, scaleAnalysis } = request
  const { pool, adapter } = context.gpu
  const device = { headDim, scaleAnalysis, limitBytes: pool.limitBytes, isSoftware: adapter.isSoftware }
  const planAt = (tokens: number | null) => {
    const { facts } = outlineLayer(tokens === null ? sources : withTokens(sources, tokens))
    return memoryPlan({ ...facts, ...device }, cells)
  }
  const plan = await planAt(null)
  // What was there when a buffer could not be had; where that is not known, half of what was planned.
  const available = error.lacking?.liveBytes ?? plan.peakBytes / 2
  const tokens = await mostTokens(usedTokens(sources), async (count) => (await planAt(count)).peakBytes <= available)
  const what = cells.length === 1 ? cells[0].identity.method : 'this run'
  const needed = `${what} needs about ${mebibytes(plan.peakBytes)} of GPU memory at once (weight ${mebibytes(plan.weightBytes)}, activations ${mebibytes(plan.activationBytes)}, outputs ${mebibytes(plan.referenceBytes)}), and it ran out`
  const help =
    tokens === null
      ? `No number of tokens would help, since the weight itself is too large: use fewer of its rows, or leave ${what} out.`
      : `Use ${tokens} of ${usedTokens(sources)} tokens, which need ${mebibytes((await planAt(tokens)).peakBytes)}, or leave ${what} out.`
  return new GpuError('GP-03', `${needed}. ${help}`, {
    cause: error,
    proposal: tokens === null ? null : { kind: 'tokens', tokens },
  })
}

/** The largest power of two below `tokens` that `fits`; null where none of LEAST_TOKENS or more does. */
async function mostTokens(tokens: number, fits: (tokens: number) => Promise<boolean>): Promise<number | null> {
  let count = 2 ** Math.ceil(Math.log2(tokens) - 1)
  for (; count >= LEAST_TOKENS; count /= 2) if (await fits(count)) return count
  return null
}
