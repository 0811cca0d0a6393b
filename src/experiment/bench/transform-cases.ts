/** Hadamard and Kronecker transforms along the channels. */
import { planHadamard } from '../../core/hadamard'
import type { Matrix } from '../../core/matrix'
import { createRandom, randomSigns } from '../../core/random'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { hadamard } from '../../gpu/kernels/hadamard'
import { kroneckerLeft, kroneckerRight } from '../../gpu/kernels/kronecker'
import { readMatrix, uploadWords } from '../../gpu/transfer'
import { checkSamples, expectedSum } from './checks'
import type { KernelCase } from './kernel-subject'

const SIGN_SEED = 1
const FACTOR_SEED = 2
const BLOCK = 32

/** −1 where an odd number of bits of `bits` are set. */
function parity(bits: number): number {
  let sign = 1
  for (let rest = bits; rest > 0; rest &= rest - 1) sign = -sign
  return sign
}

/** The rotation of all channels, with signs. `x` and `matrix` are the same [rows, n] tensor, n a power of two. */
export function hadamardCase(gpu: Gpu, x: Matrix, matrix: GpuMatrix): KernelCase {
  const n = x.cols
  const signs = randomSigns(n, SIGN_SEED)
  const plan = { ...planHadamard(n), signs }
  const sum = (row: number, col: number) =>
    expectedSum(n, (j) => (parity(j & col) * signs[j] * x.data[row * n + j]) / Math.sqrt(n))
  return {
    name: `hadamard ${n}`,
    work: { kind: 'bytes', bytes: 8 * x.data.length },
    record(recorder, scratch) {
      const y = hadamard(recorder, scratch, matrix, plan)
      return async () => checkSamples(await readMatrix(gpu, y), sum)
    },
  }
}

/** x (P1 ⊗ P2) with both factors as square as n allows. `x` and `matrix` are the same [rows, n] tensor, n a power of two. */
export function kroneckerCase(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase {
  const n = x.cols
  const a = 2 ** Math.floor(Math.log2(n) / 2)
  const b = n / a
  const random = createRandom(FACTOR_SEED)
  const draw = (size: number) => Float32Array.from({ length: size * size }, () => random.normal() / Math.sqrt(size))
  const [p1, p2] = [draw(a), draw(b)]
  const left = { a, b, factor: uploadWords(gpu, arena, p1, 'bench P1'), transposed: false }
  const right = { a, b, factor: uploadWords(gpu, arena, p2, 'bench P2'), transposed: false }
  const sum = (row: number, col: number) =>
    expectedSum(n, (j) => {
      const [i, k] = [Math.floor(j / b), j % b]
      return p1[i * a + Math.floor(col / b)] * p2[k * b + (col % b)] * x.data[row * n + j]
    })
  return {
    name: `kronecker ${a} x ${b}`,
    work: { kind: 'operations', operations: 2 * (a + b) * x.data.length },
    record(recorder, scratch) {
      const y = kroneckerLeft(recorder, scratch, kroneckerRight(recorder, scratch, matrix, right), left)
      return async () => checkSamples(await readMatrix(gpu, y), sum)
    },
  }
}

/** Block-32 and full-length Hadamard. Columns of `x` must be a power of two from 32. */
export function transformCases(gpu: Gpu, x: Matrix, matrix: GpuMatrix): KernelCase[] {
  // Rows without padding, cut into blocks of 32, are rows of a matrix with 32 columns.
  const rows = x.data.length / BLOCK
  const blocks: GpuMatrix = { rows, cols: BLOCK, stride: BLOCK, buffer: matrix.buffer }
  return [hadamardCase(gpu, { rows, cols: BLOCK, data: x.data }, blocks), hadamardCase(gpu, x, matrix)]
}
