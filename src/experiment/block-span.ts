/** Columns of a row, from `start` to before `end`. */
export interface ColumnSpan {
  readonly start: number
  readonly end: number
}

/** The columns of block `block`; the last one may be short. */
export function blockSpan(block: number, blockSize: number, inDim: number): ColumnSpan {
  return { start: block * blockSize, end: Math.min((block + 1) * blockSize, inDim) }
}
