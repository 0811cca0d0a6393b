import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { butterfly } from './hadamard'

/**
 * (matrix ⊙ signs) (I ⊗ H_size / √size) with the plain Sylvester matrix; without signs its own inverse. Blocks of up to
 * 128 channels take one pass in registers.
 *
 * Shapes: [rows, cols] -> same. `size`: a power of two that divides cols. `signs`: ±1 per channel, null for none.
 * Accuracy: f32; relative to the largest output about 2^-24 · log2 size.
 */
export function blockHadamard(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { size, signs }: { readonly size: number; readonly signs: Int8Array | null },
): GpuMatrix {
  const log2 = Math.log2(size)
  if (!Number.isInteger(log2) || matrix.cols % size !== 0) {
    throw new InputError(
      'BUG',
      `block_hadamard: expected blocks of a power of two that divide the columns, found ${size} in ${matrix.cols}`,
    )
  }
  return butterfly(recorder, arena, matrix, { log2, signs, scale: 1 / Math.sqrt(size) })
}
