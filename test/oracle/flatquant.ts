/**
 * FlatQuant's objective and its gradients for one layer, in plain float64 loops, written from the formulas of the paper
 * (arXiv 2410.09426, section 3) and the chain rule. Imports types only.
 */
import type { Quantizer } from '../../src/formats/number-format'

/** A [rows, cols] table, row-major. */
export interface Table {
  readonly rows: number
  readonly cols: number
  readonly data: Float64Array
}

export interface OracleParameters {
  readonly theta: Float64Array
  /** [a, a] and [b, b] */
  readonly p1: Table
  readonly p2: Table
  /** Logits (low, high). */
  readonly activationClip: Float64Array
  /** Logits (low, high) per row [out, 2]. */
  readonly weightClip: Float64Array
}

export interface OracleProblem {
  readonly x: Table
  readonly w: Table
  readonly y: Table
  readonly weight: Quantizer | null
  readonly activation: Quantizer | null
}

export type OracleRule = 'pass' | 'saturation' | 'scale'

export interface OracleResult {
  /** ‖Ŷ − Y‖² and ‖Y‖² */
  readonly energy: number
  readonly referenceEnergy: number
  /** Gradients of ½‖Ŷ − Y‖² */
  readonly gradients: OracleParameters
}

const table = (rows: number, cols: number): Table => ({ rows, cols, data: new Float64Array(rows * cols) })

export function multiply(a: Table, b: Table): Table {
  const out = table(a.rows, b.cols)
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < b.cols; j++) {
      let sum = 0
      for (let k = 0; k < a.cols; k++) sum += a.data[i * a.cols + k] * b.data[k * b.cols + j]
      out.data[i * b.cols + j] = sum
    }
  return out
}

function accumulate(total: Table, term: Table): void {
  for (let i = 0; i < total.data.length; i++) total.data[i] += term.data[i]
}

export function transposed(a: Table): Table {
  const out = table(a.cols, a.rows)
  for (let i = 0; i < a.rows; i++) for (let j = 0; j < a.cols; j++) out.data[j * a.rows + i] = a.data[i * a.cols + j]
  return out
}

/** A⁻¹ by Gauss-Jordan elimination with partial pivoting. */
export function inverted(matrix: Table): Table {
  const n = matrix.rows
  const work = Array.from({ length: n }, (_, i) => [
    ...matrix.data.subarray(i * n, (i + 1) * n),
    ...Array.from({ length: n }, (_, j) => Number(i === j)),
  ])
  for (let col = 0; col < n; col++) {
    let pivot = col
    for (let row = col; row < n; row++) if (Math.abs(work[row][col]) > Math.abs(work[pivot][col])) pivot = row
    ;[work[col], work[pivot]] = [work[pivot], work[col]]
    const head = work[col][col]
    work[col] = work[col].map((value) => value / head)
    for (let row = 0; row < n; row++) {
      const factor = work[row][col]
      if (row !== col && factor !== 0) work[row] = work[row].map((value, k) => value - factor * work[col][k])
    }
  }
  return { rows: n, cols: n, data: Float64Array.from(work.flatMap((row) => row.slice(n))) }
}

const matOf = (row: Float64Array, a: number, b: number): Table => ({ rows: a, cols: b, data: row })

/** The largest power of two not above `value`, as an exponent. */
function floorExponent(value: number): number {
  let exponent = Math.floor(Math.log2(value))
  if (2 ** (exponent + 1) <= value) exponent++
  if (2 ** exponent > value) exponent--
  return exponent
}

function blockScale(amax: number, { format, scaleRule }: Quantizer): number {
  const { element } = format
  const exponent = floorExponent(amax)
  const mantissa = amax / 2 ** exponent
  const bits = element.kind === 'float' ? element.mantissaBits : element.fractionBits
  const up = {
    floor: false,
    ceil: mantissa > 1,
    even: mantissa >= 2 - 2 ** -(bits + 1),
    rceil: mantissa > element.maxFinite / 2 ** element.emax,
  }[scaleRule]
  return 2 ** (exponent + Number(up) - element.emax)
}

function roundElement(value: number, { format, rounding }: Quantizer): number {
  const { element } = format
  const magnitude = Math.abs(value)
  if (magnitude === 0) return 0
  const smallest = element.kind === 'float' ? 1 - element.bias : 0
  const bits = element.kind === 'float' ? element.mantissaBits : element.fractionBits
  const step = 2 ** (Math.max(floorExponent(magnitude), smallest) - bits)
  const units = magnitude / step
  const below = Math.floor(units)
  const rest = units - below
  const up = rest > 0.5 || (rest === 0.5 && (rounding === 'half-away' || (rounding === 'half-even' && below % 2 === 1)))
  const rounded = rounding === 'toward-zero' ? below : below + Number(up)
  return Math.sign(value) * Math.min(rounded * step, element.maxFinite)
}

