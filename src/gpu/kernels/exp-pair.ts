import source from '../../../shaders/exp_pair.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const expPairKernel: Kernel = {
  name: 'exp_pair',
  code: source + workgroupIndex,
  bindings: ['read', 'write', 'write'],
}

/** exp(theta) and exp(−theta), [count] each, within 3 + 2|theta| ULP. */
export function expPair(
  recorder: Recorder,
  arena: Arena,
  theta: GPUBuffer,
  count: number,
): { scale: GPUBuffer; inverse: GPUBuffer } {
  const scale = arena.buffer(4 * count, 'channel scale')
  const inverse = arena.buffer(4 * count, 'inverse channel scale')
  recorder.dispatch(expPairKernel, {
    uniforms: [count],
    buffers: [theta, scale, inverse],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return { scale, inverse }
}
