import source from '../../../shaders/gptq_gather.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const gptqGatherKernel: Kernel = {
  name: 'gptq_gather',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * The columns of `matrix` in processing order. `order`: `stride` words, the column at each place; places in the padding
 * name themselves. Shapes: [rows, cols] -> same.
 */
export function gptqGather(recorder: Recorder, arena: Arena, matrix: GpuMatrix, order: GPUBuffer): GpuMatrix {
  const target = arena.matrix(matrix.rows, matrix.cols, 'columns in processing order')
  const stride4 = matrix.stride / 4
  recorder.dispatch(gptqGatherKernel, {
    uniforms: [matrix.rows, stride4],
    buffers: [matrix.buffer, order, target.buffer],
    workgroups: Math.ceil((matrix.rows * stride4) / WORKGROUP_SIZE),
  })
  return target
}
