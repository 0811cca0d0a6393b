/** A matrix on the CPU. Row-major: element (r, c) is data[r * cols + c]. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float32Array
}

/** One linear layer. output [tokens, out] = activations [tokens, in] · weightᵀ, weight [out, in]. */
export interface Layer<M = Matrix> {
  readonly name: string
  readonly weight: M
  readonly activations: M
}

/** A zero-filled matrix of `rows` x `cols`. */
export function zeros(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float32Array(rows * cols) }
}
