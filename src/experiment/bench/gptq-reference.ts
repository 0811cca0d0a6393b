/** GPTQ in float64 on the CPU: what the GPU's stages are timed beside, and checked against. MXFP4, natural order, fresh scales. */
import { choleskyWithInverse } from '../../core/cholesky'
import type { Matrix } from '../../core/matrix'

const BLOCK = 32
const DAMPING = 0.01
/** E2M1 magnitudes. */
const VALUES = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
const EMAX = 2

/** Σ over rows of (w − ŵ) H (w − ŵ)ᵀ with the damped H: what GPTQ makes small. */
export interface GptqReference {
  readonly objective: number
}

/** XᵀX, upper triangle mirrored, mean of the diagonal times DAMPING added to it. */
function dampedGram({ rows, cols, data }: Matrix): Float64Array {
  const gram = new Float64Array(cols * cols)
  for (let row = 0; row < rows; row++) {
    const at = row * cols
    for (let i = 0; i < cols; i++) {
      const x = data[at + i]
      const line = i * cols
      for (let j = i; j < cols; j++) gram[line + j] += x * data[at + j]
    }
  }
  let trace = 0
  for (let i = 0; i < cols; i++) trace += gram[i * (cols + 1)]
  for (let i = 0; i < cols; i++) {
    gram[i * (cols + 1)] += (DAMPING * trace) / cols
    for (let j = 0; j < i; j++) gram[i * cols + j] = gram[j * cols + i]
  }
  return gram
}

/** U with H⁻¹ = UᵀU from the Cholesky factor of the reversed matrix. */
async function upperFactor(gram: Float64Array, n: number, signal: AbortSignal): Promise<Float64Array> {
  const reversed = (row: number, column: number) => gram[(n - 1 - row) * n + (n - 1 - column)]
  const pair = await choleskyWithInverse(n, reversed, { signal, onPanel: () => {} })
  if (pair.kind === 'failed') throw new Error(`GPTQ reference: pivot ${pair.value} at ${pair.index}`)
  const u = new Float64Array(n * n)
  for (let row = 0; row < n; row++) {
    for (let column = row; column < n; column++) {
      // U = J L⁻¹ J
      const [r, c] = [n - 1 - row, n - 1 - column]
      u[row * n + column] = r === c ? 1 / pair.data[r * (pair.stride + 1)] : pair.data[r * pair.stride + c]
    }
  }
  return u
}

/** The nearest E2M1 value times 2^exponent, ties to even, saturating. */
function rounded(value: number, scale: number): number {
  const magnitude = Math.abs(value) / scale
  let code = 0
  while (code < VALUES.length - 1) {
    const middle = (VALUES[code] + VALUES[code + 1]) / 2
    if (magnitude < middle || (magnitude === middle && code % 2 === 0)) break
    code += 1
  }
  return Math.sign(value) * VALUES[code] * scale
}

function blockScale(row: Float64Array, start: number): number {
  let largest = 0
  for (let i = start; i < Math.min(start + BLOCK, row.length); i++) largest = Math.max(largest, Math.abs(row[i]))
  return largest === 0 ? 1 : 2 ** (Math.floor(Math.log2(largest)) - EMAX)
}

/** Σ d² of one row, which is left with its compensated values. */
function compensateRow(row: Float64Array, u: Float64Array): number {
  const n = row.length
  let loss = 0
  let scale = 1
  for (let i = 0; i < n; i++) {
    if (i % BLOCK === 0) scale = blockScale(row, i)
    const d = (row[i] - rounded(row[i], scale)) / u[i * (n + 1)]
    loss += d * d
    const line = i * n
    for (let j = i + 1; j < n; j++) row[j] -= d * u[line + j]
  }
  return loss
}

/** Runs GPTQ on `weight` [out, in] with calibration rows `x` [tokens, in]. Throws the signal's AbortError. */
export async function gptqReference(weight: Matrix, x: Matrix, signal: AbortSignal): Promise<GptqReference> {
  const u = await upperFactor(dampedGram(x), weight.cols, signal)
  let objective = 0
  for (let row = 0; row < weight.rows; row++) {
    signal.throwIfAborted()
    const values = Float64Array.from(weight.data.subarray(row * weight.cols, (row + 1) * weight.cols))
    objective += compensateRow(values, u)
  }
  return { objective }
}
