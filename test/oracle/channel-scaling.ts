/**
 * SmoothQuant and AWQ on one layer in float64, from the papers and the published code: every sum over tokens and channels
 * written out, rounding handed in. Imports types only.
 */
import type { Matrix } from '../../src/core/matrix'

/** Rounds a matrix block by block. */
export type Rounding = (matrix: Matrix) => Matrix

const column = ({ rows, cols, data }: Matrix, j: number) => Array.from({ length: rows }, (_, i) => data[i * cols + j])
const columns = ({ cols }: Matrix) => Array.from({ length: cols }, (_, j) => j)
const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs))

/** SmoothQuant's s; 1 for channels without activations. */
export function oracleSmoothing(activations: Matrix, weight: Matrix, alpha: number): number[] {
  return columns(weight).map((j) => {
    const a = largest(column(activations, j))
    const w = Math.max(largest(column(weight, j)), 1e-5)
    return a === 0 ? 1 : Math.max(a ** alpha / w ** (1 - alpha), 1e-5)
  })
}

export function oracleMeans(matrix: Matrix): number[] {
  return columns(matrix).map((j) => column(matrix, j).reduce((sum, x) => sum + Math.abs(x), 0) / matrix.rows)
}

/** Mean over rows of |w| over the largest magnitude among the `width` columns of its block; 0 in blocks of zeros. */
export function oracleShares(weight: Matrix, width: number): number[] {
  const { cols, data } = weight
  const shares = data.map((value, i) => {
    const row = Math.floor(i / cols) * cols
    const start = row + Math.floor((i - row) / width) * width
    const peak = largest([...data.subarray(start, Math.min(start + width, row + cols))])
    return peak === 0 ? 0 : Math.abs(value) / peak
  })
  return oracleMeans({ ...weight, data: shares })
}

/** Divided by the root of its largest times its smallest element among live channels; dead ones get 1. */
function centred(scale: readonly number[], means: readonly number[]): number[] {
  const live = scale.filter((_, j) => means[j] > 0)
  const center = Math.sqrt(Math.max(...live) * Math.min(...live))
  return scale.map((s, j) => (means[j] > 0 ? s / center : 1))
}

/** All scales plain AWQ tries. */
export function oraclePlainScales(means: readonly number[], points: number): number[][] {
  return Array.from({ length: points }, (_, k) => {
    const powers = means.map((mean) => Math.max(mean ** (k / points), 1e-4))
    return centred(powers, means)
  })
}

/** All scales duo scaling tries: the identity, then points − 1 from r = 0 to 1. */
export function oracleDuoScales(means: readonly number[], shares: readonly number[], points: number): number[][] {
  const scales = [means.map(() => 1)]
  while (scales.length < points) {
    const r = (scales.length - 1) / (points - 2)
    const powers = means.map((mean, j) => Math.max(mean ** r / (shares[j] ** (1 - r) + 1e-4), 1e-4))
    scales.push(centred(powers, means))
  }
  return scales
}

const scaledBy = ({ rows, cols, data }: Matrix, scale: readonly number[]): Matrix => {
  return { rows, cols, data: data.map((value, i) => value * scale[i % cols]) }
}

const reciprocal = (scale: readonly number[]) => scale.map((s) => 1 / s)

/** ‖X Wᵀ − X' Ŵᵀ‖² with Ŵ = round(W · s) and X' = roundX(X / s), token by token. */
export function oracleLoss(
  layer: { readonly weight: Matrix; readonly activations: Matrix },
  scale: readonly number[],
  { weight: roundW, activations: roundX }: { readonly weight: Rounding; readonly activations: Rounding },
): number {
  const { weight, activations } = layer
  const w = roundW(scaledBy(weight, scale))
  const x = roundX(scaledBy(activations, reciprocal(scale)))
  let loss = 0
  for (let t = 0; t < x.rows; t++) {
    for (let o = 0; o < w.rows; o++) {
      let error = 0
      for (let k = 0; k < w.cols; k++) {
        error += x.data[t * w.cols + k] * w.data[o * w.cols + k]
        error -= activations.data[t * w.cols + k] * weight.data[o * w.cols + k]
      }
      loss += error ** 2
    }
  }
  return loss
}

/**
 * The squared output error of every block [rows · blocks] for every bound of AWQ's clip search: elements cut to
 * ± factor · peak, rounded, and the difference multiplied with every step-th token.
 */
export function oracleClipErrors(
  weight: Matrix,
  activations: Matrix,
  { width, step, factors, round }: { width: number; step: number; factors: readonly number[]; round: Rounding },
): number[][] {
  const { rows, cols, data } = weight
  const blocks = Math.ceil(cols / width)
  const spanOf = (i: number) => {
    const start = (i % blocks) * width
    return { row: Math.floor(i / blocks) * cols, start, end: Math.min(start + width, cols) }
  }
  return factors.map((factor) => {
    const clipped = Float32Array.from(data)
    for (let i = 0; i < rows * blocks; i++) {
      const { row, start, end } = spanOf(i)
      const bound = Math.fround(Math.fround(factor) * largest([...data.subarray(row + start, row + end)]))
      for (let k = row + start; k < row + end; k++) clipped[k] = Math.max(-bound, Math.min(bound, data[k]))
    }
    const rounded = round({ rows, cols, data: clipped }).data
    return Array.from({ length: rows * blocks }, (_, i) => {
      const { row, start, end } = spanOf(i)
      let sum = 0
      for (let t = 0; t < activations.rows; t += step) {
        let error = 0
        for (let k = start; k < end; k++) error += activations.data[t * cols + k] * (rounded[row + k] - data[row + k])
        sum += error ** 2
      }
      return sum
    })
  })
}
