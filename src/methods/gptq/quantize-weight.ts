/** GPTQ on one weight, for every quantizer (arXiv 2210.17323; docs/methods.md). */
import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { hasExponents } from '../../gpu/kernels/gptq-scales'
import { CHUNK_COLS, gridFor } from '../../gpu/kernels/grid'
import { quantize } from '../../gpu/kernels/quantize'
import { Recorder } from '../../gpu/recorder'
import type { CalibrationPieces, Context, QuantizedWeight } from '../method'
import { once } from '../once'
import { type TriangularFactor, walkColumns } from './columns'
import { factorHessian, factorPlace } from './factor'
import { factorSlabs, gatherDiagonal, gramFits, slabRows } from './factor-slabs'
import { gatherFromPieces, type Hessian, type HessianFacts, sharedHessian } from './hessian'
import { gptqNotes } from './notes'
import type { GptqChoices, ScaleSource } from './options'
import { processingOrder } from './order'

export interface GptqRequest extends GptqChoices {
  readonly quantizer: Quantizer
}

/** Some rows of a weight, rounded. */
export interface GptqResult {
  /** Ŵ [rows, in], every block representable. */
  readonly weight: GpuMatrix
  /** As in QuantizedWeight. */
  readonly pack: NonNullable<QuantizedWeight['pack']>
  /**
   * Σ over rows of (w − ŵ) H (w − ŵ)ᵀ with the damped H of the factor, as the GPU summed d² on the way (f32 per row);
   * null when nothing was factored.
   */
  readonly objective: number | null
}

/** All that rows of a weight share. */
export interface PreparedGptq {
  /** Rows [rows, in] -> the same rows of Ŵ. */
  quantize(rows: GpuMatrix, context: Context): Promise<GptqResult>
  readonly notes: readonly string[]
  /** λ that was used; null when nothing was factored. */
  readonly damping: number | null
}

/**
 * What rounding the rows of a weight needs of the calibration rows, found once for any number of rows; the factor is in the
 * context's arena. A Gram matrix beyond one buffer is kept and factored in slabs of rows.
 * Throws InputError MD-07 for a Hessian that is not finite, MD-05 as factorHessian does, the AbortError of the signal.
 */
export async function prepareGptq(
  calibration: CalibrationPieces,
  request: GptqRequest,
  context: Context,
): Promise<PreparedGptq> {
  if (!gramFits(calibration.channels, context.gpu.pool.limitBytes)) return prepareInSlabs(calibration, request, context)
  const scratch = new Arena(context.gpu)
  try {
    const hessian = await gatherFromPieces(calibration, { ...context, arena: scratch })
    return await prepareFrom(hessian, request, context)
  } finally {
    scratch.release()
  }
}

/** The same of X' that fits whole; Gram matrix and factor are shared by all methods that read them. */
export async function prepareSharedGptq(
  calibration: () => GpuMatrix,
  request: GptqRequest,
  context: Context,
): Promise<PreparedGptq> {
  const found = await once(context, factorName(request), async (own) =>
    findFactor(await sharedHessian(calibration, own), request, own),
  )
  return prepared(found, request)
}

/** The name of the factor among the shared results of its rows: all it depends on beside them. */
export function factorName({ order, damping, quantizer }: Omit<GptqRequest, 'scales'>): string {
  return JSON.stringify(['factor', damping, order, order === 'group-order' ? groupOf(quantizer) : null])
}

async function prepareFrom(hessian: Hessian, request: GptqRequest, context: Context): Promise<PreparedGptq> {
  return prepared(await findFactor(hessian, request, context), request)
}

async function findFactor(hessian: Hessian, request: GptqRequest, context: Context): Promise<Found> {
  checkHessian(hessian)
  const order = processingOrder(request.order, hessian.diagonal, groupOf(request.quantizer))
  if (hessian.meanDiagonal === 0) return { hessian, order, factor: null }
  const place = factorPlace(context.gpu, order.length, request.damping)
  const asked = { order, damping: request.damping, form: 'inverse', place } as const
  const { matrix, damping } = await factorHessian(hessian, asked, context)
  return { hessian, order, factor: { triangle: { blocks: [{ matrix, first: 0 }], coupling: [] }, damping } }
}

