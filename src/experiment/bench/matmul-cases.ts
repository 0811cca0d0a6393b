/** Products of square matrices, f32. */
import type { Matrix } from '../../core/matrix'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { matmulNaive } from '../../gpu/kernels/matmul-naive'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import type { Recorder } from '../../gpu/recorder'
import { readMatrix, uploadMatrix } from '../../gpu/transfer'
import { checkSamples, expectedSum } from './checks'
import type { KernelCase } from './kernel-subject'

export const NAIVE = 'matmul naive'

/** Largest naive product on a software adapter, where it takes tens of times as long as the others. */
const LARGEST_SOFTWARE_NAIVE = 256

type Product = (recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix) => GpuMatrix

/** Cases for a · bᵀ, a · b and aᵀ · b of two [n, n] matrices, with the naive a · bᵀ to compare with. */
export function matmulCases(gpu: Gpu, arena: Arena, a: Matrix, b: Matrix): KernelCase[] {
  const n = a.rows
  const left = uploadMatrix(gpu, arena, a, 'bench a')
  const right = uploadMatrix(gpu, arena, b, 'bench b')
  const at = (m: Matrix, row: number, col: number) => m.data[row * n + col]
  const nt = (row: number, col: number, k: number) => at(a, row, k) * at(b, col, k)
  const product = (name: string, multiply: Product, term: (row: number, col: number, k: number) => number) => ({
    name,
    work: { kind: 'operations', operations: 2 * n ** 3 } as const,
    record(recorder: Recorder, scratch: Arena) {
      const y = multiply(recorder, scratch, left, right)
      return async () => checkSamples(await readMatrix(gpu, y), (row, col) => expectedSum(n, (k) => term(row, col, k)))
    },
  })
  const fast = [
    product('matmul nt', matmulNt, nt),
    product('matmul nn', matmulNn, (row, col, k) => at(a, row, k) * at(b, k, col)),
    product('matmul tn', matmulTn, (row, col, k) => at(a, k, row) * at(b, k, col)),
  ]
  const withNaive = !gpu.adapter.isSoftware || n <= LARGEST_SOFTWARE_NAIVE
  return withNaive ? [...fast, product(NAIVE, matmulNaive, nt)] : fast
}
