import type { Matrix } from '../../src/core/matrix'
import { productNt, rowsOf } from '../oracle/low-rank'
import { gaussian } from './matrices'

/** Gaussian rows whose channels differ in size and in the weight of their tails, and which share four directions. */
export function mixedActivations(tokens: number, cols: number, seed: number): Matrix {
  const [noise, common, directions] = [
    gaussian(tokens, cols, seed),
    gaussian(tokens, 4, seed + 1),
    gaussian(cols, 4, 9),
  ]
  const mixed = productNt(rowsOf(common), rowsOf(directions))
  const data = noise.data.map((value, i) => {
    const [row, col] = [Math.floor(i / cols), i % cols]
    const tail = col % 3 === 0 ? value ** 3 : value
    return (1 + (col % 7)) * (tail + mixed[row][col])
  })
  return { rows: tokens, cols, data }
}
