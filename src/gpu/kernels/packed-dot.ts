import f32Bits from '../../../shaders/lib/f32_bits.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/packed_dot.wgsl?raw'
import type { Arena } from '../arena'
import { type GpuMatrix, strideOf } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { CHUNK_COLS } from './grid'
import type { PackedMatrix } from './packed-matrix'
import { rowsPerDispatch } from './row-chunks'

const TILE = 32

/** The WGSL language feature this kernel requires, by its name in `Gpu.languageFeatures`. */
export const PACKED_DOT_FEATURE = 'packed_4x8_integer_dot_product'

export const packedDotKernel: Kernel = {
  name: 'packed_dot',
  code: source + workgroupIndex + f32Bits,
  bindings: ['read', 'read', 'read', 'read', 'write'],
}

/**
 * a · bᵀ of MXFP4 codes by integer dot products of four (packed-product.ts checks what comes here).
 *
 * Shapes: a [m, k], b [n, k] -> [m, n], padding columns zero.
 * Accuracy: the sum of a block is exact; only the k / 32 additions round. A row or column with a NaN scale is NaN.
 * Source: docs/performance.md, "Products from packed codes".
 */
export function packedDot(recorder: Recorder, arena: Arena, a: PackedMatrix, b: PackedMatrix): GpuMatrix {
  const y = arena.matrix(a.rows, b.rows, 'packed_dot y')
  const blocks = strideOf(a.cols) / CHUNK_COLS
  const colTiles = y.stride / TILE
  const step = rowsPerDispatch(recorder.gpu, a.rows, 2 * b.rows * a.cols)
  for (let begin = 0; begin < a.rows; begin += step) {
    const end = Math.min(a.rows, begin + step)
    recorder.dispatch(packedDotKernel, {
      uniforms: [begin, end, b.rows, blocks, a.scaleStride / 4, b.scaleStride / 4, y.stride / 4, colTiles],
      buffers: [a.codes, a.scales, b.codes, b.scales, y.buffer],
      workgroups: colTiles * Math.ceil((end - begin) / TILE),
    })
  }
  return y
}
