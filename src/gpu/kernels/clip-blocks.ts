import source from '../../../shaders/clip_blocks.wgsl?raw'
import blockBound from '../../../shaders/lib/block_bound.wgsl?raw'
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
  code: source + workgroupIndex + blockBound,
  bindings: ['read', 'read', 'read', 'write'],
}

/** What a factor stands for: all blocks, those at one position of every row, or one. The order is that of FACTORS_PER. */
const SHARINGS = ['matrix', 'column', 'block'] as const
export type FactorSharing = (typeof SHARINGS)[number]

/** FACTORS_PER of shaders/lib/block_bound.wgsl. */
export function factorOverride(per: FactorSharing): number {
  return SHARINGS.indexOf(per)
}

export interface BlockBounds {
  readonly width: BlockWidth
  readonly per: FactorSharing
  /** f32 factors on the block's largest magnitude, above 0, at most 1: [1], [blocks] or [rows, blocks]. */
  readonly factors: GPUBuffer
  /** What `blockPeaks` gave for this matrix and width, when it is there already. */
  readonly peaks?: GPUBuffer
}

/**
 * Every element of `matrix` cut to ± factor · max |x| of its block.
 *
 * Shapes: [rows, cols] -> same. Accuracy: one f32 product per bound, elements are otherwise unchanged. Blocks whose
 * bound could be below 2^-125, and those whose maximum is not finite, stay as they are.
 * Source: weight clipping of AWQ, arXiv 2306.00978, with the shape mit-han-lab/llm-awq gives it.
 */
export function clipBlocks(recorder: Recorder, arena: Arena, matrix: GpuMatrix, bounds: BlockBounds): GpuMatrix {
  const peaks = bounds.peaks ?? blockPeaks(recorder, arena, matrix, bounds.width)
  const { blocks, block4 } = blockLayout(matrix, bounds.width)
  const out = arena.matrix(matrix.rows, matrix.cols, 'clipped blocks')
  recorder.dispatch(clipBlocksKernel, {
    overrides: { FACTORS_PER: factorOverride(bounds.per) },
    uniforms: [matrix.rows, matrix.stride / 4, block4, blocks],
    buffers: [matrix.buffer, peaks, bounds.factors, out.buffer],
    workgroups: Math.ceil((matrix.rows * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
