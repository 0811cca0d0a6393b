import source from '../../../shaders/block_crest.wgsl?raw'
import rowBlock from '../../../shaders/lib/row_block.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { type BlockWidth, blockLayout } from './block-layout'
import { blockPeaks } from './block-peaks'
import { stridedSums } from './strided-sums'

const WORKGROUP_SIZE = 64
/** Even, so that crests add to crests and counts to counts. */
const SUM_WIDTH = 1024

export const blockCrestKernel: Kernel = {
  name: 'block_crest',
  code: source + workgroupIndex + rowBlock,
  bindings: ['read', 'read', 'write'],
}

/** Pairs (crest, counted) of every block, row by row: f32 [rows, blocks, 2]. */
export interface BlockCrests {
  readonly pairs: GPUBuffer
  readonly words: number
}

/**
 * max |x| / root mean square of every block; (0, 0) in place of (crest, 1) for blocks of zeros or f32 subnormals.
 * Shapes: [rows, cols] -> pairs [rows, blocks]. Accuracy: a quotient and a sum of squares in f32.
 */
export function blockCrests(recorder: Recorder, arena: Arena, matrix: GpuMatrix, width: BlockWidth): BlockCrests {
  const peaks = blockPeaks(recorder, arena, matrix, width)
  const { blocks, block4 } = blockLayout(matrix, width)
  const words = 2 * matrix.rows * blocks
  const pairs = arena.buffer(4 * words, 'block crests')
  recorder.dispatch(blockCrestKernel, {
    uniforms: [matrix.rows, matrix.cols, matrix.stride / 4, block4, blocks],
    buffers: [matrix.buffer, peaks, pairs],
    workgroups: Math.ceil((matrix.rows * blocks) / WORKGROUP_SIZE),
  })
  return { pairs, words }
}

/** Sums of crests and counts, alternating: 1024 f32 that meanCrest finishes. */
export function crestSums(recorder: Recorder, arena: Arena, { pairs, words }: BlockCrests): GPUBuffer {
  return stridedSums(recorder, arena, pairs, { total: words, width: SUM_WIDTH })
}

/** Floats of what crestSums returns. */
export const CREST_WORDS = SUM_WIDTH

/** The mean crest from the contents of the sums; NaN where no block counts. */
export function meanCrest(sums: Float32Array): number {
  let crests = 0
  let count = 0
  for (let at = 0; at < CREST_WORDS; at += 2) {
    crests += sums[at]
    count += sums[at + 1]
  }
  return crests / count
}
