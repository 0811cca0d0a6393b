/** A comparison on a layer of any size: whole where it fits, else in pieces. */
import type { UnsupportedError } from '../core/errors'
import { Arena } from '../gpu/arena'
import { type LayerSources, type LoadedLayer, loadLayer, outlineLayer } from './load-layer'
import { loadPieces, type PiecewiseLayer } from './load-pieces'
import type { LoadContext } from './load-tensor'
import { measureInPieces, type PieceRows, referencePieces } from './measure-pieces'
import type { MemoryPlan } from './memory-plan'
import { fitsWhole, type LayerShape, type PieceLimits, type PieceWork, planPieces, refusal } from './pieces'
import type { ComparisonRequest } from './request'
import {
  type Cell,
  type ComparisonContext,
  type ComparisonEvent,
  cellsFor,
  meteredContext,
  type RunParts,
  type RunSubject,
  runAll,
  runCells,
  runComparison,
  type Stopped,
} from './run-comparison'
import { tokenScale } from './token-scale'

/** A layer as a comparison takes it. */
export type AnyLayer =
  | { readonly kind: 'whole'; readonly layer: LoadedLayer }
  | { readonly kind: 'pieces'; readonly layer: PiecewiseLayer; readonly limits: PieceLimits }

/** A cell as its plan in pieces has it. */
export const workOf = ({ method, quantizers, identity }: Cell): PieceWork => ({
  method,
  quantizers,
  headDim: quantizers.output ? identity.headDim : null,
})

/**
 * Uploads the layer of a comparison: whole where every matrix of it fits one buffer, else in pieces. Throws before anything
 * is read: what outlineLayer throws, InputError for what `request` names and does not exist, UnsupportedError GP-02 where
 * not even pieces fit, and GP-06 where none of its methods works in pieces. Throws what loading throws.
 */
export async function loadAny(
  sources: LayerSources,
  request: ComparisonRequest,
  context: LoadContext,
): Promise<AnyLayer> {
  const outline = outlineLayer(sources)
  const { facts } = outline
  const { limitBytes } = context.gpu.pool
  if (fitsWhole(facts, limitBytes)) return { kind: 'whole', layer: await loadLayer(sources, context) }
  const works = cellsFor(request, facts.outDim).map(workOf)
  const limits = { limitBytes, scale: tokenScale(sources) }
  const plan = planPieces(facts, possibleWorks(works, facts, limits), limits)
  return { kind: 'pieces', layer: await loadPieces(sources, { outline, plan }, context), limits }
}

/** The works that can be done in pieces. Throws what refuses the first one where there is none. */
function possibleWorks(works: readonly PieceWork[], shape: LayerShape, limits: PieceLimits): PieceWork[] {
  const refused = works.map((work) => refusal(work, shape, limits))
  const [first] = refused
  if (first && !refused.includes(null)) throw first
  return works.filter((_, index) => refused[index] === null)
}

/** Of cells that cannot be done in pieces, why. */
type Refusals = ReadonlyMap<Cell, UnsupportedError>

const NO_REFUSALS: Refusals = new Map()

/** The plan of a layer in pieces as every run tells it. */
export function planOfPieces(
  { plan }: Pick<PiecewiseLayer, 'plan'>,
  cells: readonly Cell[],
  refusals: Refusals = NO_REFUSALS,
): MemoryPlan {
  const { peakBytes, residentBytes, limitBytes } = plan
  const { weight, activations, reference } = residentBytes
  const bytes = peakBytes - weight - activations - reference
  return {
    ...{ peakBytes, weightBytes: weight, activationBytes: activations, referenceBytes: reference, limitBytes },
    methods: cells.map((cell) => {
      const { method, setting } = cell.identity
      const refusal = refusals.get(cell)?.message
      return refusal === undefined ? { method, setting, bytes } : { method, setting, bytes: 0, refusal }
    }),
    pieces: plan,
  }
}

/**
 * As runComparison, for a layer of either kind. In pieces a method that needs the layer whole is named by the plan, yields
 * a failure GP-06 and costs no work.
 */
export async function compareAny(
  open: AnyLayer,
  request: ComparisonRequest,
  context: ComparisonContext,
  emit: (event: ComparisonEvent) => void,
): Promise<void> {
  if (open.kind === 'whole') return runComparison(open.layer, request, context, emit)
  const { layer, limits } = open
  const cells = cellsFor(request, layer.facts.outDim)
  const refusals: Refusals = new Map(
    cells.flatMap((cell) => {
      const error = refusal(workOf(cell), layer.facts, limits)
      return error ? [[cell, error] as const] : []
    }),
  )
  emit({ kind: 'plan', plan: planOfPieces(layer, cells, refusals) })
  await runAll(cells, (rest) => runInPieces(layer, rest, { request, context, emit }, refusals), emit)
}

/**
 * Runs `cells` on a layer in pieces, but for those in `refusals`, which fail. Returns the cell that memory ran out in;
 * throws as runComparison does.
 */
export async function runInPieces(
  layer: PiecewiseLayer,
  cells: readonly Cell[],
  parts: RunParts,
  refusals: Refusals = NO_REFUSALS,
): Promise<Stopped | null> {
  const { name, weightBits, facts, plan } = layer
  const { outDim, inDim } = facts
  const { weight, activations } = plan.residentBytes
  const context = meteredContext(parts.context, weight + activations)
  const arena = new Arena(context.gpu)
  try {
    const measured = measurerOf(layer, parts.request, arena)
    const measure: RunSubject['measure'] = (cell, own) => {
      const error = refusals.get(cell)
      return error ? Promise.reject(error) : measured(cell, own)
    }
    const subject = { name, outDim, inDim, weightBits, plannedBytes: () => plan.peakBytes, measure, kept: null }
    return await runCells(cells, subject, { ...parts, context })
  } finally {
    arena.release()
    context.gpu.pool.trim()
  }
}

/** How a cell is measured; reference outputs are computed for the first one that needs them, into `arena`. */
function measurerOf(layer: PiecewiseLayer, request: ComparisonRequest, arena: Arena): RunSubject['measure'] {
  let rows: PieceRows | null = null
  return async (cell, context) => {
    const { method, quantizers, identity } = cell
    rows ??= await referencePieces(layer, { ...context, arena })
    const { weight, activation, output } = quantizers
    const { headDim, options } = identity
    const input = {
      config: { weight, activation },
      options,
      headDim: request.headDim,
      output: output && headDim !== null ? { quantizer: output, headDim } : null,
    }
    const measured = await measureInPieces(method, { layer, rows, input }, context)
    context.gpu.pool.trim()
    if (!request.scaleAnalysis) return measured
    return { ...measured, notes: [...measured.notes, 'The scale analysis needs the layer whole and was left out.'] }
  }
}
