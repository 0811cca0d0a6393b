import source from '../../../shaders/diagonal.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const diagonalKernel: Kernel = {
  name: 'diagonal',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** The diagonal of a square `matrix` [n, n] as n floats. */
export function diagonal(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const out = arena.buffer(4 * matrix.cols, 'diagonal')
  recorder.dispatch(diagonalKernel, {
    uniforms: [matrix.cols, matrix.stride],
    buffers: [matrix.buffer, out],
    workgroups: Math.ceil(matrix.cols / WORKGROUP_SIZE),
  })
  return out
}
