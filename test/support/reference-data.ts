/**
 * The synthetic tensors of the reference figures (test/golden/formats/reference_figures.json), made as their recorder
 * made them: mulberry32, pairs of normals in float64, then f32. The sums of the file prove that they are the same.
 */
import { createHash } from 'node:crypto'
import type { Matrix } from '../../src/core/matrix'

const ROWS = 256
const COLS = 1024
const OUTLIER_CHANNELS = [5, 137, 300, 511, 700, 777, 901, 1000]
const OUTLIER_FACTOR = 20
const WEIGHT_ROWS = 512
const WEIGHT_FACTOR = 0.02

function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}

function normals(count: number, uniform: () => number): Float64Array {
  const values = new Float64Array(count)
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform()))
    const angle = 2 * Math.PI * uniform()
    values[i] = radius * Math.cos(angle)
    values[i + 1] = radius * Math.sin(angle)
  }
  return values
}

const toMatrix = (values: Float64Array, rows: number): Matrix => ({
  rows,
  cols: values.length / rows,
  data: Float32Array.from(values),
})

function laplace(count: number, uniform: () => number): Float64Array {
  return Float64Array.from({ length: count }, () => {
    const u = uniform() - 0.5
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u))
  })
}

function studentT4(count: number, uniform: () => number): Float64Array {
  const z = normals(count, uniform)
  return z.map((value) => {
    const [a, b] = [uniform(), uniform()]
    return value / Math.sqrt((-2 * Math.log(a * b)) / 4)
  })
}

/** Rows times random signs (seed 5) times the Sylvester Hadamard matrix over 32 (the root of 1024), in float64. */
export function rotated({ rows, cols, data }: Matrix): Matrix {
  const uniform = mulberry32(5)
  const signs = Float64Array.from({ length: cols }, () => (uniform() < 0.5 ? -1 : 1))
  const values = Float64Array.from(data, (value, i) => value * signs[i % cols])
  for (let row = 0; row < rows; row++) {
    for (let half = 1; half < cols; half *= 2) {
      for (let i = 0; i < cols; i++) {
        if (i & half) continue
        const at = row * cols + i
        const [a, b] = [values[at], values[at + half]]
        values[at] = a + b
        values[at + half] = a - b
      }
    }
  }
  return toMatrix(
    values.map((value) => value / Math.sqrt(cols)),
    rows,
  )
}

/** The five activation tensors [256, 1024] by their names in the file. */
export function referenceTensors(): Record<string, Matrix> {
  const count = ROWS * COLS
  const outliers = normals(count, mulberry32(4))
  for (let i = 0; i < count; i++) if (OUTLIER_CHANNELS.includes(i % COLS)) outliers[i] *= OUTLIER_FACTOR
  const outlierChannels = toMatrix(outliers, ROWS)
  return {
    gaussian: toMatrix(normals(count, mulberry32(1)), ROWS),
    laplace: toMatrix(laplace(count, mulberry32(2)), ROWS),
    student_t4: toMatrix(studentT4(count, mulberry32(3)), ROWS),
    outlier_channels: outlierChannels,
    outlier_rotated: rotated(outlierChannels),
  }
}

/** The weight [512, 1024] of the product. */
export function referenceWeight(): Matrix {
  const values = normals(WEIGHT_ROWS * COLS, mulberry32(6)).map((value) => value * WEIGHT_FACTOR)
  return toMatrix(values, WEIGHT_ROWS)
}

/** SHA-256 of the elements as little-endian f32. */
export function elementHash({ data }: Matrix): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex')
}
