import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/matmul_tn.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

/** Longest sum held in registers before it is added to the output: bounds both the dispatch and the rounding error. */
const SLAB_ROWS = 1024

export const matmulTnKernel: Kernel = {
  name: 'matmul_tn',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * The product aᵀ · b, contracted over rows: a Gram matrix of activations, a weight gradient.
 *
 * Shapes: a [t, m], b [t, n] -> [m, n], padding columns zero. `a` and `b` may be the same matrix.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (t + 2) · 2^-23 · Σ|a||b| per element.
 * Throws InputError when the numbers of rows differ. One dispatch per slab of rows, added in order.
 * Source: docs/performance.md, "f32 matmul".
 */
export function matmulTn(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GpuMatrix {
  if (a.rows !== b.rows) {
    throw new InputError('BUG', `matmul_tn: expected equal numbers of rows, found ${a.rows} and ${b.rows}`)
  }
  const y = arena.matrix(a.cols, b.cols, 'matmul_tn y')
  const colTiles = Math.ceil(y.stride / TILE)
  const step = Math.min(SLAB_ROWS, rowsPerDispatch(recorder.gpu, a.rows, 2 * a.cols * b.cols))
  for (let begin = 0; begin < a.rows; begin += step) {
    recorder.dispatch(matmulTnKernel, {
      uniforms: [begin, Math.min(a.rows, begin + step), y.rows, a.stride / 4, b.stride / 4, colTiles],
      buffers: [a.buffer, b.buffer, y.buffer],
      workgroups: colTiles * Math.ceil(y.rows / TILE),
    })
  }
  return y
}
