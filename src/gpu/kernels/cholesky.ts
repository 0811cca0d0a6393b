/**
 * The Cholesky factor of a damped, reordered Gram matrix and the factor's inverse, on the GPU, panel by panel: the block
 * on the diagonal in one small workgroup, the panel's rows and the update of all rows below as register tiles.
 * Symbols: A = L Lᵀ with L lower triangular, M = L⁻¹, J the reversal of indices.
 */
import gatherSource from '../../../shaders/cholesky_gather.wgsl?raw'
import panelSource from '../../../shaders/cholesky_panel.wgsl?raw'
import reverseSource from '../../../shaders/cholesky_reverse.wgsl?raw'
import rowsSource from '../../../shaders/cholesky_rows.wgsl?raw'
import updateSource from '../../../shaders/cholesky_update.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'
import { uploadWords } from '../transfer'
import { rowsPerDispatch } from './row-chunks'

const WORKGROUP_SIZE = 64
const TILE = 64
const ROWS_TILE_COLS = 128

/** Columns eliminated together; strides are multiples of it. */
const PANEL = 32

/** What the info word holds when every pivot was positive. */
export const NO_FAILED_PIVOT = 0xffffffff

export const choleskyGatherKernel: Kernel = {
  name: 'cholesky_gather',
  code: gatherSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

export const choleskyPanelKernel: Kernel = {
  name: 'cholesky_panel',
  code: panelSource,
  bindings: ['read', 'write', 'write'],
}

export const choleskyRowsKernel: Kernel = {
  name: 'cholesky_rows',
  code: rowsSource + workgroupIndex,
  bindings: ['read', 'write'],
}

export const choleskyUpdateKernel: Kernel = {
  name: 'cholesky_update',
  code: updateSource + workgroupIndex,
  bindings: ['read', 'write'],
}

export const choleskyReverseKernel: Kernel = {
  name: 'cholesky_reverse',
  code: reverseSource + workgroupIndex,
  bindings: ['read', 'write'],
}

/** A factorisation under way; stride = size rounded up to whole panels. */
export interface CholeskyWork {
  readonly size: number
  readonly stride: number
  /** [stride, stride]. Below the panels done: the Schur complement on the right, the sums L M on the left. */
  readonly remaining: GPUBuffer
  /** [stride, stride]. Rows of the panels done: Lᵀ on and above the diagonal, M below it. Behind it scratch of a panel. */
  readonly pair: GPUBuffer
  /** One word: the first index in A whose pivot was not a positive normal number, NO_FAILED_PIVOT when there is none. */
  readonly info: GPUBuffer
}

/** What is factored: A = J P (gram + shift · I) Pᵀ J, row i of P picking channel order[i]. */
export interface CholeskyInput {
  /** [n, n], symmetric. */
  readonly gram: GpuMatrix
  /** n words: the channel at each place of the processing order. */
  readonly order: GPUBuffer
  /** Stands for a zero on the diagonal. */
  readonly deadDiagonal: number
  readonly shift: number
}

/** The number of panels of a factorisation. */
export function panelsOf({ stride }: { readonly stride: number }): number {
  return stride / PANEL
}

/** Multiplies and adds of panel `panel`: its rows and the update below it. */
export function panelOperations({ stride }: { readonly stride: number }, panel: number): number {
  const done = (panel + 1) * PANEL
  const rest = stride - done
  return 2 * PANEL * (PANEL * stride + rest * (done + (rest + TILE) / 2))
}

/**
 * Gathers A into new buffers: `remaining` from the arena `spent`, which may be released once the last panel is submitted,
 * the others from `kept`.
 */
export function beginCholesky(
  recorder: Recorder,
  { kept, spent }: { readonly kept: Arena; readonly spent: Arena },
  { gram, order, deadDiagonal, shift }: CholeskyInput,
): CholeskyWork {
  const { cols: size, stride } = gram
  const work = {
    size,
    stride,
    remaining: spent.buffer(4 * stride ** 2, 'cholesky remaining'),
    pair: kept.buffer(4 * (stride ** 2 + PANEL ** 2), 'cholesky pair'),
    info: uploadWords(recorder.gpu, kept, Uint32Array.of(NO_FAILED_PIVOT), 'cholesky info'),
  }
  recorder.dispatch(choleskyGatherKernel, {
    uniforms: [size, stride, f32(deadDiagonal), f32(shift)],
    buffers: [gram.buffer, order, work.remaining],
    workgroups: Math.ceil(stride ** 2 / WORKGROUP_SIZE),
  })
  return work
}

/** Eliminates panel `panel`; panels come in order, 0 to panelsOf(work) − 1. Long updates take several dispatches, by rows. */
export function eliminatePanel(recorder: Recorder, work: CholeskyWork, panel: number): void {
  const { stride, remaining, pair, info } = work
  const first = panel * PANEL
  recorder.dispatch(choleskyPanelKernel, {
    uniforms: [first, stride],
    buffers: [remaining, pair, info],
    workgroups: 1,
  })
  recorder.dispatch(choleskyRowsKernel, {
    uniforms: [first, stride / 4],
    buffers: [remaining, pair],
    workgroups: Math.ceil(stride / ROWS_TILE_COLS),
  })
  const colTiles = Math.ceil(stride / TILE)
  const step = rowsPerDispatch(recorder.gpu, stride, 2 * PANEL * stride)
  for (let begin = first + PANEL; begin < stride; begin += step) {
    const end = Math.min(stride, begin + step)
    recorder.dispatch(choleskyUpdateKernel, {
      uniforms: [first, begin, end, stride / 4, colTiles],
      buffers: [pair, remaining],
      workgroups: colTiles * Math.ceil((end - begin) / TILE),
    })
  }
}

/**
 * The triangle GPTQ walks through, after the last panel, in processing order: 'inverse' is U = J M J, upper, with
 * UᵀU the inverse of the damped, reordered Gram matrix; 'unit' is J L diag(L)⁻¹ J, unit upper.
 *
 * Shapes: -> [n, n], zero below the diagonal and in the padding.
 */
export function reverseCholesky(
  recorder: Recorder,
  arena: Arena,
  { work, form }: { readonly work: Pick<CholeskyWork, 'size' | 'pair'>; readonly form: 'inverse' | 'unit' },
): GpuMatrix {
  const target = arena.matrix(work.size, work.size, `cholesky ${form}`)
  recorder.dispatch(choleskyReverseKernel, {
    overrides: { UNIT: form === 'unit' ? 1 : 0 },
    uniforms: [target.rows, target.stride],
    buffers: [work.pair, target.buffer],
    workgroups: Math.ceil((target.rows * target.stride) / WORKGROUP_SIZE),
  })
  return target
}
