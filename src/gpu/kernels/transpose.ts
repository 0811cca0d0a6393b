import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import transposeSource from '../../../shaders/transpose.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const transposeKernel: Kernel = {
  name: 'transpose',
  code: transposeSource + workgroupIndex,
  bindings: ['read', 'write'],
}

/** The transpose of `matrix`, [rows, cols] -> [cols, rows], bit for bit. */
export function transpose(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GpuMatrix {
  const target = arena.matrix(matrix.cols, matrix.rows, 'transposed')
  recorder.dispatch(transposeKernel, {
    overrides: { WORKGROUP_SIZE },
    uniforms: [target.rows, target.cols, target.stride, matrix.stride],
    buffers: [matrix.buffer, target.buffer],
    workgroups: Math.ceil((target.rows * target.stride) / WORKGROUP_SIZE),
  })
  return target
}
