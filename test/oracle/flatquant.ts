/**
 * FlatQuant's objective and its gradients for one layer, in plain float64 loops, written from the formulas of the paper
 * (arXiv 2410.09426, section 3) and the chain rule. Imports types only, and the oracle of the quantizers.
 */
import type { IntegerQuantizer, Quantizer } from '../../src/formats/number-format'
import { blockLength, extentOf, type QuantizedBlock, quantizeBlock, quantizeWithin } from './block-quantizers'

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

export interface Clip {
  readonly logits: Float64Array
  readonly shared: boolean
}

/** FlatQuant's activation clip under symmetric integers per row: it shrinks the range of the scale, the codes clamp. */
const setsRange = (quantizer: Quantizer, { shared }: Clip): quantizer is IntegerQuantizer =>
  shared && quantizer.family === 'integer' && quantizer.group === 'row' && quantizer.scheme !== 'asym'

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

/** What a quantizer is straight-through about. */
export interface Rounding {
  readonly quantizer: Quantizer
  readonly clip: Clip
  readonly rule: OracleRule
}

/** A block of clipped values as it was rounded. */
interface RoundedBlock extends QuantizedBlock, ClippedBlock {}

interface ClippedBlock {
  readonly row: number
  readonly start: number
  /** The values themselves where the clip sets the range. */
  readonly clipped: readonly number[]
  /** Both ends of the row's clipped range, without sign. */
  readonly ends: readonly [number, number]
}

/** Row by row the clipped values, in blocks of the quantizer. */
function clippedBlocks(values: Table, { quantizer, clip }: Rounding): ClippedBlock[] {
  const length = blockLength(quantizer, values.cols)
  return Array.from({ length: values.rows }, (_, row) => {
    const data = values.data.subarray(row * values.cols, (row + 1) * values.cols)
    const { low, high } = rowClip(data, row, clip)
    const clipped = setsRange(quantizer, clip) ? [...data] : [...data].map((x) => clampTo(x, low, high))
    const ends: readonly [number, number] = [-low, high]
    return Array.from({ length: Math.ceil(values.cols / length) }, (__, block) => ({
      row,
      start: block * length,
      clipped: clipped.slice(block * length, (block + 1) * length),
      ends,
    }))
  }).flat()
}

function roundBlocks(values: Table, rounding: Rounding): RoundedBlock[] {
  const { quantizer, clip } = rounding
  const blocks = clippedBlocks(values, rounding)
  if (setsRange(quantizer, clip)) {
    return blocks.map((block) => ({ ...block, ...quantizeWithin(block.clipped, quantizer, Math.max(...block.ends)) }))
  }
  const tensorLargest = Math.max(...blocks.flatMap(({ clipped }) => clipped.map(Math.abs)))
  return blocks.map((block) => ({ ...block, ...quantizeBlock(block.clipped, quantizer, tensorLargest) }))
}

/** `values` clipped and quantized. */
export function roundedOracle(values: Table, rounding: Rounding): Table {
  return assembled(values, roundBlocks(values, rounding))
}

function assembled(
  { rows, cols }: Table,
  blocks: readonly { row: number; start: number; values: readonly number[] }[],
) {
  const out = table(rows, cols)
  for (const { row, start, values } of blocks) out.data.set(values, row * cols + start)
  return out
}

/** 1 where an element keeps a gradient of its own. */
const ownShares = ({ clipped, limits }: RoundedBlock, rule: OracleRule) =>
  clipped.map((m) => Number(rule === 'pass' || (m >= -limits.below && m <= limits.above)))

/** What the block's scale is proportional to. */
const sizeOf = ({ clipped, ends }: ClippedBlock, { quantizer, clip }: Rounding) =>
  setsRange(quantizer, clip) ? Math.max(...ends) : extentOf(clipped, quantizer).size

