import source from '../../../shaders/clip_gradient.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import type { ClippedOperand, ClipSums } from './straight-through'

const WORKGROUP_SIZE = 64

export const clipGradientKernel: Kernel = {
  name: 'clip_gradient',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

/**
 * Completes what straightThrough began: adds to `gradient` what each row's extremes receive through the clip, and
 * returns the gradient of the clip logits (low, high) row by row. With a shared pair the caller sums over rows.
 *
 * Shapes: gradient [rows, cols] -> [rows, 2].
 */
export function clipGradient(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  { operand, clipSums }: { operand: ClippedOperand; clipSums: ClipSums },
): GPUBuffer {
  const { rows, stride } = gradient
  const rowGradient = arena.buffer(8 * rows, 'clip gradient')
  recorder.dispatch(clipGradientKernel, {
    overrides: { SHARED: Number(operand.shared) },
    uniforms: [rows, stride, clipSums.blocks],
    buffers: [operand.extremes, operand.bounds, clipSums.buffer, gradient.buffer, rowGradient],
    workgroups: Math.ceil(rows / WORKGROUP_SIZE),
  })
  return rowGradient
}