async function prepareInSlabs(calibration: CalibrationPieces, request: GptqRequest, context: Context) {
  const hessian = await gatherDiagonal(calibration, context)
  checkHessian(hessian)
  const order = processingOrder(request.order, hessian.diagonal, groupOf(request.quantizer))
  if (hessian.meanDiagonal === 0) return prepared({ hessian, order, factor: null }, request)
  const rows = slabRows(order.length, context.gpu.pool.limitBytes)
  const asked = { order, damping: request.damping, rows }
  const { factor: triangle, damping } = await factorSlabs(calibration, hessian, asked, context)
  return prepared({ hessian, order, factor: { triangle, damping } }, request)
}

interface Found {
  readonly hessian: HessianFacts
  readonly order: Uint32Array<ArrayBuffer>
  /** null when every channel is dead. */
  readonly factor: { readonly triangle: TriangularFactor; readonly damping: number } | null
}

function prepared({ hessian, order, factor }: Found, request: GptqRequest): PreparedGptq {
  const { quantizer } = request
  const scales = availableScales(request.scales, quantizer)
  const damping = factor?.damping ?? null
  return {
    notes: gptqNotes({ hessian, choices: request, scales, damping }),
    damping,
    quantize: async (rows, context) => {
      if (!factor) return roundRows(rows, quantizer, context)
      const target = context.arena.matrix(rows.rows, rows.cols, `${quantizer.format.id} by GPTQ`)
      const scratch = new Arena(context.gpu)
      try {
        const task = { weight: rows, factor: factor.triangle, order, quantizer, scales, target }
        return await walkColumns(task, scratch, context)
      } finally {
        scratch.release()
      }
    },
  }
}

/** Rounding to nearest, where no calibration row says anything. */
function roundRows(rows: GpuMatrix, quantizer: Quantizer, { gpu, arena }: Context): GptqResult {
  const recorder = new Recorder(gpu)
  const kept = copyMatrix(recorder, arena, rows)
  const weight = fakeQuantize(recorder, arena, kept, quantizer)
  recorder.submit()
  const pack: GptqResult['pack'] = (then, inner) => quantize(then, inner, kept, quantizer)
  return { weight, pack, objective: null }
}

/**
 * `weight` rounded so that errors of earlier columns are made up for by later ones: greedily the smallest
 * (w − ŵ) H (w − ŵ)ᵀ per row. `hessianOf` is asked once and may share its answer with others.
 *
 * Shapes: weight [out, in], H [in, in] -> [out, in], every block representable. Where H is diagonal the result is that of
 * rounding to nearest under the same scales; channels no calibration row uses are rounded so in any case. Weights that
 * are f32 subnormals may count as zero.
 * Throws what prepareGptq throws.
 */
export async function quantizeWithGptq(
  weight: GpuMatrix,
  hessianOf: () => Promise<Hessian>,
  request: GptqRequest,
  context: Context,
): Promise<GptqResult & Pick<PreparedGptq, 'notes' | 'damping'>> {
  const scratch = new Arena(context.gpu)
  try {
    const { notes, damping, ...rest } = await prepareFrom(await hessianOf(), request, { ...context, arena: scratch })
    return { ...(await rest.quantize(weight, context)), notes, damping }
  } finally {
    scratch.release()
  }
}

/** Throws InputError MD-07 for a diagonal that is not finite. */
function checkHessian({ diagonal, meanDiagonal }: HessianFacts): void {
  if (Number.isFinite(meanDiagonal)) return
  const channel = diagonal.findIndex((value) => !Number.isFinite(value))
  throw new InputError(
    'MD-07',
    `GPTQ: expected calibration rows whose squares fit f32, found a sum that is not finite at channel ${channel}.`,
  )
}

/** What stands in for scales that `quantizer` cannot have: no exponent to search, no other one to take its place. */
function availableScales(scales: ScaleSource, quantizer: Quantizer): ScaleSource {
  return (scales === 'searched' || scales === 'observer') && !hasExponents(quantizer) ? 'static' : scales
}

/** Channels that group order keeps together: a block, or a chunk where blocks are rows or single elements. */
function groupOf(quantizer: Quantizer): number {
  const { block } = gridFor(quantizer)
  return block === 'row' ? CHUNK_COLS : block
}
