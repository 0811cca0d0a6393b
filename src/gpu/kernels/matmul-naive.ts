import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/matmul_naive.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const TILE = 8

export const matmulNaiveKernel: Kernel = {
  name: 'matmul_naive',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * The product a · bᵀ in its slow form, for the benchmark: matmulNt must beat it and agree with it.
 * Shapes: a [m, k], b [n, k] -> [m, n]. One dispatch whatever its length. Throws InputError as matmulNt does.
 */
export function matmulNaive(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GpuMatrix {
  if (a.cols !== b.cols) {
    throw new InputError('BUG', `matmul_naive: expected equal inner dimensions, found ${a.cols} and ${b.cols}`)
  }
  const y = arena.matrix(a.rows, b.rows, 'matmul_naive y')
  recorder.dispatch(matmulNaiveKernel, {
    uniforms: [a.rows, b.rows, a.stride, y.stride],
    buffers: [a.buffer, b.buffer, y.buffer],
    workgroups: Math.ceil(a.rows / TILE) * (y.stride / TILE),
  })
  return y
}
