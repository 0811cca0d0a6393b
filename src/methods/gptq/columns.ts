/** The columns of a weight, rounded one after the other (arXiv 2210.17323; docs/methods.md). */
import type { Quantizer } from '../../formats/number-format'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { type ColumnWork, ERROR_COLS, type FactorBlock, gptqColumns } from '../../gpu/kernels/gptq-columns'
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
import { quantizeUnder } from '../../gpu/kernels/quantize'
import { subtractProduct } from '../../gpu/kernels/subtract-product'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import type { Context, QuantizedWeight } from '../method'
import { operationsPerSubmit, pacedSubmit } from '../pace'
import type { ScaleSource } from './options'

const STAGE = 'GPTQ columns'

/** What the columns are walked with: the triangle U, or its blocks on the diagonal and what couples them (factor-slabs.ts). */
export interface TriangularFactor {
  /** The blocks of U on the diagonal, in order; one block is U itself. */
  readonly blocks: readonly FactorBlock[]
  /** For every block but the last: how its errors change later columns, [rows of the block, in], read right of the block. */
  readonly coupling: readonly GpuMatrix[]
}

/** What is walked, and with what. */
export interface ColumnTask {
  readonly weight: GpuMatrix
  readonly factor: TriangularFactor
  readonly order: Uint32Array<ArrayBuffer>
  readonly quantizer: Quantizer
  readonly scales: ScaleSource
  readonly target: GpuMatrix
}

/** All columns in turn, and what they lose; a literal pre-scale multiplies before and divides after. */
export async function walkColumns(task: ColumnTask, scratch: Arena, context: Context) {
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
    factor: factor.blocks[0],
    order,
    scales: beginScales(recorder, context.arena, source, quantizer),
    byPlace: isFresh,
    target,
    errors: scratch.matrix(weight.rows, ERROR_COLS, 'GPTQ errors'),
    losses,
  }
  if (!isFresh) fixScales(recorder, source, state.scales, task)
  for (const [index, block] of factor.blocks.entries()) {
    await recordColumns(recorder, { ...state, factor: block }, context)
    const coupling = factor.coupling[index]
    if (coupling) coupleColumns(recorder, state, { source, block, coupling })
  }
  const result = literal === null ? target : preDivide(recorder, context.arena, target, literal)
  recorder.submit()
  const perRow = await readFloats(gpu, losses, weight.rows)
  // Those of the multiplied weight.
  const objective = perRow.reduce((sum, loss) => sum + loss, 0) / (literal ?? 1) ** 2
  const places = blockPlaces(state.scales, isFresh ? task.order : null)
  const pack: NonNullable<QuantizedWeight['pack']> = (then, inner) => {
    const blocks = uploadWords(gpu, inner, places, 'places of blocks')
    return quantizeUnder(then, inner, target, { quantizer, given: { scales: state.scales, blocks } })
  }
  return { weight: result, pack, objective }
}

/** Where the scale of each block of channels is; `order` null: in the order of the channels. */
function blockPlaces({ plan, blocks }: BlockScales, order: Uint32Array | null): Uint32Array<ArrayBuffer> {
  const places = Uint32Array.from({ length: blocks }, (_, block) => block)
  const { block: size } = plan
  if (order === null || size === 'row') return places
  for (let place = 0; place < order.length; place += size) places[Math.floor(order[place] / size)] = place / size
  return places
}

/** All scales at once, from the weight as it is. */
function fixScales(
  recorder: Recorder,
  source: GpuMatrix,
  blockScales: BlockScales,
  { scales, quantizer }: ColumnTask,
): void {
  if (scales === 'searched') searchScales(recorder, source, blockScales)
  else if (scales === 'observer' && hasExponents(quantizer)) observeScales(recorder, source, blockScales, quantizer)
  else updateScales(recorder, source, blockScales, { first: 0, end: source.stride })
}

/** What the columns of `block` have lost reaches the columns behind it: W += (W − Ŵ)_block · coupling. */
function coupleColumns(
  recorder: Recorder,
  { work, target, order }: ColumnWork,
  {
    source,
    block,
    coupling,
  }: { readonly source: GpuMatrix; readonly block: FactorBlock; readonly coupling: GpuMatrix },
): void {
  const passing = new Arena(recorder.gpu)
  const inOrder = (matrix: GpuMatrix) => gptqGather(recorder, passing, matrix, order)
  const left = addScaled(recorder, passing, inOrder(target), inOrder(source), -1)
  const depth = coupling.rows
  const range = { leftFirst: block.first, depth, rightFirst: 0, firstCol: block.first + depth }
  subtractProduct(recorder, { left, right: coupling, target: work }, range)
  recorder.submit()
  passing.release()
}

/** Columns in runs of ERROR_COLS, whose errors reach the columns behind them in one product; several runs per submit. */
async function recordColumns(recorder: Recorder, state: ColumnWork, { gpu, signal, onProgress }: Context) {
  const { work, errors } = state
  const { matrix: factor, first: rightCol } = state.factor
  const last = Math.min(rightCol + factor.stride, work.stride)
  const submit = pacedSubmit(recorder, signal)
  const budget = operationsPerSubmit(gpu)
  let operations = 0
  for (let begin = rightCol; begin < last; begin += ERROR_COLS) {
    const end = Math.min(begin + ERROR_COLS, last)
    for (let chunk = begin; chunk < end; chunk += CHUNK_COLS) {
      recordChunk(recorder, state, chunk)
      const firstCol = chunk + CHUNK_COLS
      if (firstCol === end) continue
      const range = { leftFirst: chunk - begin, depth: CHUNK_COLS, rightFirst: chunk - rightCol, rightCol }
      subtractProduct(recorder, { left: errors, right: factor, target: work }, { ...range, firstCol, endCol: end })
    }
    if (end < last) {
      const range = { leftFirst: 0, depth: ERROR_COLS, rightFirst: begin - rightCol, rightCol }
      subtractProduct(
        recorder,
        { left: errors, right: factor, target: work },
        { ...range, firstCol: end, endCol: last },
      )
    }
    operations += 2 * ERROR_COLS * work.rows * (last - begin)
    if (operations < budget && end < last) continue
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
