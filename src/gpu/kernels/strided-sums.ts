import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/strided_sums.wgsl?raw'
import type { Arena } from '../arena'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

/** Partial sums of the first level of a long sum: what record_loss and subtract_mean read. */
export const SUM_WIDTH = 64

export const stridedSumsKernel: Kernel = {
  name: 'strided_sums',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/**
 * sums[j] = values[j] + values[j + width] + …: the column sums of a [total / width, width] matrix.
 *
 * Shapes: values [total] -> [width], zeros where width exceeds total. f32 sums in index order.
 * `into` receives the result; a new buffer of the arena when left out.
 */
export function stridedSums(
  recorder: Recorder,
  arena: Arena,
  values: GPUBuffer,
  { total, width, into }: { total: number; width: number; into?: GPUBuffer },
): GPUBuffer {
  const sums = into ?? arena.buffer(4 * width, 'sums')
  recorder.dispatch(stridedSumsKernel, {
    uniforms: [total, width],
    buffers: [values, sums],
    workgroups: Math.ceil(width / WORKGROUP_SIZE),
  })
  return sums
}
