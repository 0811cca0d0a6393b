import source from '../../../shaders/block_clip_gradient.wgsl?raw'
import blockBound from '../../../shaders/lib/block_bound.wgsl?raw'
import rowBlock from '../../../shaders/lib/row_block.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { blockLayout } from './block-layout'
import { type BlockBounds, factorOverride } from './clip-blocks'

const WORKGROUP_SIZE = 64

export const blockClipGradientKernel: Kernel = {
  name: 'block_clip_gradient',
  code: source + workgroupIndex + rowBlock + blockBound,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

/**
 * Turns `gradient`, ∂L/∂(clipBlocks), into ∂L/∂(values) in place: none for elements beyond their block's bound, whose sum
 * goes to the block's largest element and to the clip. Returns ∂L/∂c block by block, where a factor is 1 / (1 + e^-c);
 * with factors that blocks share the caller adds them up.
 *
 * Shapes: values, gradient [rows, cols] -> [rows, blocks]. `bounds` are those of the clip, peaks included.
 * Accuracy: f32 sums over a block in order.
 */
export function blockClipGradient(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  { values, bounds }: { values: GpuMatrix; bounds: Required<BlockBounds> },
): GPUBuffer {
  const { rows, stride } = values
  const { blocks, block4 } = blockLayout(values, bounds.width)
  const logitGradient = arena.buffer(4 * rows * blocks, 'block clip gradient')
  recorder.dispatch(blockClipGradientKernel, {
    overrides: { FACTORS_PER: factorOverride(bounds.per) },
    uniforms: [rows, stride / 4, block4, blocks],
    buffers: [values.buffer, bounds.peaks, bounds.factors, gradient.buffer, logitGradient],
    workgroups: Math.ceil((rows * blocks) / WORKGROUP_SIZE),
  })
  return logitGradient
}
