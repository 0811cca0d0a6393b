import source from '../../../shaders/block_peaks.wgsl?raw'
import rowBlock from '../../../shaders/lib/row_block.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { type BlockWidth, blockLayout } from './block-layout'

const WORKGROUP_SIZE = 64

export const blockPeaksKernel: Kernel = {
  name: 'block_peaks',
  code: source + workgroupIndex + rowBlock,
  bindings: ['read', 'write'],
}

/** max |x| of every block as f32 bits, row by row. Exact: NaN lies above infinity. Shapes: [rows, cols] -> [rows, blocks]. */
export function blockPeaks(recorder: Recorder, arena: Arena, matrix: GpuMatrix, width: BlockWidth): GPUBuffer {
  const { blocks, block4 } = blockLayout(matrix, width)
  const peaks = arena.buffer(4 * matrix.rows * blocks, 'block peaks')
  recorder.dispatch(blockPeaksKernel, {
    uniforms: [matrix.rows, matrix.stride / 4, block4, blocks],
    buffers: [matrix.buffer, peaks],
    workgroups: Math.ceil((matrix.rows * blocks) / WORKGROUP_SIZE),
  })
  return peaks
}
