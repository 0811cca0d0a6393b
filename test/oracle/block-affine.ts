/**
 * The objective ½‖X̂ Ŵᵀ − Y‖² of a block affine transform with block clips, and its gradients, in plain float64 loops
 * from the chain rule. X' = (X · d) R, W' = (W / d) R⁻ᵀ, R block-diagonal. Imports types only, and other oracles.
 */
import {
  inverted,
  multiply,
  type OracleProblem,
  type OracleRules,
  type Rounding,
  roundedOracle,
  straightThroughOracle,
  type Table,
  transposed,
} from './flatquant'

export interface BlockAffineParameters {
  /** d [in] */
  readonly scale: Float64Array
  /** The square blocks of R in order. */
  readonly blocks: readonly Table[]
  readonly activationClip: OracleClip | null
  readonly weightClip: OracleClip | null
}

/** Blocks of `width` columns are cut to ± s(c) of their largest magnitude; one c per position where `shared`. */
export interface OracleClip {
  readonly width: number
  readonly shared: boolean
  readonly logits: Float64Array
}

export type SideName = 'activation' | 'weight'
/** Turns the clipped values of a side into what is multiplied. */
export type Round = (side: SideName, clipped: Table) => Table

export interface BlockAffineGradients {
  readonly blocks: Float64Array
  readonly activationClip: Float64Array | null
  readonly weightClip: Float64Array | null
}

/** A row clip with shares of exactly one, which cuts nothing. */
const NO_CLIP = { logits: Float64Array.of(60, 60), shared: true }

const zeros = (rows: number, cols: number): Table => ({ rows, cols, data: new Float64Array(rows * cols) })
const logistic = (x: number) => 1 / (1 + Math.exp(-x))

/** Columns start … start + cols − 1 of `m`. */
function columns(m: Table, start: number, cols: number): Table {
  const out = zeros(m.rows, cols)
  for (let r = 0; r < m.rows; r++)
    for (let c = 0; c < cols; c++) out.data[r * cols + c] = m.data[r * m.cols + start + c]
  return out
}

/** matrix · blockdiag(blocks) */
function applied(matrix: Table, blocks: readonly Table[]): Table {
  const out = zeros(matrix.rows, matrix.cols)
  blocks.forEach((block, index) => {
    const start = index * block.rows
    const product = multiply(columns(matrix, start, block.rows), block)
    for (let r = 0; r < matrix.rows; r++)
      for (let c = 0; c < block.cols; c++) out.data[r * matrix.cols + start + c] = product.data[r * block.cols + c]
  })
  return out
}

function scaled(m: Table, factor: (channel: number) => number): Table {
  return { ...m, data: m.data.map((value, i) => value * factor(i % m.cols)) }
}

/** What a clip does to one block: where it is, its logit, share and bound, and the first of its largest elements. */
function clippedBlocks(values: Table, { width, shared, logits }: OracleClip) {
  const blocks = Math.ceil(values.cols / width)
  return Array.from({ length: values.rows * blocks }, (_, index) => {
    const [row, block] = [Math.floor(index / blocks), index % blocks]
    const start = row * values.cols + block * width
    const data = [...values.data.subarray(start, row * values.cols + Math.min((block + 1) * width, values.cols))]
    const peak = Math.max(...data.map(Math.abs))
    const at = shared ? block : index
    const share = logistic(logits[at])
    return { start, data, peak, at, share, peakAt: data.findIndex((value) => Math.abs(value) === peak) }
  })
}

function clipped(values: Table, clip: OracleClip | null): Table {
  if (!clip) return values
  const out = zeros(values.rows, values.cols)
  for (const { start, data, peak, share } of clippedBlocks(values, clip)) {
    out.data.set(
      data.map((value) => Math.sign(value) * Math.min(Math.abs(value), share * peak)),
      start,
    )
  }
  return out
}

/** ∂/∂values from g = ∂/∂clipped, in place, and ∂/∂logits. */
function throughClip(g: Table, values: Table, clip: OracleClip): Float64Array {
  const gradient = new Float64Array(clip.logits.length)
  for (const { start, data, peak, at, share, peakAt } of clippedBlocks(values, clip)) {
    let sum = 0
    data.forEach((value, i) => {
      if (Math.abs(value) <= share * peak) return
      sum += Math.sign(value) * g.data[start + i]
      g.data[start + i] = 0
    })
    gradient[at] += sum * peak * share * (1 - share)
    g.data[start + peakAt] += sum * share * Math.sign(data[peakAt])
  }
  return gradient
}

