import f32Bits from '../../../shaders/lib/f32_bits.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/packed_loop.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { CHUNK_COLS } from './grid'
import type { PackedMatrix } from './packed-matrix'
import { rowsPerDispatch } from './row-chunks'

const WORKGROUP_SIZE = 64
const TILE_ROWS = 8

export const packedLoopKernel: Kernel = {
  name: 'packed_loop',
  code: source + workgroupIndex + f32Bits,
  bindings: ['read', 'read', 'read', 'write'],
}

/**
 * x · wᵀ with MXFP4 weights decoded as they are read (packed-product.ts checks what comes here).
 *
 * Shapes: x [t, in], w [out, in] -> [t, out], padding columns zero.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (in + 2) · 2^-23 · Σ|x||w| per element while |x| < 2^120. An output
 * channel with a NaN scale is NaN.
 * Source: docs/performance.md, "Products from packed codes".
 */
export function packedLoop(recorder: Recorder, arena: Arena, x: GpuMatrix, w: PackedMatrix): GpuMatrix {
  const y = arena.matrix(x.rows, w.rows, 'packed_loop y')
  const step = rowsPerDispatch(recorder.gpu, x.rows, 2 * w.rows * w.cols)
  for (let begin = 0; begin < x.rows; begin += step) {
    const end = Math.min(x.rows, begin + step)
    recorder.dispatch(packedLoopKernel, {
      uniforms: [begin, end, w.rows, x.stride / CHUNK_COLS, w.scaleStride / 4, x.stride / 4, y.stride / 4],
      buffers: [x.buffer, w.codes, w.scales, y.buffer],
      workgroups: Math.ceil((Math.ceil((end - begin) / TILE_ROWS) * (y.stride / 4)) / WORKGROUP_SIZE),
    })
  }
  return y
}
