import source from '../../../shaders/clip_ranges.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowRanges } from './row-ranges'

const WORKGROUP_SIZE = 64

export const clipRangesKernel: Kernel = {
  name: 'clip_ranges',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * rowRanges of `matrix` with both ends times their share, for fakeQuantizeWithin.
 *
 * Shapes: [rows, cols] -> [rows, 2]; shares: one pair (low, high) of f32 factors. Accuracy: one f32 product per end;
 * the range of a row with elements that are not finite stays.
 */
export function clipRanges(recorder: Recorder, arena: Arena, matrix: GpuMatrix, shares: GPUBuffer): GPUBuffer {
  const { rows } = matrix
  const clipped = arena.buffer(8 * rows, 'clipped ranges')
  recorder.dispatch(clipRangesKernel, {
    uniforms: [rows],
    buffers: [rowRanges(recorder, arena, matrix), shares, clipped],
    workgroups: Math.ceil(rows / WORKGROUP_SIZE),
  })
  return clipped
}
