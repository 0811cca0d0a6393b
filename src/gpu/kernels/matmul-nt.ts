import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import zeroBeyond from '../../../shaders/lib/zero_beyond.wgsl?raw'
import source from '../../../shaders/matmul_nt.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

export const matmulNtKernel: Kernel = {
  name: 'matmul_nt',
  code: source + workgroupIndex + zeroBeyond,
  bindings: ['read', 'read', 'write'],
}

/**
 * The product a · bᵀ: a layer's output for activations `a` and weight `b`, both contiguous along the contraction.
 *
 * Shapes: a [m, k], b [n, k] -> [m, n], padding columns zero.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (k + 2) · 2^-23 · Σ|a||b| per element.
 * Throws InputError when the inner dimensions differ. Large products take several dispatches, by rows.
 * Source: docs/performance.md, "f32 matmul".
 */
export function matmulNt(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GpuMatrix {
  if (a.cols !== b.cols) {
    throw new InputError('BUG', `matmul_nt: expected equal inner dimensions, found ${a.cols} and ${b.cols}`)
  }
  const y = arena.matrix(a.rows, b.rows, 'matmul_nt y')
  const colTiles = Math.ceil(y.stride / TILE)
  const step = rowsPerDispatch(recorder.gpu, a.rows, 2 * b.rows * a.cols)
  for (let begin = 0; begin < a.rows; begin += step) {
    const end = Math.min(a.rows, begin + step)
    recorder.dispatch(matmulNtKernel, {
      uniforms: [begin, end, b.rows, a.stride / 4, y.stride / 4, colTiles],
      buffers: [a.buffer, b.buffer, y.buffer],
      workgroups: colTiles * Math.ceil((end - begin) / TILE),
    })
  }
  return y
}
