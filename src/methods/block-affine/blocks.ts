/** Block-diagonal matrices on the CPU: n / size square blocks, block under block, as kernels/block-diagonal.ts takes them. */
import { type DenseMatrix, inverse, transpose } from '../../core/linear-algebra'
import { conditionNumber } from '../flatquant/factor'

/** Row k, [size] floats, holds what channel k becomes within its block. */
export interface Blocks {
  readonly size: number
  /** [channels, size] */
  readonly data: Float64Array
}

/** I ⊗ H / √size with the Sylvester matrix H; `size` is a power of two. */
export function hadamardBlocks(channels: number, size: number): Blocks {
  const parity = (bits: number): number => (bits === 0 ? 0 : (bits & 1) ^ parity(bits >> 1))
  const amplitude = 1 / Math.sqrt(size)
  const data = Float64Array.from({ length: channels * size }, (_, i) => {
    const [row, col] = [Math.floor(i / size) % size, i % size]
    return parity(row & col) === 1 ? -amplitude : amplitude
  })
  return { size, data }
}

/** diag(scale) · blocks */
export function scaleRows({ size, data }: Blocks, scale: ArrayLike<number>): Blocks {
  return { size, data: data.map((value, i) => value * scale[Math.floor(i / size)]) }
}

/** P⁻ᵀ, block by block in float64. Throws InputError MD-02 for a singular block. */
export function inverseTransposed(blocks: Blocks): Blocks {
  const data = new Float64Array(blocks.data.length)
  eachBlock(blocks, (block, start) => data.set(transpose(inverse(block)).data, start))
  return { size: blocks.size, data }
}

/** The largest condition number of a block and its inverse. */
export function worstCondition(p: Blocks, a: Blocks): number {
  let worst = 1
  eachBlock(p, (block, start) => {
    const inverted = { ...block, data: a.data.subarray(start, start + block.data.length) }
    worst = Math.max(worst, conditionNumber({ p: block, a: inverted }))
  })
  return worst
}

function eachBlock({ size, data }: Blocks, visit: (block: DenseMatrix, start: number) => void): void {
  for (let start = 0; start < data.length; start += size * size) {
    visit({ rows: size, cols: size, data: data.subarray(start, start + size * size) }, start)
  }
}
