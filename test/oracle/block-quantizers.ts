/**
 * Every quantizer on one block in plain float64, from the definitions (OCP MX v1.0; NVFP4 and arXiv 2512.02010; the
 * integers of QuaRot and GPTQ), with what a straight-through gradient must know: which magnitudes saturate, and what
 * the scale follows. Imports types only.
 */
import type {
  FixedElement,
  FloatElement,
  IntegerQuantizer,
  MxQuantizer,
  NvfpQuantizer,
  Quantizer,
  Rounding,
} from '../../src/formats/number-format'

export interface Limits {
  readonly below: number
  readonly above: number
}

export interface QuantizedBlock {
  readonly values: readonly number[]
  /** Largest magnitudes that do not saturate, below and above zero. */
  readonly limits: Limits
  /** The scale has reached its largest value and follows nothing. */
  readonly isCapped: boolean
}

/** The part of a block its scale is proportional to, as a sum of signed elements. */
export interface Extent {
  readonly size: number
  readonly parts: readonly { readonly index: number; readonly sign: number }[]
}

interface Grid {
  readonly mantissaBits: number
  readonly smallestExponent: number
  readonly largest: number
}

const E4M3: Grid = { mantissaBits: 3, smallestExponent: -6, largest: 448 }

const gridOf = (element: FloatElement<4 | 6 | 8 | 16> | FixedElement): Grid => ({
  mantissaBits: element.kind === 'float' ? element.mantissaBits : element.fractionBits,
  smallestExponent: element.kind === 'float' ? 1 - element.bias : 0,
  largest: element.maxFinite,
})

const evenly = (limit: number): Limits => ({ below: limit, above: limit })

const largestOf = (block: readonly number[]) => Math.max(...block.map(Math.abs))

/** The largest power of two not above `value`, as an exponent. */
function floorExponent(value: number): number {
  let exponent = Math.floor(Math.log2(value))
  if (2 ** (exponent + 1) <= value) exponent++
  if (2 ** exponent > value) exponent--
  return exponent
}

function roundUnits(units: number, rounding: Rounding): number {
  const below = Math.floor(units)
  const rest = units - below
  const up = rest > 0.5 || (rest === 0.5 && (rounding === 'half-away' || (rounding === 'half-even' && below % 2 === 1)))
  return rounding === 'toward-zero' ? below : below + Number(up)
}

function roundTo(value: number, grid: Grid, rounding: Rounding): number {
  const magnitude = Math.abs(value)
  if (magnitude === 0) return 0
  const step = 2 ** (Math.max(floorExponent(magnitude), grid.smallestExponent) - grid.mantissaBits)
  return Math.sign(value) * Math.min(roundUnits(magnitude / step, rounding) * step, grid.largest)
}

const nearestInteger = (value: number) => Math.sign(value) * roundUnits(Math.abs(value), 'half-even')

/** The candidate with the smallest error; the first of equals. */
function best(candidates: readonly QuantizedBlock[], errorOf: (candidate: QuantizedBlock) => number): QuantizedBlock {
  return candidates.reduce((kept, next) => (errorOf(next) < errorOf(kept) ? next : kept))
}

const squares = (differences: readonly number[]) => differences.reduce((sum, value) => sum + value * value, 0)

function mxScales(largest: number, { format, scaleRule }: MxQuantizer): readonly number[] {
  const grid = gridOf(format.element)
  if (scaleRule === 'fp32') return [Math.fround(largest / grid.largest)]
  const exponent = floorExponent(largest)
  const mantissa = largest / 2 ** exponent
  const power = (up: boolean) => 2 ** (exponent + Number(up) - format.element.emax)
  if (scaleRule === 'best') return [power(false), power(true)]
  const up = {
    floor: false,
    ceil: mantissa > 1,
    even: mantissa >= 2 - 2 ** -(grid.mantissaBits + 1),
    rceil: mantissa > grid.largest / 2 ** format.element.emax,
  }[scaleRule]
  return [power(up)]
}

function quantizeMx(block: readonly number[], quantizer: MxQuantizer): QuantizedBlock {
  const { format, rounding, preScale, scaleRule } = quantizer
  const grid = gridOf(format.element)
  const before = preScale?.variant === 'literal' ? preScale.factor : 1
  const inside = preScale?.variant === 'exact' ? preScale.factor : 1
  const candidates = mxScales(before * largestOf(block), quantizer).map((scale) => ({
    values: block.map((m) => (roundTo(((before * m) / scale) * inside, grid, rounding) * scale) / inside / before),
    limits: evenly(scaleRule === 'fp32' ? Infinity : (grid.largest * scale) / inside / before),
    isCapped: false,
  }))
  return best(candidates, ({ values }) => squares(values.map((value, i) => value - block[i])))
}

