import type { Quantizer } from '../../formats/number-format'
import { gridFor } from './grid'

/**
 * A quantized matrix as codes and scales, the way files store it but with padded rows.
 *
 * codes, [rows, codeStride] bytes: 4-bit codes two per byte, element 2i in the low nibble and 2i + 1 in the high one;
 * 6- and 8-bit codes one per byte, sign in the top bit of the element's width; 16-bit codes in two bytes, low first.
 * Elements cols … stride − 1 have the code of zero.
 * scales, [rows, scaleStride] bytes, one entry per block of a row, then zeros. An entry is a byte (E8M0, E4M3), an f32,
 * or an f32 and a u32 zero point (asymmetric integers); formats without scales have none.
 */
export interface PackedMatrix {
  readonly rows: number
  readonly cols: number
  readonly quantizer: Quantizer
  readonly codes: GPUBuffer
  readonly scales: GPUBuffer
  /** What the scales need beyond themselves, as the quantizer's grid has it (NVFP4: the tensor's). */
  readonly context: GPUBuffer
  /** Bytes from one row of codes to the next, a multiple of 16. */
  readonly codeStride: number
  /** Bytes from one row of scales to the next, a multiple of 4. */
  readonly scaleStride: number
}

/** Row lengths in bytes of the packed form of a matrix whose rows hold `stride` elements (a multiple of 32). */
export function packedStrides(stride: number, quantizer: Quantizer): { codeStride: number; scaleStride: number } {
  const { codeBits, scaleBytes, block } = gridFor(quantizer)
  const blocks = block === 'row' ? 1 : Math.ceil(stride / block)
  return { codeStride: (codeBits * stride) / 8, scaleStride: 4 * Math.ceil((scaleBytes * blocks) / 4) }
}
