/** GPTQ on one weight, for every quantizer (arXiv 2210.17323; docs/methods.md). */
import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { type ColumnWork, ERROR_COLS, gptqColumns } from '../../gpu/kernels/gptq-columns'
import { gptqGather } from '../../gpu/kernels/gptq-gather'
import {
  type BlockScales,
  beginScales,
  hasExponents,
  observeScales,
  searchScales,
  updateScales,
} from '../../gpu/kernels/gptq-scales'
import { CHUNK_COLS, gridFor } from '../../gpu/kernels/grid'
import { literalFactor, preDivide, preMultiply } from '../../gpu/kernels/pre-scale'
import { subtractProduct } from '../../gpu/kernels/subtract-product'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { operationsPerSubmit, pacedSubmit } from '../pace'
import { factorHessian, factorPlace } from './factor'
import type { Hessian } from './hessian'
import { gptqNotes } from './notes'
import type { GptqChoices, ScaleSource } from './options'
import { processingOrder } from './order'

export interface GptqRequest extends GptqChoices {
  readonly quantizer: Quantizer
}

export interface GptqResult {
  /** Ŵ [out, in], every block representable. */
  readonly weight: GpuMatrix
  readonly notes: readonly string[]
  /**
   * Σ over rows of (w − ŵ) H (w − ŵ)ᵀ with the damped H of the factor, as the GPU summed d² on the way (f32 per row);
   * null when nothing was factored.
   */
  readonly objective: number | null
  /** λ that was used; null when nothing was factored. */
  readonly damping: number | null
}

const STAGE = 'GPTQ columns'

/**
 * `weight` rounded so that errors of earlier columns are made up for by later ones: greedily the smallest
 * (w − ŵ) H (w − ŵ)ᵀ per row. `hessianOf` is asked once and may share its answer with others.
 *
 * Shapes: weight [out, in], H [in, in] -> [out, in], every block representable. Where H is diagonal the result is that of
 * rounding to nearest under the same scales; channels no calibration row uses are rounded so in any case. Weights that
 * are f32 subnormals may count as zero.
 * Throws InputError MD-07 for a Hessian that is not finite, what `factorHessian` throws, the AbortError of the signal.
 */
export async function quantizeWithGptq(
  weight: GpuMatrix,
  hessianOf: () => Promise<Hessian>,
  request: GptqRequest,
  context: Context,
): Promise<GptqResult> {
  const { gpu, arena } = context
  const hessian = await hessianOf()
  checkHessian(hessian, weight)
  const { quantizer } = request
  const scales = availableScales(request.scales, quantizer)
  const facts = { hessian, choices: request, scales }
  if (hessian.meanDiagonal === 0) {
    const recorder = new Recorder(gpu)
    const rounded = fakeQuantize(recorder, arena, weight, quantizer)
    recorder.submit()
    return { weight: rounded, notes: gptqNotes({ ...facts, damping: null }), objective: null, damping: null }
  }
  const scratch = new Arena(gpu)
  try {
    const order = processingOrder(request.order, hessian.diagonal, groupOf(quantizer))
    const place = factorPlace(gpu, weight.cols, request.damping)
    const { matrix: factor, damping } = await factorHessian(
      hessian,
      { order, damping: request.damping, form: 'inverse', place },
      { ...context, arena: scratch },
    )
    const target = arena.matrix(weight.rows, weight.cols, `${quantizer.format.id} by GPTQ`)
    const task = { weight, factor, order, quantizer, scales, target }
    const walked = await walkColumns(task, scratch, context)
    return { ...walked, notes: gptqNotes({ ...facts, damping }), damping }
  } finally {
    scratch.release()
  }
}

