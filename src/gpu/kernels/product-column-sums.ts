import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/product_column_sums.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'
import { stridedSums } from './strided-sums'

const WORKGROUP_SIZE = 64
const ROWS_PER_SLAB = 32

export const productColumnSumsKernel: Kernel = {
  name: 'product_column_sums',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** One term: sign · Σ_row left[row, col] · right[row, col]. */
export interface ColumnProduct {
  readonly left: GpuMatrix
  readonly right: GpuMatrix
  readonly sign: 1 | -1
}

/**
 * Column by column the sum of all `terms`, whose matrices share one width.
 *
 * Shapes: matrices [rows, cols] -> [stride], zero in the padding. f32 sums over slabs of 32 rows, added in order.
 */
export function productColumnSums(recorder: Recorder, arena: Arena, terms: readonly ColumnProduct[]): GPUBuffer {
  const { stride } = terms[0].left
  const slabsOf = ({ left }: ColumnProduct) => Math.ceil(left.rows / ROWS_PER_SLAB)
  const totalSlabs = terms.reduce((sum, term) => sum + slabsOf(term), 0)
  const partials = arena.buffer(4 * totalSlabs * stride, 'column sums by slab')
  let first = 0
  for (const term of terms) {
    const slabs = slabsOf(term)
    recorder.dispatch(productColumnSumsKernel, {
      uniforms: [term.left.rows, stride / 4, ROWS_PER_SLAB, slabs, first, f32(term.sign)],
      buffers: [term.left.buffer, term.right.buffer, partials],
      workgroups: Math.ceil((slabs * stride) / 4 / WORKGROUP_SIZE),
    })
    first += slabs
  }
  return stridedSums(recorder, arena, partials, { total: totalSlabs * stride, width: stride })
}
