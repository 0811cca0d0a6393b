import registerTile from '../../../shaders/lib/register_tile.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import zeroBeyond from '../../../shaders/lib/zero_beyond.wgsl?raw'
import source from '../../../shaders/matmul_nn.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

export const matmulNnKernel: Kernel = {
  name: 'matmul_nn',
  code: source + workgroupIndex + registerTile + zeroBeyond,
  bindings: ['read', 'read', 'write'],
}

/**
 * The product a · b, for instance activations times a dense rotation.
 *
 * Shapes: a [m, k], b [k, n] -> [m, n], padding columns zero.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (k + 2) · 2^-23 · Σ|a||b| per element.
 * Throws InputError when the inner dimensions differ. Large products take several dispatches, by rows.
 * Source: docs/performance.md, "How the kernels are built".
 */
export function matmulNn(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GpuMatrix {
  if (a.cols !== b.rows) {
    throw new InputError('BUG', `matmul_nn: expected equal inner dimensions, found ${a.cols} and ${b.rows}`)
  }
  const y = arena.matrix(a.rows, b.cols, 'matmul_nn y')
  const colTiles = Math.ceil(y.stride / TILE)
  const step = rowsPerDispatch(recorder.gpu, a.rows, 2 * b.cols * a.cols)
  for (let begin = 0; begin < a.rows; begin += step) {
    const end = Math.min(a.rows, begin + step)
    recorder.dispatch(matmulNnKernel, {
      uniforms: [begin, end, b.rows, b.cols, a.stride / 4, b.stride / 4, colTiles],
      buffers: [a.buffer, b.buffer, y.buffer],
      workgroups: colTiles * Math.ceil((end - begin) / TILE),
    })
  }
  return y
}
