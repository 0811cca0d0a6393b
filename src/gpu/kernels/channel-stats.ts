import source from '../../../shaders/channel_stats.wgsl?raw'
import slab from '../../../shaders/lib/slab.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const SLAB_ROWS = 64

export const channelStatsKernel: Kernel = {
  name: 'channel_stats',
  code: source + workgroupIndex + slab,
  bindings: ['read', 'write', 'write'],
}

/** Per-slab statistics of each column, still on the GPU: two matrices [slabs, cols]. */
export interface ChannelStats {
  /** max |x| per slab of 64 rows and column */
  readonly maxima: GpuMatrix
  /** Σ x² per slab and column */
  readonly squares: GpuMatrix
}

/**
 * max |x| (exact) and Σ x² (64 f32 additions) of every column over slabs of 64 rows; one dispatch, one read.
 *
 * Shapes: matrix [rows, cols] -> maxima, squares [ceil(rows / 64), cols].
 */
export function channelStats(recorder: Recorder, arena: Arena, matrix: GpuMatrix): ChannelStats {
  const slabs = Math.ceil(matrix.rows / SLAB_ROWS)
  const maxima = arena.matrix(slabs, matrix.cols, 'channel_stats maxima')
  const squares = arena.matrix(slabs, matrix.cols, 'channel_stats squares')
  recorder.dispatch(channelStatsKernel, {
    overrides: { SLAB_ROWS },
    uniforms: [matrix.rows, matrix.stride / 4, slabs],
    buffers: [matrix.buffer, maxima.buffer, squares.buffer],
    workgroups: Math.ceil((slabs * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return { maxima, squares }
}

/**
 * Per column over all rows: max |x|, Σ x² and root mean square (slabs added in float64), from the padded contents of the
 * two matrices ([slabs, stride] each).
 */
export function decodeChannelStats(
  maxima: Float32Array,
  squares: Float32Array,
  matrix: GpuMatrix,
): { max: Float32Array; energy: Float64Array; rms: Float32Array } {
  const max = new Float32Array(matrix.cols)
  const energy = new Float64Array(matrix.cols)
  for (let start = 0; start < maxima.length; start += matrix.stride) {
    for (let col = 0; col < matrix.cols; col++) {
      max[col] = Math.max(max[col], maxima[start + col])
      energy[col] += squares[start + col]
    }
  }
  return { max, energy, rms: Float32Array.from(energy, (sum) => Math.sqrt(sum / matrix.rows)) }
}
