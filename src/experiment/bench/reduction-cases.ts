/** The copy kernel and the reductions behind figures and error numbers. */
import type { Matrix } from '../../core/matrix'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { copyMatrix } from '../../gpu/kernels/copy-vec4'
import { decodeHistogram, histogram } from '../../gpu/kernels/histogram'
import { magnitudeMax, rangeOf } from '../../gpu/kernels/magnitude-max'
import { outputErrorSums, readOutputErrors } from '../../gpu/kernels/output-error-sums'
import { Recorder } from '../../gpu/recorder'
import { readMatrix, readWords, uploadMatrix } from '../../gpu/transfer'
import { checkSamples } from './checks'
import type { KernelCase } from './kernel-subject'

/** Claimed by the error sums. */
const RELATIVE_ERROR = 1e-6

export function copyCase(gpu: Gpu, x: Matrix, matrix: GpuMatrix): KernelCase {
  return {
    name: 'copy',
    baseline: 'copy',
    work: { kind: 'bytes', bytes: 8 * x.data.length },
    record(recorder, scratch) {
      const y = copyMatrix(recorder, scratch, matrix)
      const expected = (row: number, col: number) => ({ value: x.data[row * x.cols + col], bound: 0 })
      return async () => checkSamples(await readMatrix(gpu, y), expected)
    },
  }
}

function histogramCase(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase {
  // Made when first used: a filter may leave the row out.
  let largest: GPUBuffer | null = null
  const maximumNow = () => {
    const setup = new Recorder(gpu)
    const maximum = magnitudeMax(setup, arena, matrix)
    setup.submit()
    return maximum
  }
  return {
    name: 'histogram',
    work: { kind: 'bytes', bytes: 4 * x.data.length },
    record(recorder, scratch) {
      largest ??= maximumNow()
      const maximum = largest
      const bins = histogram(recorder, scratch, matrix, { maximum })
      return async () => {
        const range = rangeOf((await readWords(gpu, maximum, 1))[0])
        const found = decodeHistogram(await readWords(gpu, bins.counts, bins.bins), bins)
        for (const value of x.data) found[Math.floor((value / range + 1) * (bins.bins / 2))] -= 1
        const wrong = found.findIndex((left) => left !== 0)
        return wrong < 0 ? null : `bin ${wrong}: ${found[wrong]} elements too many`
      }
    },
  }
}

function errorSumsCase(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase {
  const estimate = x.data.map((value, i) => value + 0.01 * ((i % 7) - 3))
  const other = uploadMatrix(gpu, arena, { ...x, data: estimate }, 'bench estimate')
  return {
    name: 'output error sums',
    work: { kind: 'bytes', bytes: 8 * x.data.length },
    record(recorder, scratch) {
      const sums = outputErrorSums(recorder, scratch, matrix, other)
      return async () => {
        const found = await readOutputErrors(gpu, sums)
        const energy = x.data.reduce((sum: number, y, i) => sum + (estimate[i] - y) ** 2, 0)
        if (Math.abs(found.errorEnergy / energy - 1) <= RELATIVE_ERROR) return null
        return `error energy: expected ${energy}, found ${found.errorEnergy}`
      }
    },
  }
}

/** Reductions over the tensor `x`, uploaded as `matrix`. */
export function reductionCases(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase[] {
  return [histogramCase(gpu, arena, x, matrix), errorSumsCase(gpu, arena, x, matrix)]
}