function forward({ x, w, y }: OracleProblem, parameters: BlockAffineParameters, round: Round) {
  const { scale, blocks, activationClip, weightClip } = parameters
  const inverses = blocks.map((block) => transposed(inverted(block)))
  const side = (name: SideName, z: Table, matrices: readonly Table[], clip: OracleClip | null) => {
    const values = applied(z, matrices)
    const cut = clipped(values, clip)
    return { z, values, cut, quantized: round(name, cut) }
  }
  const xs = side(
    'activation',
    scaled(x, (c) => scale[c]),
    blocks,
    activationClip,
  )
  const ws = side(
    'weight',
    scaled(w, (c) => 1 / scale[c]),
    inverses,
    weightClip,
  )
  const estimate = multiply(xs.quantized, transposed(ws.quantized))
  const e: Table = { ...y, data: estimate.data.map((value, i) => value - y.data[i]) }
  return { xs, ws, inverses, e }
}

const energyOf = ({ data }: Table) => data.reduce((sum, value) => sum + value * value, 0)

/** ½‖Ŷ − Y‖² with sides rounded by `round`. */
export function objective(problem: OracleProblem, parameters: BlockAffineParameters, round: Round): number {
  return energyOf(forward(problem, parameters, round).e) / 2
}

function roundingOf(problem: OracleProblem, side: SideName, rules: OracleRules): Rounding | null {
  const quantizer = problem[side]
  return quantizer && { quantizer, clip: NO_CLIP, rule: rules[side] }
}

const rounder =
  (problem: OracleProblem, rules: OracleRules): Round =>
  (side, values) => {
    const rounding = roundingOf(problem, side, rules)
    return rounding ? roundedOracle(values, rounding) : values
  }

/** Energy ‖Ŷ − Y‖² and the gradients of half of it, by the straight-through rule of each side. */
export function blockAffineOracle(
  problem: OracleProblem,
  parameters: BlockAffineParameters,
  rules: OracleRules,
): { readonly energy: number; readonly gradients: BlockAffineGradients } {
  const { xs, ws, inverses, e } = forward(problem, parameters, rounder(problem, rules))
  const back = (name: SideName, g: Table, { values, cut }: typeof xs, clip: OracleClip | null) => {
    const rounding = roundingOf(problem, name, rules)
    const before = rounding ? straightThroughOracle(g, cut, rounding, new Float64Array(2)) : g
    return { g: before, clip: clip && throughClip(before, values, clip) }
  }
  const gx = back('activation', multiply(e, ws.quantized), xs, parameters.activationClip)
  const gw = back('weight', multiply(transposed(e), xs.quantized), ws, parameters.weightClip)
  const blocks = inverses.flatMap((a, index) => {
    const size = a.rows
    const part = (m: Table) => columns(m, index * size, size)
    const gP = multiply(transposed(part(xs.z)), part(gx.g))
    const gA = multiply(transposed(part(ws.z)), part(gw.g))
    const correction = multiply(multiply(a, transposed(gA)), a)
    return [...gP.data].map((value, i) => value - correction.data[i])
  })
  return {
    energy: energyOf(e),
    gradients: { blocks: Float64Array.from(blocks), activationClip: gx.clip, weightClip: gw.clip },
  }
}

/**
 * Rounding replaced by what it does to a small change: y = σ m + (y₀ − σ m₀) · r / r₀, where r is the largest magnitude
 * of a block of `width` under the scale rule and constant under saturation. σ as at m₀, the values at `parameters`.
 */
export function frozenRounding(
  problem: OracleProblem,
  parameters: BlockAffineParameters,
  rules: OracleRules,
  width: number,
): Round {
  const { xs, ws } = forward(problem, parameters, rounder(problem, rules))
  const frozen = { activation: xs, weight: ws }
  return (side, m) => {
    const rounding = roundingOf(problem, side, rules)
    if (!rounding) return m
    const { cut: m0, quantized: y0 } = frozen[side]
    const ones = { ...m0, data: new Float64Array(m0.data.length).fill(1) }
    const own = straightThroughOracle(ones, m0, { ...rounding, rule: 'saturation' }, new Float64Array(2)).data
    const peakOf = (values: Table, i: number) => {
      const start = i - ((i % values.cols) % width)
      return Math.max(...[...values.data.subarray(start, start + width)].map(Math.abs))
    }
    const growth = (i: number) => (rounding.rule === 'scale' ? peakOf(m, i) / peakOf(m0, i) : 1)
    const data = m.data.map((value, i) => own[i] * value + (y0.data[i] - own[i] * m0.data[i]) * growth(i))
    return { ...m, data }
  }
}