interface Side {
  /** The scaled input z, mat(z) P2, and the transformed row. */
  readonly z: Table
  readonly right: Table
  readonly values: Table
  readonly quantized: Table
}

function transform(z: Table, p1: Table, p2: Table): { right: Table; values: Table } {
  const right = table(z.rows, z.cols)
  const values = table(z.rows, z.cols)
  for (let t = 0; t < z.rows; t++) {
    const row = z.data.subarray(t * z.cols, (t + 1) * z.cols)
    const product = multiply(matOf(row, p1.rows, p2.rows), p2)
    right.data.set(product.data, t * z.cols)
    values.data.set(multiply(transposed(p1), product).data, t * z.cols)
  }
  return { right, values }
}

interface Clip {
  readonly logits: Float64Array
  readonly shared: boolean
}

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

function rowClip(row: Float64Array, index: number, { logits, shared }: Clip) {
  const at = shared ? 0 : 2 * index
  const smallest = Math.min(...row)
  const largest = Math.max(...row)
  const minimum = shared ? Math.min(smallest, 0) : smallest
  const maximum = shared ? Math.max(largest, 0) : largest
  return {
    at,
    shares: [logistic(logits[at]), logistic(logits[at + 1])],
    extremes: [minimum, maximum],
    positions: [row.indexOf(smallest), row.indexOf(largest)],
    low: logistic(logits[at]) * minimum,
    high: logistic(logits[at + 1]) * maximum,
  }
}

const clampTo = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high)

function clipAndQuantize(values: Table, quantizer: Quantizer, clip: Clip): Table {
  const out = table(values.rows, values.cols)
  const factor = quantizer.preScale ?? 1
  for (let r = 0; r < values.rows; r++) {
    const row = values.data.subarray(r * values.cols, (r + 1) * values.cols)
    const { low, high } = rowClip(row, r, clip)
    for (let start = 0; start < row.length; start += quantizer.format.blockSize) {
      const block = [...row.subarray(start, start + quantizer.format.blockSize)].map((x) => clampTo(x, low, high))
      const amax = Math.max(...block.map(Math.abs))
      if (amax === 0) continue
      const scale = blockScale(amax, quantizer)
      block.forEach((m, i) => {
        out.data[r * values.cols + start + i] = (roundElement((m / scale) * factor, quantizer) * scale) / factor
      })
    }
  }
  return out
}

/** ∂/∂values from ∂/∂quantized; clip gradients are added to `clipGradient`. */
function straightThrough(
  g: Table,
  side: Side,
  {
    quantizer,
    clip,
    rule,
    clipGradient,
  }: { quantizer: Quantizer; clip: Clip; rule: OracleRule; clipGradient: Float64Array },
): Table {
  const out = table(g.rows, g.cols)
  const limitFactor = quantizer.format.element.maxFinite / (quantizer.preScale ?? 1)
  for (let r = 0; r < g.rows; r++) {
    const row = side.values.data.subarray(r * g.cols, (r + 1) * g.cols)
    const bounds = rowClip(row, r, clip)
    const gradient = out.data.subarray(r * g.cols, (r + 1) * g.cols)
    for (let start = 0; start < row.length; start += quantizer.format.blockSize) {
      const end = Math.min(row.length, start + quantizer.format.blockSize)
      const clamped = row.map((x) => clampTo(x, bounds.low, bounds.high))
      let amaxAt = start
      for (let i = start; i < end; i++) if (Math.abs(clamped[i]) > Math.abs(clamped[amaxAt])) amaxAt = i
      const amax = Math.abs(clamped[amaxAt])
      if (amax === 0) continue
      const limit = limitFactor * blockScale(amax, quantizer)
      let throughScale = 0
      for (let i = start; i < end; i++) {
        const passes = rule === 'pass' || Math.abs(clamped[i]) <= limit
        gradient[i] = passes ? g.data[r * g.cols + i] : 0
        throughScale += g.data[r * g.cols + i] * (side.quantized.data[r * g.cols + i] - (passes ? clamped[i] : 0))
      }
      if (rule === 'scale') gradient[amaxAt] += (Math.sign(clamped[amaxAt]) * throughScale) / amax
    }
    const sums = [0, 0]
    row.forEach((x, i) => {
      if (x < bounds.low || x > bounds.high) {
        sums[Number(x > bounds.high)] += gradient[i]
        gradient[i] = 0
      }
    })
    for (const end of [0, 1]) {
      const share = bounds.shares[end]
      clipGradient[bounds.at + end] += sums[end] * bounds.extremes[end] * share * (1 - share)
      if (bounds.extremes[end] !== 0) gradient[bounds.positions[end]] += sums[end] * share
    }
  }
  return out
}

