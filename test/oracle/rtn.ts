/**
 * Round to nearest on one layer in float64, from the definitions: every block of both operands rounded by the
 * brute-force format oracle, the products summed naively. Imports types only, and the other oracle.
 */
import type { Matrix } from '../../src/core/matrix'
import type { Rounding } from '../../src/formats/number-format'
import { oracleBlock } from './mx'

export interface RtnConfig {
  readonly weightFormat: string | null
  readonly activationFormat: string | null
  readonly rounding: Rounding
  readonly preScale: number | null
}

export interface RtnErrors {
  readonly relativeError: number
  readonly gain: number
  readonly cosine: number
  readonly maxAbsoluteError: number
  readonly weightSqnrDb: number
  readonly activationSqnrDb: number
  /** ‖ |X| |W|ᵀ ‖_F / ‖Ŷ − Y‖_F: what a unit of relative rounding error in the products costs the error itself. */
  readonly sensitivity: number
}

const FOUR_BIT = new Set(['mxfp4'])

function rounded({ rows, cols, data }: Matrix, format: string | null, config: RtnConfig): Float64Array {
  const values = Float64Array.from(data)
  if (format === null) return values
  const preScale = FOUR_BIT.has(format) ? config.preScale : null
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < cols; start += 32) {
      const [from, to] = [row * cols + start, row * cols + Math.min(start + 32, cols)]
      values.set(oracleBlock(format, data.subarray(from, to), 'floor', config.rounding, preScale), from)
    }
  }
  return values
}

function product(x: Float64Array, w: Float64Array, inDim: number): number[] {
  const output: number[] = []
  for (let t = 0; t < x.length; t += inDim) {
    for (let o = 0; o < w.length; o += inDim) {
      let sum = 0
      for (let k = 0; k < inDim; k++) sum += x[t + k] * w[o + k]
      output.push(sum)
    }
  }
  return output
}

const energy = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value * value, 0)

function sqnrDb(exact: ArrayLike<number>, estimate: ArrayLike<number>): number {
  const noise = Array.from(exact, (value, index) => estimate[index] - value)
  return 10 * Math.log10(energy(exact) / energy(noise))
}

/** Errors of RTN on the rows of `activations` [tokens, in] under `weight` [out, in]. */
export function rtnErrors(weight: Matrix, activations: Matrix, config: RtnConfig): RtnErrors {
  const [w, x] = [Float64Array.from(weight.data), Float64Array.from(activations.data)]
  const wq = rounded(weight, config.weightFormat, config)
  const xq = rounded(activations, config.activationFormat, config)
  const y = product(x, w, weight.cols)
  const estimate = product(xq, wq, weight.cols)
  const difference = y.map((value, index) => estimate[index] - value)
  const inner = y.reduce((sum, value, index) => sum + value * estimate[index], 0)
  const magnitudes = product(x.map(Math.abs), w.map(Math.abs), weight.cols)
  return {
    relativeError: Math.sqrt(energy(difference) / energy(y)),
    gain: inner / energy(y),
    cosine: inner / Math.sqrt(energy(y) * energy(estimate)),
    maxAbsoluteError: Math.max(...difference.map(Math.abs)),
    weightSqnrDb: sqnrDb(w, wq),
    activationSqnrDb: sqnrDb(x, xq),
    sensitivity: Math.sqrt(energy(magnitudes) / energy(difference)),
  }
}
