/** A layer in float64 through the scalar codec: every matrix rounded block by block, products summed naively. */
import type { Matrix } from '../../src/core/matrix'
import { decodeBlock, encodeBlock } from '../../src/formats/codec'
import type { Quantizer } from '../../src/formats/number-format'

function blockLength(quantizer: Quantizer, cols: number): number {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.blockSize
    case 'nvfp':
      return quantizer.format.blockSize
    case 'integer':
      return quantizer.group === 'row' ? cols : quantizer.group
    case 'sixteen-bit':
      return cols
    default:
      return quantizer satisfies never
  }
}

/** `matrix` as a decoder reads it back; null leaves it as it is. */
export function roundMatrix({ rows, cols, data }: Matrix, quantizer: Quantizer | null): Matrix {
  if (!quantizer) return { rows, cols, data }
  const tensorMax = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const step = blockLength(quantizer, cols)
  const rounded = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * cols, (row + 1) * cols)
    for (let start = 0; start < cols; start += step) {
      const block = encodeBlock(values.subarray(start, start + step), quantizer, { tensorMax, row: values })
      rounded.set(decodeBlock(block, quantizer), row * cols + start)
    }
  }
  return { rows, cols, data: rounded }
}

/** x · wᵀ in float64, row-major [x.rows, w.rows]. */
export function exactProduct(x: Matrix, w: Matrix): Float64Array {
  return Float64Array.from({ length: x.rows * w.rows }, (_, index) => {
    const [row, out] = [Math.floor(index / w.rows), index % w.rows]
    let sum = 0
    for (let k = 0; k < x.cols; k++) sum += x.data[row * x.cols + k] * w.data[out * w.cols + k]
    return sum
  })
}

/** ‖estimate − reference‖ / ‖reference‖ */
export function relativeError(reference: ArrayLike<number>, estimate: ArrayLike<number>): number {
  const exact = Array.from(reference)
  return Math.hypot(...exact.map((value, i) => estimate[i] - value)) / Math.hypot(...exact)
}
