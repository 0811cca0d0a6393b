import source from '../../../shaders/absolute_sums.wgsl?raw'
import slab from '../../../shaders/lib/slab.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const SLAB_ROWS = 64

export const absoluteSumsKernel: Kernel = {
  name: 'absolute_sums',
  code: source + workgroupIndex + slab,
  bindings: ['read', 'write'],
}

/**
 * Σ |x| of every column over slabs of 64 rows, each a sum of 64 f32 additions in the order of the rows.
 *
 * Shapes: matrix [rows, cols] -> [ceil(rows / 64), cols].
 */
export function absoluteSums(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GpuMatrix {
  const slabs = Math.ceil(matrix.rows / SLAB_ROWS)
  const sums = arena.matrix(slabs, matrix.cols, 'absolute sums')
  recorder.dispatch(absoluteSumsKernel, {
    overrides: { SLAB_ROWS, WORKGROUP_SIZE },
    uniforms: [matrix.rows, matrix.stride / 4, slabs],
    buffers: [matrix.buffer, sums.buffer],
    workgroups: Math.ceil((slabs * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return sums
}

/** Mean |x| per column over all rows of `matrix` (slabs added in float64), from the padded contents of the sums. */
export function decodeAbsoluteSums(sums: Float32Array, matrix: GpuMatrix): Float64Array {
  const means = new Float64Array(matrix.cols)
  for (let start = 0; start < sums.length; start += matrix.stride) {
    for (let col = 0; col < matrix.cols; col++) means[col] += sums[start + col] / matrix.rows
  }
  return means
}
