import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/sigmoid.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const sigmoidKernel: Kernel = {
  name: 'sigmoid',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** 1 / (1 + exp(−logits)), elementwise. Shapes: [count] -> [count]. */
export function sigmoid(recorder: Recorder, arena: Arena, logits: GPUBuffer, count: number): GPUBuffer {
  const shares = arena.buffer(4 * count, 'sigmoid')
  recorder.dispatch(sigmoidKernel, {
    uniforms: [count],
    buffers: [logits, shares],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return shares
}
