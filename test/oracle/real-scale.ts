/**
 * Quantization under scales that are not powers of two, on exact fractions of integers, with no word about how the
 * kernels do it. Knows nothing of src/ but type names.
 */
import type { BlockError, IntegerScheme, Rounding } from '../../src/formats/number-format'
import { ORACLE_FORMATS } from './mx'

/** A real number >= 0 as an exact fraction. */
interface Fraction {
  readonly above: bigint
  readonly below: bigint
}

const UNITS = 200

function fraction(value: number): Fraction {
  return { above: BigInt(value * 2 ** UNITS), below: 2n ** BigInt(UNITS) }
}

function times(a: Fraction, b: Fraction): Fraction {
  return { above: a.above * b.above, below: a.below * b.below }
}

function over(a: Fraction, b: Fraction): Fraction {
  return { above: a.above * b.below, below: a.below * b.above }
}

function plus(a: Fraction, b: Fraction): Fraction {
  return { above: a.above * b.below + b.above * a.below, below: a.below * b.below }
}

/** The integer nearest to a fraction >= 0, half to even. */
function nearestInteger({ above, below }: Fraction): bigint {
  const floor = above / below
  const rest = 2n * (above - floor * below)
  return floor + (rest > below || (rest === below && floor % 2n === 1n) ? 1n : 0n)
}

/** Half to even to 24 bits, with the steps of the smallest f32 but no largest: an integer times a power of two. */
function nearest24({ above, below }: Fraction): number {
  const bits = above.toString(2).length - below.toString(2).length
  for (let step = Math.max(bits - 25, -149); ; step++) {
    const steps = step < 0 ? { above: above << BigInt(-step), below } : { above, below: below << BigInt(step) }
    if (steps.above < 2n ** 24n * steps.below) return Number(nearestInteger(steps)) * 2 ** step
  }
}

/** The f32 nearest to a fraction, half to even. */
function nearestF32(value: Fraction): number {
  return Math.fround(nearest24(value))
}

/** Values a magnitude code can have, ascending from 0, and the midpoints between neighbours. */
interface Ladder {
  readonly values: readonly Fraction[]
  readonly midpoints: readonly Fraction[]
}

function ladder(numbers: readonly number[]): Ladder {
  return {
    values: numbers.map(fraction),
    midpoints: numbers.slice(1).map((value, i) => fraction((value + numbers[i]) / 2)),
  }
}

const LADDERS = new Map(
  Object.entries(ORACLE_FORMATS).map(([id, { magnitudes }]) => [id, ladder(magnitudes.filter(Number.isFinite))]),
)

function ladderOf(id: string): Ladder {
  return LADDERS.get(id) ?? ladder([0])
}

/** The code, by index into the ladder's values, that is nearest to x. */
function nearestCode({ values, midpoints }: Ladder, x: Fraction, rounding: Rounding): number {
  const reaches = (code: number) => {
    const ahead = rounding === 'toward-zero' ? values[code] : midpoints[code - 1]
    const left = x.above * ahead.below
    const right = ahead.above * x.below
    const tieGoesUp = rounding !== 'half-even' || code % 2 === 0
    return left > right || (left === right && tieGoesUp)
  }
  let code = 0
  let beyond = values.length
  while (beyond - code > 1) {
    const middle = (code + beyond) >> 1
    if (reaches(middle)) code = middle
    else beyond = middle
  }
  return code
}

/** One block: codes as the format stores them, the decoded values, and the scale as it is stored. */
export interface OracleBlock {
  readonly codes: number[]
  readonly values: number[]
  readonly scale: number
  readonly zeroPoint: number
}

function nanBlock(count: number, scale: number): OracleBlock {
  return { codes: Array(count).fill(0), values: Array(count).fill(Number.NaN), scale, zeroPoint: 0 }
}

/** Elements of the MX format `id` under the real scale; negative codes as that format has them. */
function encodeFloats(id: string, block: ArrayLike<number>, scale: Fraction, rounding: Rounding) {
  const { bits, fixed } = ORACLE_FORMATS[id]
  const steps = ladderOf(id)
  const codes: number[] = []
  const values: number[] = []
  for (const x of Array.from(block)) {
    const quotient = scale.above === 0n ? fraction(0) : over(fraction(Math.abs(x)), scale)
    const code = nearestCode(steps, quotient, rounding)
    const isNegative = x < 0 || Object.is(x, -0)
    const magnitude = nearestF32(times(steps.values[code], scale))
    codes.push(!isNegative ? code : fixed ? (2 ** bits - code) % 2 ** bits : code + 2 ** (bits - 1))
    values.push(isNegative ? -magnitude : magnitude)
  }
  return { codes, values }
}