function backward(gx: Table, side: Side, p1: Table, p2: Table): { gP1: Table; gP2: Table; gz: Table } {
  const gP1 = table(p1.rows, p1.rows)
  const gP2 = table(p2.rows, p2.rows)
  const gz = table(gx.rows, gx.cols)
  const rowOf = (m: Table, t: number) => matOf(m.data.subarray(t * m.cols, (t + 1) * m.cols), p1.rows, p2.rows)
  for (let t = 0; t < gx.rows; t++) {
    const left = multiply(p1, rowOf(gx, t))
    accumulate(gP1, multiply(rowOf(side.right, t), transposed(rowOf(gx, t))))
    accumulate(gP2, multiply(transposed(rowOf(side.z, t)), left))
    gz.data.set(multiply(left, transposed(p2)).data, t * gx.cols)
  }
  return { gP1, gP2, gz }
}

/** gP − A gAᵀ A, the gradient of P with A = P⁻ᵀ. */
function throughInverse(gP: Table, gA: Table, a: Table): Table {
  const correction = multiply(multiply(a, transposed(gA)), a)
  return { ...gP, data: gP.data.map((value, i) => value - correction.data[i]) }
}

/** One forward and backward pass. `rules` names the straight-through rule of each side. */
export function flatquantOracle(
  problem: OracleProblem,
  parameters: OracleParameters,
  rules: { weight: OracleRule; activation: OracleRule },
): OracleResult {
  const { x, w, y } = problem
  const { p1, p2, theta } = parameters
  const a1 = transposed(inverted(p1))
  const a2 = transposed(inverted(p2))
  const scaled = (m: Table, sign: number): Table => ({
    ...m,
    data: m.data.map((value, i) => value * Math.exp(sign * theta[i % m.cols])),
  })
  const clips = {
    activation: { logits: parameters.activationClip, shared: true },
    weight: { logits: parameters.weightClip, shared: false },
  }
  const forward = (z: Table, factors: [Table, Table], quantizer: Quantizer | null, clip: Clip): Side => {
    const { right, values } = transform(z, ...factors)
    return { z, right, values, quantized: quantizer ? clipAndQuantize(values, quantizer, clip) : values }
  }
  const xs = forward(scaled(x, 1), [p1, p2], problem.activation, clips.activation)
  const ws = forward(scaled(w, -1), [a1, a2], problem.weight, clips.weight)
  const estimate = multiply(xs.quantized, transposed(ws.quantized))
  const e: Table = { ...y, data: estimate.data.map((value, i) => value - y.data[i]) }

  const activationClip = new Float64Array(2)
  const weightClip = new Float64Array(2 * w.rows)
  const gXq = multiply(e, ws.quantized)
  const gWq = multiply(transposed(e), xs.quantized)
  const gX = problem.activation
    ? straightThrough(gXq, xs, {
        quantizer: problem.activation,
        clip: clips.activation,
        rule: rules.activation,
        clipGradient: activationClip,
      })
    : gXq
  const gW = problem.weight
    ? straightThrough(gWq, ws, {
        quantizer: problem.weight,
        clip: clips.weight,
        rule: rules.weight,
        clipGradient: weightClip,
      })
    : gWq
  const bx = backward(gX, xs, p1, p2)
  const bw = backward(gW, ws, a1, a2)
  const gTheta = new Float64Array(theta.length)
  for (let i = 0; i < x.data.length; i++) gTheta[i % x.cols] += bx.gz.data[i] * xs.z.data[i]
  for (let i = 0; i < w.data.length; i++) gTheta[i % x.cols] -= bw.gz.data[i] * ws.z.data[i]
  return {
    energy: e.data.reduce((sum, v) => sum + v * v, 0),
    referenceEnergy: y.data.reduce((sum, v) => sum + v * v, 0),
    gradients: {
      theta: gTheta,
      p1: throughInverse(bx.gP1, bw.gP1, a1),
      p2: throughInverse(bx.gP2, bw.gP2, a2),
      activationClip,
      weightClip,
    },
  }
}
