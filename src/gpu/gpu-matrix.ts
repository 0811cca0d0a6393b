/**
 * A matrix on the GPU: f32, row-major, rows padded with zeros to a multiple of 32 columns.
 * Element (r, c) is word r * stride + c; columns cols … stride − 1 hold 0 in every matrix a kernel returns.
 * The padding lets kernels read vec4s, whole MX blocks and whole tiles along the inner axis without guards:
 * zeros change neither a block's quantization nor a product.
 */
export interface GpuMatrix {
  readonly rows: number
  readonly cols: number
  readonly stride: number
  readonly buffer: GPUBuffer
}

export const STRIDE_MULTIPLE = 32

/** Columns a row occupies in memory. */
export function strideOf(cols: number): number {
  return Math.ceil(cols / STRIDE_MULTIPLE) * STRIDE_MULTIPLE
}

/** Bytes of a [rows, cols] matrix on the GPU, padding included. */
export function matrixBytes(rows: number, cols: number): number {
  return 4 * rows * strideOf(cols)
}