function largestOf(block: ArrayLike<number>): number {
  return Array.from(block).every(Number.isFinite) ? Math.max(0, ...Array.from(block, Math.abs)) : Number.NaN
}

/** A block of an MX element under the fp32 scale maximum / largest element. */
export function oracleFp32Block(id: string, block: ArrayLike<number>, rounding: Rounding): OracleBlock {
  const largest = largestOf(block)
  if (Number.isNaN(largest)) return nanBlock(block.length, Number.NaN)
  const top = Math.max(...ORACLE_FORMATS[id].magnitudes.filter(Number.isFinite))
  const scale = nearestF32(over(fraction(largest), fraction(top)))
  return { ...encodeFloats(id, block, fraction(scale), rounding), scale, zeroPoint: 0 }
}

/** The fp32 scale of an NVFP4 tensor whose largest magnitude is `largest`. */
export function oracleTensorScale(largest: number, isFourOverSix: boolean): number {
  if (!Number.isFinite(largest)) return Number.NaN
  return nearestF32(over(fraction(largest), fraction(isFourOverSix ? 1536 : 2688))) || 1
}

function errorOf(block: ArrayLike<number>, values: readonly number[], kind: BlockError): number {
  const differences = values.map((value, i) => Math.abs(value - block[i]))
  if (kind === 'max') return Math.max(...differences)
  return differences.reduce((sum, difference) => sum + (kind === 'mae' ? difference : difference ** 2), 0)
}

/** Relative distance below which the two candidates of four over six may be chosen either way. */
const AMBIGUOUS = 1e-5

/** An NVFP4 block; with four over six the candidates in the order in which they are preferred, one where it is clear. */
export function oracleNvfp4Block(
  block: ArrayLike<number>,
  tensorScale: number,
  fourOverSix: BlockError | null,
): OracleBlock[] {
  const largest = largestOf(block)
  if (Number.isNaN(largest + tensorScale)) return [nanBlock(block.length, 0x7f)]
  const e4m3 = ladderOf('mxfp8_e4m3')
  const candidates = (fourOverSix === null ? [6] : [6, 4]).map((target) => {
    const quotient = over(fraction(largest), times(fraction(target), fraction(tensorScale)))
    const scale = nearestCode(e4m3, quotient, 'half-even')
    const real = times(e4m3.values[scale], fraction(tensorScale))
    return { ...encodeFloats('mxfp4', block, real, 'half-even'), scale, zeroPoint: 0 }
  })
  if (fourOverSix === null) return candidates
  const [six, four] = candidates.map(({ values }) => errorOf(block, values, fourOverSix))
  const ordered = four < six ? candidates.reverse() : candidates
  return Math.abs(four - six) <= AMBIGUOUS * Math.max(four, six) ? ordered : ordered.slice(0, 1)
}

/** A row or group of integers. */
export function oracleIntegers(block: ArrayLike<number>, bits: number, scheme: IntegerScheme): OracleBlock {
  const values = Array.from(block)
  const largest = largestOf(values)
  if (Number.isNaN(largest)) return nanBlock(values.length, Number.NaN)
  const count = 2 ** bits
  const isAsymmetric = scheme === 'asym'
  const low = isAsymmetric ? (largest === 0 ? 1 : Math.max(0, ...values.map((x) => -x))) : largest
  const high = isAsymmetric ? (largest === 0 ? 1 : Math.max(0, ...values)) : 0
  const steps = isAsymmetric ? count - 1 : scheme === 'sym-max' ? count / 2 - 1 : (count - 1) / 2
  const range = fraction(nearest24(plus(fraction(low), fraction(high))))
  const scale = largest === 0 && !isAsymmetric ? 1 : nearestF32(over(range, fraction(steps)))
  const inSteps = (x: number) => (scale === 0 ? 0 : Number(nearestInteger(over(fraction(x), fraction(scale)))))
  const zeroPoint = isAsymmetric ? Math.min(inSteps(low), count - 1) : 0
  const lowest = isAsymmetric ? -zeroPoint : -count / 2
  const integers = values.map((x) => {
    const rounded = inSteps(Math.abs(x)) * Math.sign(x)
    return Math.min(Math.max(rounded, lowest), lowest + count - 1)
  })
  return {
    codes: integers.map((q) => (isAsymmetric ? q + zeroPoint : (q + count) % count)),
    values: integers.map((q) => nearestF32(times(fraction(Math.abs(q)), fraction(scale))) * Math.sign(q)),
    scale,
    zeroPoint,
  }
}
