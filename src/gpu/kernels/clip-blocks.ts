import source from '../../../shaders/clip_blocks.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { type BlockWidth, blockLayout } from './block-layout'
import { blockPeaks } from './block-peaks'

const WORKGROUP_SIZE = 256

export const clipBlocksKernel: Kernel = {
  name: 'clip_blocks',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write'],
}

export interface BlockBounds {
  readonly width: BlockWidth
  /** True: one factor for all blocks. */
  readonly shared: boolean
  /** f32 factors on the block's largest magnitude, 0.5 to 1: [1] when shared, else [rows, blocks]. */
  readonly factors: GPUBuffer
  /** What `blockPeaks` gave for this matrix and width, when it is there already. */
  readonly peaks?: GPUBuffer
}

/**
 * Every element of `matrix` cut to ± factor · max |x| of its block.
 *
 * Shapes: [rows, cols] -> same. Accuracy: one f32 product per bound, elements are otherwise unchanged. Blocks whose
 * maximum is below 2^-124 or not finite stay as they are.
 * Source: weight clipping of AWQ, arXiv 2306.00978, with the shape mit-han-lab/llm-awq gives it.
 */
export function clipBlocks(recorder: Recorder, arena: Arena, matrix: GpuMatrix, bounds: BlockBounds): GpuMatrix {
  const peaks = bounds.peaks ?? blockPeaks(recorder, arena, matrix, bounds.width)
  const { blocks, block4 } = blockLayout(matrix, bounds.width)
  const out = arena.matrix(matrix.rows, matrix.cols, 'clipped blocks')
  recorder.dispatch(clipBlocksKernel, {
    overrides: { SHARED: Number(bounds.shared) },
    uniforms: [matrix.rows, matrix.stride / 4, block4, blocks],
    buffers: [matrix.buffer, peaks, bounds.factors, out.buffer],
    workgroups: Math.ceil((matrix.rows * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
