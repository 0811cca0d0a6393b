/**
 * The Cholesky factor of a symmetric positive-definite matrix together with the factor's inverse, in float64, in one
 * pass over panels of columns. Symbols: A = L Lᵀ with L lower triangular, M = L⁻¹.
 */

/** Columns eliminated together: long enough for the inner products, small enough for the first cache. */
const PANEL = 64

/** Multiply-adds between two returns to the event loop: about 30 ms. */
const BREATH = 2 ** 26

/**
 * L and M in one square array of `stride` columns: element (r, c) with c ≥ r is Lᵀ[r, c] = L[c, r], with c < r it is
 * M[r, c]. M[r, r] is 1 / L[r, r]. Rows and columns from `size` on belong to the identity that fills the last panel.
 */
export interface CholeskyPair {
  readonly kind: 'factored'
  readonly size: number
  readonly stride: number
  readonly data: Float64Array
}

/** A pivot that was not positive and finite: the matrix is not positive definite, or holds NaN or infinity. */
export interface FailedPivot {
  readonly kind: 'failed'
  readonly index: number
  readonly value: number
}

export interface CholeskyOptions {
  /** Checked whenever the work returns to the event loop; aborted, the call rejects with its AbortError. */
  readonly signal: AbortSignal
  readonly onPanel: (done: number, total: number) => void
}

interface Workspace {
  readonly stride: number
  /** Rows before the panel: Lᵀ and M, final. From it on: the Schur complement from the diagonal, L M left of it. */
  readonly data: Float64Array
  /** L of the panel's diagonal block, [PANEL, PANEL]. */
  readonly block: Float64Array
  /** Row j: what column j of the panel's rows becomes, [stride, PANEL]. */
  readonly columns: Float64Array
}

/**
 * L and M = L⁻¹ of the symmetric matrix whose element (row, col), row ≤ col < size, is `element(row, col)`; or the first
 * pivot that is not positive and finite.
 *
 * Accuracy: |L Lᵀ − A| ≤ size · 2^-52 · trace(A) in each element. Work: size³ / 3 multiply-adds. Memory: size² · 8 bytes.
 */
export async function choleskyWithInverse(
  size: number,
  element: (row: number, col: number) => number,
  { signal, onPanel }: CholeskyOptions,
): Promise<CholeskyPair | FailedPivot> {
  const stride = Math.ceil(size / PANEL) * PANEL
  const work: Workspace = {
    stride,
    data: new Float64Array(stride * stride),
    block: new Float64Array(PANEL * PANEL),
    columns: new Float64Array(stride * PANEL),
  }
  for (let row = 0; row < size; row++) {
    for (let col = row; col < size; col++) work.data[row * stride + col] = element(row, col)
  }
  for (let row = size; row < stride; row++) work.data[row * stride + row] = 1

  let pending = BREATH
  for (let begin = 0; begin < stride; begin += PANEL) {
    if (pending >= BREATH) {
      await new Promise<void>((resolve) => setTimeout(resolve))
      signal.throwIfAborted()
      pending = 0
    }
    const failure = factorBlock(work, begin)
    if (failure) return failure
    solvePanel(work, begin)
    updateRows(work, begin + PANEL)
    const rest = stride - begin - PANEL
    pending += (PANEL * (rest + stride) * (rest + PANEL)) / 2
    onPanel(begin / PANEL + 1, stride / PANEL)
  }
  return { kind: 'factored', size, stride, data: work.data }
}

/** L of the diagonal block at `begin`, into `block` and, transposed, into the upper triangle of `data`. */
function factorBlock({ stride, data, block }: Workspace, begin: number): FailedPivot | null {
  for (let col = 0; col < PANEL; col++) {
    for (let row = col; row < PANEL; row++) {
      const at = (begin + col) * stride + begin + row
      let sum = data[at]
      for (let k = 0; k < col; k++) sum -= block[row * PANEL + k] * block[col * PANEL + k]
      if (row === col && !(sum > 0 && sum < Number.POSITIVE_INFINITY)) {
        return { kind: 'failed', index: begin + col, value: sum }
      }
      const value = row === col ? Math.sqrt(sum) : sum / block[col * PANEL + col]
      block[row * PANEL + col] = value
      data[at] = value
    }
  }
  return null
}

/**
 * Solves L x = b for every column b of the panel's rows: on the right of the block that is Lᵀ, on its left M, and inside
 * it b is a column of the identity, so that x is M there too.
 */
function solvePanel({ stride, data, block, columns }: Workspace, begin: number): void {
  const end = begin + PANEL
  for (let col = 0; col < stride; col++) {
    const x = columns.subarray(col * PANEL, (col + 1) * PANEL)
    const inside = col >= begin && col < end
    for (let row = 0; row < PANEL; row++) {
      const at = (begin + row) * stride + col
      let sum = data[at]
      if (inside) sum = begin + row === col ? 1 : 0
      for (let k = 0; k < row; k++) sum -= block[row * PANEL + k] * x[k]
      x[row] = sum / block[row * PANEL + row]
      if (!inside || begin + row > col) data[at] = x[row]
    }
  }
}

/**
 * Subtracts the panel's share from every row i below it: L[i, panel] times M on the left, times Lᵀ from the diagonal on.
 * Two rows by four columns at a time, so that eight sums stay in registers.
 */
function updateRows({ stride, data, columns }: Workspace, begin: number): void {
  for (let i = begin; i < stride; i += 2) {
    // The square of four that holds the diagonal is computed whole; nothing reads what lies below the diagonal, and what
    // lies below the next panel's block is still zero, as its sums L M begin.
    const diagonal = i - (i % 4)
    for (let j = 0; j < stride; j = j + 4 === begin ? diagonal : j + 4) updateTile(data, columns, { stride, i, j })
  }
}

function updateTile(
  data: Float64Array,
  columns: Float64Array,
  { stride, i, j }: { readonly stride: number; readonly i: number; readonly j: number },
): void {
  const a0 = i * PANEL
  const a1 = a0 + PANEL
  const b0 = j * PANEL
  const b1 = b0 + PANEL
  const b2 = b1 + PANEL
  const b3 = b2 + PANEL
  let s00 = 0
  let s01 = 0
  let s02 = 0
  let s03 = 0
  let s10 = 0
  let s11 = 0
  let s12 = 0
  let s13 = 0
  for (let k = 0; k < PANEL; k++) {
    const top = columns[a0 + k]
    const bottom = columns[a1 + k]
    let right = columns[b0 + k]
    s00 += top * right
    s10 += bottom * right
    right = columns[b1 + k]
    s01 += top * right
    s11 += bottom * right
    right = columns[b2 + k]
    s02 += top * right
    s12 += bottom * right
    right = columns[b3 + k]
    s03 += top * right
    s13 += bottom * right
  }
  const first = i * stride + j
  data[first] -= s00
  data[first + 1] -= s01
  data[first + 2] -= s02
  data[first + 3] -= s03
  const second = first + stride
  data[second] -= s10
  data[second + 1] -= s11
  data[second + 2] -= s12
  data[second + 3] -= s13
}
