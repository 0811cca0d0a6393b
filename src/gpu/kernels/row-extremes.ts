import firstEqual from '../../../shaders/lib/first_equal.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/row_extremes.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const rowExtremesKernel: Kernel = {
  name: 'row_extremes',
  code: source + workgroupIndex + firstEqual,
  bindings: ['read', 'write'],
}

/**
 * Per row of `matrix` four words: the f32 bits of its minimum and maximum, then their columns (first on ties).
 *
 * Shapes: [rows, cols] -> [rows, 4]. Exact for finite elements.
 */
export function rowExtremes(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const extremes = arena.buffer(16 * matrix.rows, 'row extremes')
  recorder.dispatch(rowExtremesKernel, {
    uniforms: [matrix.rows, matrix.cols, matrix.stride / 4],
    buffers: [matrix.buffer, extremes],
    workgroups: Math.ceil(matrix.rows / WORKGROUP_SIZE),
  })
  return extremes
}
