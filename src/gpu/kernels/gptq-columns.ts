import source from '../../../shaders/gptq_columns.wgsl?raw'
import { InputError } from '../../core/errors'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import type { BlockScales } from './gptq-scales'
import { CHUNK_COLS, gridKernels, gridOverrides, kernelFor } from './grid'

const WORKGROUP_SIZE = 32
/** Columns an errors matrix has room for. */
export const ERROR_COLS = 128
/** A vec4 at a time, and two of them fit the registers that move down. */
const SMALLEST_STEP = 8

export const gptqColumnsKernels = gridKernels({
  name: 'gptq_columns',
  code: source,
  bindings: ['read', 'read', 'read', 'read', 'write', 'write', 'write', 'write'],
})

/** Rows and columns `first` … of a triangular factor; the whole of it begins at 0. `first` is a multiple of ERROR_COLS. */
export interface FactorBlock {
  readonly matrix: GpuMatrix
  readonly first: number
}

/** A weight on its way through GPTQ. */
export interface ColumnWork {
  /** W' in processing order [out, in]; columns still to come hold what earlier errors have made of them. */
  readonly work: GpuMatrix
  /** U [in, in] in processing order: its blocks on the diagonal, as far as columns are rounded with it. */
  readonly factor: FactorBlock
  /** `stride` words: the channel at each place; places in the padding name themselves. */
  readonly order: GPUBuffer
  readonly scales: BlockScales
  /** Whether block b of the scales holds places, not channels, b · block …: scales chosen on the way. */
  readonly byPlace: boolean
  /** Ŵ [out, in], filled column by column in the order of the channels. */
  readonly target: GpuMatrix
  /** The scaled errors d of places p in column p mod ERROR_COLS: [out, ERROR_COLS]. */
  readonly errors: GpuMatrix
  /** Σ d² of every row so far: [out]. */
  readonly losses: GPUBuffer
}

/**
 * Rounds the columns first … end − 1 (places) one after the other, each with the errors of the earlier ones spread over
 * it, and updates the rest of their chunk of 32. Both are multiples of 8 within one chunk.
 *
 * Accuracy: codes as the quantizer's grid has them, exactly, for the f32 value a column has when its turn comes.
 * Source: GPTQ, arXiv 2210.17323.
 */
export function gptqColumns(recorder: Recorder, state: ColumnWork, first: number, end: number): void {
  const { work, factor, order, scales, byPlace, target, errors, losses } = state
  const isInside = Math.floor(first / CHUNK_COLS) === Math.floor((end - 1) / CHUNK_COLS)
  if (first % SMALLEST_STEP !== 0 || end % SMALLEST_STEP !== 0 || !isInside) {
    throw new InputError('BUG', `gptq_columns: expected columns of one chunk of 32, found ${first} … ${end - 1}`)
  }
  const { plan, stored, blocks, context } = scales
  recorder.dispatch(kernelFor(gptqColumnsKernels, plan), {
    overrides: {
      ...gridOverrides(plan),
      ROW_SCALES: Number(plan.block === 'row'),
      BY_PLACE: Number(byPlace),
    },
    uniforms: [
      ...[work.rows, work.cols, work.stride / 4, blocks, first / 4, end / 4],
      ...[factor.first, factor.matrix.stride / 4, ...plan.words],
    ],
    buffers: [
      ...[factor.matrix.buffer, order, stored, context],
      ...[work.buffer, target.buffer, errors.buffer, losses],
    ],
    workgroups: Math.ceil(work.rows / WORKGROUP_SIZE),
  })
}
