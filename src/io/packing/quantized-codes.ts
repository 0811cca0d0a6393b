import type { Quantizer } from '../../formats/number-format'

/**
 * A quantized matrix on the CPU: codes and scales as the GPU leaves them, in padded rows (gpu/kernels/packed-matrix.ts).
 * codes: 4-bit two per byte, low nibble first; 8-bit one per byte. scales, one entry per block of a row: a byte (E8M0,
 * E4M3), an f32, or an f32 and a u32 zero point.
 */
export interface QuantizedCodes {
  readonly rows: number
  readonly cols: number
  readonly quantizer: Quantizer
  readonly codes: Uint8Array
  /** Bytes from one row of codes to the next. */
  readonly codeStride: number
  readonly scales: Uint8Array
  /** Bytes from one row of scales to the next. */
  readonly scaleStride: number
  /** The f32 multiplier of an NVFP4 tensor; 1 for other formats. */
  readonly tensorScale: number
}

/** `bytes` of every row, without the padding behind them, one after the other. */
export function packRows(data: Uint8Array, rows: number, { bytes, stride }: { bytes: number; stride: number }) {
  const packed = new Uint8Array(rows * bytes)
  for (let row = 0; row < rows; row++) packed.set(data.subarray(row * stride, row * stride + bytes), row * bytes)
  return packed
}
