import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/row_ranges.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const SEGMENT = 512

export const rowRangesKernel: Kernel = {
  name: 'row_ranges',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/**
 * Per row of `matrix` two words: the f32 bits, without sign, of its largest negative and largest positive magnitude.
 * Exact; 0 without such elements; bits of 0x7f800000 and above mean that an element is not finite.
 *
 * Shapes: [rows, cols] -> [rows, 2].
 */
export function rowRanges(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const { rows, stride } = matrix
  const ranges = arena.buffer(8 * rows, 'row ranges')
  const segments = Math.ceil(stride / SEGMENT)
  recorder.clear(ranges, 0, 8 * rows)
  recorder.dispatch(rowRangesKernel, {
    overrides: { SEGMENT },
    uniforms: [rows, stride, segments],
    buffers: [matrix.buffer, ranges],
    workgroups: Math.ceil((rows * segments) / WORKGROUP_SIZE),
  })
  return ranges
}
