import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import { f32, type Recorder } from '../recorder'
import { hadamardButterflyKernel } from './hadamard'

const WORKGROUP_SIZE = 64

/** Index bits that the butterfly takes inside a vec4. */
const INNER = 2

/**
 * matrix · (I ⊗ H_size / √size) with the plain Sylvester matrix, its own inverse: one pass in registers.
 *
 * Shapes: [rows, cols] -> same. `size`: 8, 16, 32, 64 or 128, a divisor of cols.
 * Accuracy: f32; relative to the largest output about 2^-24 · log2 size.
 */
export function blockHadamard(recorder: Recorder, arena: Arena, matrix: GpuMatrix, size: number): GpuMatrix {
  if (matrix.cols % size !== 0) {
    throw new InputError('BUG', `block_hadamard: expected a multiple of ${size} columns, found ${matrix.cols}`)
  }
  const out = arena.matrix(matrix.rows, matrix.cols, 'block hadamard')
  const points = size / 2 ** INNER
  const count = (matrix.rows * matrix.stride) / size
  recorder.dispatch(hadamardButterflyKernel, {
    overrides: { POINTS: points, INNER, SIGNED: 0 },
    uniforms: [count, 1, matrix.stride / 4, f32(1 / Math.sqrt(size))],
    buffers: [matrix.buffer, matrix.buffer, out.buffer],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
  return out
}