/** ∂/∂transformed from g = ∂/∂quantized; clip gradients are added to `clipGradient`. */
export function straightThroughOracle(
  g: Table,
  transformed: Table,
  rounding: Rounding,
  clipGradient: Float64Array,
): Table {
  const { quantizer, clip, rule } = rounding
  const out = table(g.rows, g.cols)
  const isRange = setsRange(quantizer, clip)
  const throughRange = new Float64Array(2 * g.rows)
  for (const block of roundBlocks(transformed, rounding)) {
    const own = ownShares(block, rule)
    const at = block.row * g.cols + block.start
    let throughScale = 0
    block.clipped.forEach((m, i) => {
      out.data[at + i] = own[i] * g.data[at + i]
      throughScale += g.data[at + i] * (block.values[i] - own[i] * m)
    })
    if (rule !== 'scale' || block.isCapped) continue
    if (isRange) {
      const ruling = Number(block.ends[1] >= block.ends[0])
      throughRange[2 * block.row + ruling] = ((ruling ? 1 : -1) * throughScale) / block.ends[ruling]
      continue
    }
    const { size, parts } = extentOf(block.clipped, quantizer)
    for (const { index, sign } of parts) out.data[at + index] += (sign * throughScale) / size
  }
  for (let r = 0; r < g.rows; r++) {
    const row = transformed.data.subarray(r * g.cols, (r + 1) * g.cols)
    const bounds = rowClip(row, r, clip)
    const gradient = out.data.subarray(r * g.cols, (r + 1) * g.cols)
    const sums = [throughRange[2 * r], throughRange[2 * r + 1]]
    row.forEach((x, i) => {
      if (!isRange && (x < bounds.low || x > bounds.high)) {
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

/** The rule of each side. */
export type OracleRules = Readonly<Record<'weight' | 'activation', OracleRule>>

interface Forward {
  readonly xs: Side
  readonly ws: Side
  readonly a1: Table
  readonly a2: Table
  /** Ŷ − Y */
  readonly e: Table
}

const energyOf = ({ data }: Table) => data.reduce((sum, value) => sum + value * value, 0)

function roundingsOf(problem: OracleProblem, parameters: OracleParameters, rules: OracleRules) {
  const rounding = (side: 'weight' | 'activation', clip: Clip): Rounding | null => {
    const quantizer = problem[side]
    return quantizer && { quantizer, clip, rule: rules[side] }
  }
  return {
    activation: rounding('activation', { logits: parameters.activationClip, shared: true }),
    weight: rounding('weight', { logits: parameters.weightClip, shared: false }),
  }
}

/** The forward pass; `round` turns the transformed values of a side into what is multiplied. */
function forwardPass(
  { x, w, y }: OracleProblem,
  { p1, p2, theta }: OracleParameters,
  round: (side: 'weight' | 'activation', values: Table) => Table,
): Forward {
  const a1 = transposed(inverted(p1))
  const a2 = transposed(inverted(p2))
  const scaled = (m: Table, sign: number): Table => ({
    ...m,
    data: m.data.map((value, i) => value * Math.exp(sign * theta[i % m.cols])),
  })
  const sideOf = (name: 'weight' | 'activation', z: Table, factors: [Table, Table]): Side => {
    const { right, values } = transform(z, ...factors)
    return { z, right, values, quantized: round(name, values) }
  }
  const xs = sideOf('activation', scaled(x, 1), [p1, p2])
  const ws = sideOf('weight', scaled(w, -1), [a1, a2])
  const estimate = multiply(xs.quantized, transposed(ws.quantized))
  return { xs, ws, a1, a2, e: { ...y, data: estimate.data.map((value, i) => value - y.data[i]) } }
}

/** One forward and backward pass. `rules` names the straight-through rule of each side. */
export function flatquantOracle(
  problem: OracleProblem,
  parameters: OracleParameters,
  rules: OracleRules,
): OracleResult {
  const { x, w, y } = problem
  const { p1, p2, theta } = parameters
  const roundings = roundingsOf(problem, parameters, rules)
  const { xs, ws, a1, a2, e } = forwardPass(problem, parameters, (side, values) => {
    const rounding = roundings[side]
    return rounding ? roundedOracle(values, rounding) : values
  })
  const activationClip = new Float64Array(2)
  const weightClip = new Float64Array(2 * w.rows)
  const gXq = multiply(e, ws.quantized)
  const gWq = multiply(transposed(e), xs.quantized)
  const gX = roundings.activation ? straightThroughOracle(gXq, xs.values, roundings.activation, activationClip) : gXq
  const gW = roundings.weight ? straightThroughOracle(gWq, ws.values, roundings.weight, weightClip) : gWq
  const bx = backward(gX, xs, p1, p2)
  const bw = backward(gW, ws, a1, a2)
  const gTheta = new Float64Array(theta.length)
  for (let i = 0; i < x.data.length; i++) gTheta[i % x.cols] += bx.gz.data[i] * xs.z.data[i]
  for (let i = 0; i < w.data.length; i++) gTheta[i % x.cols] -= bw.gz.data[i] * ws.z.data[i]
  return {
    energy: energyOf(e),
    referenceEnergy: energyOf(y),
    gradients: {
      theta: gTheta,
      p1: throughInverse(bx.gP1, bw.gP1, a1),
      p2: throughInverse(bx.gP2, bw.gP2, a2),
      activationClip,
      weightClip,
    },
  }
}

/**
 * ½‖Ŷ − Y‖² as a smooth function of the parameters: what the straight-through rules differentiate. Every rounded value
 * is replaced by σ m + δ, σ and δ frozen at `base`, and under the rule 'scale' δ grows with what the scale follows.
 */
export function smoothObjective(
  problem: OracleProblem,
  base: OracleParameters,
  rules: OracleRules,
): (parameters: OracleParameters) => number {
  const frozen = new Map<string, readonly RoundedBlock[]>()
  const atBase = roundingsOf(problem, base, rules)
  forwardPass(problem, base, (side, values) => {
    const rounding = atBase[side]
    if (!rounding) return values
    frozen.set(side, roundBlocks(values, rounding))
    return assembled(values, frozen.get(side) ?? [])
  })
  return (parameters) => {
    const roundings = roundingsOf(problem, parameters, rules)
    const { e } = forwardPass(problem, parameters, (side, values) => {
      const rounding = roundings[side]
      if (!rounding) return values
      const { rule } = rounding
      const moved = clippedBlocks(values, rounding)
      const smooth = (frozen.get(side) ?? []).map((block, b) => {
        const own = ownShares(block, rule)
        const growth = rule === 'scale' && !block.isCapped ? sizeOf(moved[b], rounding) / sizeOf(block, rounding) : 1
        const offset = (i: number) => block.values[i] - own[i] * block.clipped[i]
        return { ...block, values: moved[b].clipped.map((m, i) => own[i] * m + growth * offset(i)) }
      })
      return assembled(values, smooth)
    })
    return energyOf(e) / 2
  }
}