function quantizeNvfp(
  block: readonly number[],
  { format, fourOverSix, tensorScale }: NvfpQuantizer,
  tensorLargest: number,
): QuantizedBlock {
  const tensor = tensorScale ? Math.fround(tensorLargest / (fourOverSix ? 1536 : 2688)) : 1
  const grid = gridOf(format.element)
  const limit = tensorScale ? Infinity : grid.largest * E4M3.largest
  const largest = largestOf(block)
  const candidates = (fourOverSix ? [6, 4] : [6]).map((top) => {
    const scale = roundTo(largest / (top * tensor), E4M3, 'half-even') * tensor
    const values = block.map((m) => (scale === 0 ? 0 : roundTo(m / scale, grid, 'half-even') * scale))
    return { values, limits: evenly(limit), isCapped: largest > limit }
  })
  return best(candidates, ({ values }) => {
    const differences = values.map((value, i) => Math.abs(value - block[i]))
    if (fourOverSix === 'max') return Math.max(...differences)
    return fourOverSix === 'mae' ? differences.reduce((sum, value) => sum + value, 0) : squares(differences)
  })
}

function quantizeInteger(block: readonly number[], { format, scheme }: IntegerQuantizer): QuantizedBlock {
  const codes = 2 ** format.element.bits
  const [lowest, highest] = [Math.min(0, ...block), Math.max(0, ...block)]
  const steps = { 'sym-max': codes / 2 - 1, 'sym-half': (codes - 1) / 2, asym: codes - 1 }[scheme]
  const scale = (scheme === 'asym' ? highest - lowest : largestOf(block)) / steps
  const zero = scheme === 'asym' ? nearestInteger(-lowest / scale) : codes / 2
  const values = block.map((m) => (Math.min(Math.max(nearestInteger(m / scale) + zero, 0), codes - 1) - zero) * scale)
  return { values, limits: evenly(Infinity), isCapped: false }
}

/** Symmetric integers whose scale makes `largest` the outermost positive code (sym-half: half a code more). */
export function quantizeWithin(
  block: readonly number[],
  { format, scheme }: IntegerQuantizer,
  largest: number,
): QuantizedBlock {
  if (largest === 0) return { values: block.map(() => 0), limits: evenly(Infinity), isCapped: true }
  const half = 2 ** (format.element.bits - 1)
  const scale = largest / (scheme === 'sym-half' ? half - 1 / 2 : half - 1)
  const values = block.map((m) => Math.min(Math.max(nearestInteger(m / scale), -half), half - 1) * scale)
  return { values, limits: { below: (half + 1 / 2) * scale, above: (half - 1 / 2) * scale }, isCapped: false }
}

/** The block quantized; `tensorLargest` is the largest magnitude of the whole tensor. An all-zero block stays zero. */
export function quantizeBlock(block: readonly number[], quantizer: Quantizer, tensorLargest: number): QuantizedBlock {
  if (largestOf(block) === 0) return { values: block, limits: evenly(Infinity), isCapped: true }
  switch (quantizer.family) {
    case 'mx':
      return quantizeMx(block, quantizer)
    case 'nvfp':
      return quantizeNvfp(block, quantizer, tensorLargest)
    case 'integer':
      return quantizeInteger(block, quantizer)
    case 'sixteen-bit': {
      const grid = gridOf(quantizer.format.element)
      const values = block.map((m) => roundTo(m, grid, 'half-even'))
      return { values, limits: evenly(grid.largest), isCapped: true }
    }
    default:
      return quantizer satisfies never
  }
}

/** Elements of a row that share a scale. */
export function blockLength(quantizer: Quantizer, cols: number): number {
  if (quantizer.family === 'mx') return quantizer.blockSize
  if (quantizer.family === 'integer' && quantizer.group !== 'row') return quantizer.group
  return quantizer.family === 'nvfp' ? 16 : cols
}

/** What the block's scale follows: its largest magnitude, or max(m, 0) − min(m, 0) for asymmetric integers. */
export function extentOf(block: readonly number[], quantizer: Quantizer): Extent {
  const isRange = quantizer.family === 'integer' && quantizer.scheme === 'asym'
  const largest = largestOf(block)
  const ends: readonly number[] = isRange
    ? [Math.max(0, ...block), Math.min(0, ...block)]
    : [block.find((m) => Math.abs(m) === largest) ?? 0]
  return {
    size: ends.reduce((sum, end) => sum + Math.abs(end), 0),
    parts: ends.filter((end) => end !== 0).map((end) => ({ index: block.indexOf(end), sign: Math.sign(end) })),
  }
}
