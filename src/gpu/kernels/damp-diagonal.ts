import source from '../../../shaders/damp_diagonal.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const dampDiagonalKernel: Kernel = {
  name: 'damp_diagonal',
  code: source + workgroupIndex,
  bindings: ['write'],
}

export interface Damping {
  /** The column that holds the diagonal element of row 0. */
  readonly first: number
  /** Stands for a zero on the diagonal. */
  readonly deadDiagonal: number
  readonly shift: number
}

/** Adds `shift` to the diagonal elements that `rows` [rows, n] of a Gram matrix hold, in place. */
export function dampDiagonal(recorder: Recorder, rows: GpuMatrix, { first, deadDiagonal, shift }: Damping): void {
  recorder.dispatch(dampDiagonalKernel, {
    uniforms: [rows.rows, rows.stride, first, f32(deadDiagonal), f32(shift)],
    buffers: [rows.buffer],
    workgroups: Math.ceil(rows.rows / WORKGROUP_SIZE),
  })
}
