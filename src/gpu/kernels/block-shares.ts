import source from '../../../shaders/block_shares.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { type BlockWidth, blockLayout } from './block-layout'
import { blockPeaks } from './block-peaks'

const WORKGROUP_SIZE = 256

export const blockSharesKernel: Kernel = {
  name: 'block_shares',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * Every magnitude as a share of the largest in its block, 0 to 1; 0 in blocks of zeros or f32 subnormals.
 *
 * Shapes: [rows, cols] -> same. Accuracy: 2.5 ULP for maxima up to 2^126.
 */
export function blockShares(recorder: Recorder, arena: Arena, matrix: GpuMatrix, width: BlockWidth): GpuMatrix {
  const peaks = blockPeaks(recorder, arena, matrix, width)
  const { blocks, block4 } = blockLayout(matrix, width)
  const out = arena.matrix(matrix.rows, matrix.cols, 'block shares')
  recorder.dispatch(blockSharesKernel, {
    uniforms: [matrix.rows, matrix.stride / 4, block4, blocks],
    buffers: [matrix.buffer, peaks, out.buffer],
    workgroups: Math.ceil((matrix.rows * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return out
}