function checkHessian({ diagonal, meanDiagonal }: Hessian, weight: GpuMatrix): void {
  if (diagonal.length !== weight.cols) {
    throw new InputError('BUG', `GPTQ: expected a Hessian of ${weight.cols} channels, found ${diagonal.length}.`)
  }
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

interface Task {
  readonly weight: GpuMatrix
  readonly factor: GpuMatrix
  readonly order: Uint32Array<ArrayBuffer>
  readonly quantizer: Quantizer
  readonly scales: ScaleSource
  readonly target: GpuMatrix
}

/** All columns in turn, and what they lose; a literal pre-scale multiplies before and divides after. */
async function walkColumns(task: Task, scratch: Arena, context: Context) {
  const { weight, factor, quantizer, target } = task
  const { gpu } = context
  const recorder = new Recorder(gpu)
  const literal = literalFactor(quantizer)
  const source = literal === null ? weight : preMultiply(recorder, scratch, weight, literal)
  const order = uploadWords(gpu, scratch, paddedOrder(task.order, weight.stride), 'processing order')
  const losses = scratch.buffer(4 * weight.rows, 'GPTQ losses')
  recorder.clear(losses)
  const isFresh = task.scales === 'fresh' && gridFor(quantizer).block !== 'row'
  const state: ColumnWork = {
    work: gptqGather(recorder, scratch, source, order),
    factor,
    order,
    scales: beginScales(recorder, scratch, source, quantizer),
    byPlace: isFresh,
    target,
    errors: scratch.matrix(weight.rows, ERROR_COLS, 'GPTQ errors'),
    losses,
  }
  if (!isFresh) fixScales(recorder, source, state.scales, task)
  await recordColumns(recorder, state, context)
  const result = literal === null ? target : preDivide(recorder, context.arena, target, literal)
  recorder.submit()
  const perRow = await readFloats(gpu, losses, weight.rows)
  // Those of the multiplied weight.
  const objective = perRow.reduce((sum, loss) => sum + loss, 0) / (literal ?? 1) ** 2
  return { weight: result, objective }
}

/** All scales at once, from the weight as it is. */
function fixScales(recorder: Recorder, source: GpuMatrix, blockScales: BlockScales, { scales, quantizer }: Task): void {
  if (scales === 'searched') searchScales(recorder, source, blockScales)
  else if (scales === 'observer' && hasExponents(quantizer)) observeScales(recorder, source, blockScales, quantizer)
  else updateScales(recorder, source, blockScales, { first: 0, end: source.stride })
}

/** Columns in runs of ERROR_COLS, whose errors reach the columns behind them in one product; several runs per submit. */
async function recordColumns(recorder: Recorder, state: ColumnWork, { gpu, signal, onProgress }: Context) {
  const { work, factor, errors } = state
  const submit = pacedSubmit(recorder, signal)
  const budget = operationsPerSubmit(gpu)
  let operations = 0
  for (let begin = 0; begin < work.stride; begin += ERROR_COLS) {
    const end = Math.min(begin + ERROR_COLS, work.stride)
    for (let chunk = begin; chunk < end; chunk += CHUNK_COLS) {
      recordChunk(recorder, state, chunk)
      const firstCol = chunk + CHUNK_COLS
      if (firstCol === end) continue
      const range = { leftFirst: chunk - begin, depth: CHUNK_COLS, rightFirst: chunk, firstCol, endCol: end }
      subtractProduct(recorder, { left: errors, right: factor, target: work }, range)
    }
    if (end < work.stride) {
      const range = { leftFirst: 0, depth: ERROR_COLS, rightFirst: begin, firstCol: end }
      subtractProduct(recorder, { left: errors, right: factor, target: work }, range)
    }
    operations += 2 * ERROR_COLS * work.rows * (work.stride - begin)
    if (operations < budget && end < work.stride) continue
    await submit()
    operations = 0
    onProgress({ stage: STAGE, done: Math.min(end, work.cols), total: work.cols })
  }
}

/** One chunk; with fresh scales block by block, each scale chosen when all earlier columns are done. */
function recordChunk(recorder: Recorder, state: ColumnWork, chunk: number): void {
  const { block } = state.scales.plan
  const step = state.byPlace && block !== 'row' ? Math.min(block, CHUNK_COLS) : CHUNK_COLS
  for (let first = chunk; first < chunk + CHUNK_COLS; first += step) {
    if (state.byPlace && block !== 'row' && first % block === 0) {
      updateScales(recorder, state.work, state.scales, { first: chunk, end: chunk + CHUNK_COLS })
    }
    gptqColumns(recorder, state, first, first + step)
  }
}

function paddedOrder(order: Uint32Array, stride: number): Uint32Array<ArrayBuffer> {
  const padded = Uint32Array.from({ length: stride }, (_, place) => place)
  padded.set(order)
  return padded
}
