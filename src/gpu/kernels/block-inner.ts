import source from '../../../shaders/block_inner.wgsl?raw'
import rowBlock from '../../../shaders/lib/row_block.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { type BlockWidth, blockLayout } from './block-layout'

const WORKGROUP_SIZE = 64

export const blockInnerKernel: Kernel = {
  name: 'block_inner',
  code: source + workgroupIndex + rowBlock,
  bindings: ['read', 'read', 'write'],
}

/**
 * Σ a · b over every block, row by row: of a matrix with itself the energy of its blocks.
 *
 * Shapes: a, b [rows, cols] -> [rows, blocks], f32 sums in the order of the columns. Throws InputError when the shapes
 * differ.
 */
export function blockInner(
  recorder: Recorder,
  arena: Arena,
  { a, b, width }: { readonly a: GpuMatrix; readonly b: GpuMatrix; readonly width: BlockWidth },
): GPUBuffer {
  if (a.rows !== b.rows || a.cols !== b.cols) {
    throw new InputError('BUG', `block_inner: expected [${a.rows}, ${a.cols}], found [${b.rows}, ${b.cols}]`)
  }
  const { blocks, block4 } = blockLayout(a, width)
  const sums = arena.buffer(4 * a.rows * blocks, 'block inner products')
  recorder.dispatch(blockInnerKernel, {
    uniforms: [a.rows, a.stride / 4, block4, blocks],
    buffers: [a.buffer, b.buffer, sums],
    workgroups: Math.ceil((a.rows * blocks) / WORKGROUP_SIZE),
  })
  return sums
}
