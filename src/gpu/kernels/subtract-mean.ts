import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/subtract_mean.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { SUM_WIDTH, stridedSums } from './strided-sums'

const WORKGROUP_SIZE = 64

export const subtractMeanKernel: Kernel = {
  name: 'subtract_mean',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** values[i] − mean(values) for the first `count` elements. Shapes: [count] -> [count]. */
export function subtractMean(recorder: Recorder, arena: Arena, values: GPUBuffer, count: number): GPUBuffer {
  const sums = stridedSums(recorder, arena, values, { total: count, width: SUM_WIDTH })
  const centred = arena.buffer(4 * count, 'centred')
  recorder.dispatch(subtractMeanKernel, {
    uniforms: [count],
    buffers: [values, sums, centred],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return centred
}
