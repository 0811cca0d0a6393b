import copySource from '../../../shaders/copy_vec4.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const copyVec4Kernel: Kernel = {
  name: 'copy_vec4',
  code: copySource + workgroupIndex,
  bindings: ['read', 'write'],
}

/** A copy of `matrix`, bit for bit, padding included. */
export function copyMatrix(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GpuMatrix {
  const target = arena.matrix(matrix.rows, matrix.cols, 'copy')
  const count = (matrix.rows * matrix.stride) / 4
  recorder.dispatch(copyVec4Kernel, {
    uniforms: [count],
    buffers: [matrix.buffer, target.buffer],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return target
}
