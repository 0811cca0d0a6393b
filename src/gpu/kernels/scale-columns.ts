import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import scaleSource from '../../../shaders/scale_columns.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const scaleColumnsKernel: Kernel = {
  name: 'scale_columns',
  code: scaleSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** `matrix` · diag(scale), each element rounded once. Shapes: matrix [rows, cols] -> same; scale [cols], f32. */
export function scaleColumns(recorder: Recorder, arena: Arena, matrix: GpuMatrix, scale: GPUBuffer): GpuMatrix {
  const out = arena.matrix(matrix.rows, matrix.cols, 'scaled columns')
  recorder.dispatch(scaleColumnsKernel, {
    uniforms: [matrix.rows, matrix.cols, matrix.stride / 4],
    buffers: [matrix.buffer, scale, out.buffer],
    workgroups: Math.ceil((matrix.rows * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
