import source from '../../../shaders/kronecker_gradient.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { stridedSums } from './strided-sums'

const WORKGROUP_SIZE = 64
const TILE = 4
const MAX_CHUNKS = 64
const MIN_ROWS_PER_CHUNK = 4

export const kroneckerGradientKernel: Kernel = {
  name: 'kronecker_gradient',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Which factor of P1 [a, a] ⊗ P2 [b, b] the gradient is for. */
export interface KroneckerSide {
  readonly a: number
  readonly b: number
  readonly factor: 'left' | 'right'
}

/**
 * Sums over rows of small products, with mat(row) = [a, b]:
 * left factor  Σ mat(left) · mat(right)ᵀ [a, a];  right factor  Σ mat(left)ᵀ · mat(right) [b, b].
 *
 * For x' = x (P1 ⊗ P2): gP1 = Σ mat(x) P2 mat(gx')ᵀ takes left = kroneckerRight(x, P2), right = gx';
 * gP2 = Σ mat(x)ᵀ P1 mat(gx') takes left = x, right = kroneckerLeft(gx', P1, transposed).
 * Shapes: left, right [rows, a·b]. f32 sums over chunks of rows, chunks added in order.
 */
export function kroneckerGradient(
  recorder: Recorder,
  arena: Arena,
  { left, right }: { readonly left: GpuMatrix; readonly right: GpuMatrix },
  { a, b, factor }: KroneckerSide,
): GPUBuffer {
  const [size, depth, outer, inner] = factor === 'left' ? [a, b, b, 1] : [b, a, 1, b]
  const rowsPerChunk = Math.max(MIN_ROWS_PER_CHUNK, Math.ceil(left.rows / MAX_CHUNKS))
  const chunks = Math.ceil(left.rows / rowsPerChunk)
  const partials = arena.buffer(4 * chunks * size * size, 'factor gradient by chunk')
  recorder.dispatch(kroneckerGradientKernel, {
    uniforms: [left.rows, left.stride, rowsPerChunk, chunks, size, depth, outer, inner],
    buffers: [left.buffer, right.buffer, partials],
    workgroups: Math.ceil((chunks * Math.ceil(size / TILE) ** 2) / WORKGROUP_SIZE),
  })
  return stridedSums(recorder, arena, partials, { total: chunks * size * size, width: size * size })
}
