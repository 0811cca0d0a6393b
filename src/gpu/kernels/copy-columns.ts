import source from '../../../shaders/copy_columns.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import { type GpuMatrix, STRIDE_MULTIPLE, strideOf } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const copyColumnsKernel: Kernel = {
  name: 'copy_columns',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** Columns `from` … from + cols − 1 of one matrix, which become those from `to` on in the other: both multiples of 32. */
export interface ColumnRun {
  readonly from: number
  readonly to: number
  readonly cols: number
}

/**
 * Copies a run of columns, bit for bit, up to whole strides of 32: a run that does not end on one is the last of both
 * matrices. Shapes: source [rows, …], target [rows, …]. Throws InputError for runs outside them.
 */
export function copyColumns(recorder: Recorder, source: GpuMatrix, target: GpuMatrix, run: ColumnRun): void {
  const { from, to, cols } = run
  const width = strideOf(cols)
  const isInside = from + width <= source.stride && to + width <= target.stride && source.rows === target.rows
  const isWhole = cols % STRIDE_MULTIPLE === 0 || (from + cols === source.cols && to + cols === target.cols)
  if (!isInside || !isWhole || from % STRIDE_MULTIPLE !== 0 || to % STRIDE_MULTIPLE !== 0) {
    throw new InputError(
      'BUG',
      `copy_columns: expected whole strides inside both matrices, found ${JSON.stringify(run)}`,
    )
  }
  recorder.dispatch(copyColumnsKernel, {
    uniforms: [source.rows, width / 4, source.stride / 4, target.stride / 4, from / 4, to / 4],
    buffers: [source.buffer, target.buffer],
    workgroups: Math.ceil((source.rows * width) / 4 / WORKGROUP_SIZE),
  })
}

/** Columns first … first + cols − 1 of `matrix` as a matrix of their own, padded with what follows: zeros at its end. */
export function sliceColumns(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { first, cols }: { readonly first: number; readonly cols: number },
): GpuMatrix {
  const slice = arena.matrix(matrix.rows, cols, 'columns')
  copyColumns(recorder, matrix, slice, { from: first, to: 0, cols })
  return slice
}
