import type { Quantizer } from '../../formats/number-format'

/**
 * A quantized matrix as codes and scales, the way files store it but with padded rows.
 *
 * codes, [rows, codeStride] bytes: 4-bit codes two per byte, element 2i in the low nibble and 2i + 1 in the high one;
 * 6- and 8-bit codes one per byte, sign in the top bit of the element's width. Elements cols … stride − 1 are code 0.
 * scales, [rows, scaleStride] bytes: one E8M0 byte per block of quantizer.format.blockSize columns, then zeros.
 */
export interface PackedMatrix {
  readonly rows: number
  readonly cols: number
  readonly quantizer: Quantizer
  readonly codes: GPUBuffer
  readonly scales: GPUBuffer
  /** Bytes from one row of codes to the next, a multiple of 16. */
  readonly codeStride: number
  /** Bytes from one row of scales to the next, a multiple of 4. */
  readonly scaleStride: number
}

/** Row lengths in bytes of the packed form of a matrix whose rows hold `stride` elements (a multiple of 32). */
export function packedStrides(stride: number, { format }: Quantizer): { codeStride: number; scaleStride: number } {
  return {
    codeStride: format.element.bits === 4 ? stride / 2 : stride,
    scaleStride: 4 * Math.ceil(stride / format.blockSize / 4),
  }
}
