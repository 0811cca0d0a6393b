/**
 * Every format by brute force on exact fractions of BigInt, from the definitions: all codes tried, every rounding done
 * on integers. Knows nothing of src/ but types.
 */
import type {
  BlockError,
  IntegerQuantizer,
  MxQuantizer,
  NvfpQuantizer,
  Quantizer,
  Rounding,
} from '../../src/formats/number-format'
import { ORACLE_FORMATS, oracleScaleByte } from './mx'

/** n / d, d > 0. */
interface Fraction {
  readonly n: bigint
  readonly d: bigint
}

const power = (exponent: number): Fraction =>
  exponent >= 0 ? { n: 1n << BigInt(exponent), d: 1n } : { n: 1n, d: 1n << BigInt(-exponent) }
const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d })
const over = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d, d: a.d * b.n })
const plus = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.d + b.n * a.d, d: a.d * b.d })
const lessThan = (a: Fraction, b: Fraction) => a.n * b.d < b.n * a.d

/** A finite float64 as a fraction, taken from its bits. */
export function fractionOf(value: number): Fraction {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const field = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & ((1n << 52n) - 1n)
  const significand = field === 0 ? fraction : fraction + (1n << 52n)
  const sign = bits >> 63n === 1n ? -1n : 1n
  // an f32 value has 29 zeros at the end; without them the fractions stay short
  const zeros = significand % (1n << 29n) === 0n ? 29 : 0
  return times({ n: (sign * significand) >> BigInt(zeros), d: 1n }, power(Math.max(field, 1) - 1075 + zeros))
}

/** The integer nearest to a fraction >= 0, half to even. */
function nearestInteger({ n, d }: Fraction): bigint {
  const below = n / d
  const twice = 2n * (n % d)
  return twice > d || (twice === d && below % 2n === 1n) ? below + 1n : below
}

/** The f32 nearest to a fraction, half to even. */
export function oracleF32({ n, d }: Fraction): number {
  if (n < 0n) return -oracleF32({ n: -n, d })
  let exponent = -126
  while (exponent < 128 && !lessThan({ n, d }, power(exponent + 1))) exponent += 1
  const value = Number(nearestInteger(over({ n, d }, power(exponent - 23)))) * 2 ** (exponent - 23)
  return value >= 2 ** 128 ? Infinity : value
}

/** A fraction > 0 that is a multiple of 2^-149, rounded half to even to 24 significant bits however large it is. */
function rounded24(value: Fraction): Fraction {
  let exponent = -126
  while (!lessThan(value, power(exponent + 1))) exponent += 1
  return times({ n: nearestInteger(over(value, power(exponent - 23))), d: 1n }, power(exponent - 23))
}

/** The finite magnitudes of each format, made into fractions once. */
const GRIDS = new Map(
  Object.entries(ORACLE_FORMATS).map(([id, { magnitudes }]) => [
    id,
    magnitudes.flatMap((value, code) => (Number.isFinite(value) ? [{ code, value: fractionOf(value) }] : [])),
  ]),
)

/** The magnitude code nearest to `target` >= 0 by exact distance, every finite code tried. */
function nearestCode(id: string, target: Fraction, rounding: Rounding): number {
  let best = 0
  let bestDistance = target
  for (const { value, code } of GRIDS.get(id) ?? []) {
    const difference = plus(target, { n: -value.n, d: value.d })
    if (rounding === 'toward-zero') {
      if (difference.n >= 0n) best = code
      continue
    }
    const distance = difference.n < 0n ? { n: -difference.n, d: difference.d } : difference
    const ties = distance.n * bestDistance.d === bestDistance.n * distance.d
    const wins = ties && (rounding === 'half-away' || code % 2 === 0)
    if (lessThan(distance, bestDistance) || wins) {
      best = code
      bestDistance = distance
    }
  }
  return best
}

export interface OracleBlock {
  /** Value of the block scale without NVFP4's tensor scale. */
  readonly scale: number
  readonly zeroPoint: number
  /** Magnitude codes with the sign of the input; integers: q. */
  readonly codes: readonly number[]
  readonly values: readonly number[]
}

const nanBlock = (values: readonly number[]): OracleBlock => ({
  scale: Number.NaN,
  zeroPoint: 0,
  codes: values.map(() => 0),
  values: values.map(() => Number.NaN),
})

interface Candidate {
  readonly id: string
  /** What the stored scale is worth, and the whole scale. */
  readonly scale: number
  readonly whole: Fraction
  readonly rounding: Rounding
  readonly factor: number
}

function underScale(values: readonly number[], { id, scale, whole, rounding, factor }: Candidate): OracleBlock {
  const codes = values.map((value) => {
    const magnitude = fractionOf(Math.abs(value))
    return whole.n === 0n ? 0 : nearestCode(id, over(times(magnitude, fractionOf(factor)), whole), rounding)
  })
  const decoded = codes.map((code, index) => {
    const element = fractionOf(ORACLE_FORMATS[id].magnitudes[code])
    const undone = factor === 1 ? element : fractionOf(oracleF32(over(element, fractionOf(factor))))
    return Math.sign(values[index]) * oracleF32(times(undone, whole))
  })
  return { scale, zeroPoint: 0, codes: codes.map((code, i) => Math.sign(values[i]) * code), values: decoded }
}

function errorOf(values: readonly number[], decoded: readonly number[], kind: BlockError): number {
  let sum = 0
  let largest = 0
  values.forEach((value, i) => {
    const difference = Math.abs(decoded[i] - value)
    sum += kind === 'mse' ? difference * difference : difference
    largest = Math.max(largest, difference)
  })
  return kind === 'max' ? largest : sum
}

function better(values: readonly number[], first: OracleBlock, second: OracleBlock, kind: BlockError): OracleBlock {
  return errorOf(values, second.values, kind) < errorOf(values, first.values, kind) ? second : first
}

const largestOf = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)

function mxBlock(values: readonly number[], quantizer: MxQuantizer): OracleBlock {
  const { format, scaleRule, rounding, preScale, flushSubnormalBlocks } = quantizer
  const amax = largestOf(values)
  if (!Number.isFinite(amax)) return nanBlock(values)
  if (preScale?.variant === 'literal') {
    const factor = fractionOf(preScale.factor)
    const inner = values.map((value) => oracleF32(times(fractionOf(value), factor)))
    const block = mxBlock(inner, { ...quantizer, preScale: null })
    const undo = (value: number) => (Number.isFinite(value) ? oracleF32(over(fractionOf(value), factor)) : value)
    return { ...block, values: block.values.map(undo) }
  }
  if (flushSubnormalBlocks && amax < 2 ** -126)
    return mxBlock(
      values.map(() => 0),
      { ...quantizer, flushSubnormalBlocks: false },
    )
  const { id } = format
  const under = (scale: number) =>
    underScale(values, { id, scale, whole: fractionOf(scale), rounding, factor: preScale?.factor ?? 1 })
  if (scaleRule === 'fp32') {
    const top = Math.max(...ORACLE_FORMATS[id].magnitudes.filter(Number.isFinite))
    return under(oracleF32(over(fractionOf(amax), fractionOf(top))))
  }
  if (scaleRule !== 'best') return under(2 ** (oracleScaleByte(id, scaleRule, amax) - 127))
  const byte = oracleScaleByte(id, 'floor', amax)
  return better(values, under(2 ** (byte - 127)), under(2 ** (Math.min(byte + 1, 254) - 127)), 'mse')
}

/** NVFP4's fp32 scale. */
export function oracleTensorScale(tensorMax: number, { fourOverSix, tensorScale }: NvfpQuantizer): number {
  if (!tensorScale || tensorMax === 0) return 1
  return oracleF32(over(fractionOf(tensorMax), fractionOf(fourOverSix ? 1536 : 2688))) || 1
}

function nvfpBlock(values: readonly number[], quantizer: NvfpQuantizer, tensorMax: number): OracleBlock {
  const amax = largestOf(values)
  if (!Number.isFinite(amax) || (quantizer.tensorScale && !Number.isFinite(tensorMax))) return nanBlock(values)
  const tensorScale = fractionOf(oracleTensorScale(tensorMax, quantizer))
  const under = (stretch: Fraction) => {
    const wanted = over(times(fractionOf(amax), stretch), times(fractionOf(6), tensorScale))
    const scale = ORACLE_FORMATS.mxfp8_e4m3.magnitudes[nearestCode('mxfp8_e4m3', wanted, 'half-even')]
    const whole = times(fractionOf(scale), tensorScale)
    return underScale(values, { id: 'mxfp4', scale, whole, rounding: 'half-even', factor: 1 })
  }
  const six = under({ n: 1n, d: 1n })
  if (quantizer.fourOverSix === null) return six
  return better(values, six, under({ n: 3n, d: 2n }), quantizer.fourOverSix)
}

function integerBlock(values: readonly number[], row: readonly number[], quantizer: IntegerQuantizer): OracleBlock {
  if (!Number.isFinite(largestOf(row))) return nanBlock(values)
  const { bits } = quantizer.format.element
  const count = 2 ** bits
  const asymmetric = quantizer.scheme === 'asym'
  const zero = largestOf(row) === 0
  const low = zero ? -1 : row.reduce((a, b) => Math.min(a, b), 0)
  const high = zero ? 1 : row.reduce((a, b) => Math.max(a, b), 0)
  const range = asymmetric ? rounded24(plus(fractionOf(high), fractionOf(-low))) : fractionOf(largestOf(row))
  const steps = { asym: count - 1, 'sym-max': count / 2 - 1, 'sym-half': (count - 1) / 2 }[quantizer.scheme]
  const scale = zero && !asymmetric ? 1 : oracleF32(over(range, fractionOf(steps)))
  const toInteger = (value: number) =>
    scale === 0 ? 0 : Number(nearestInteger(over(fractionOf(Math.abs(value)), fractionOf(scale)))) * Math.sign(value)
  const zeroPoint = asymmetric ? Math.min(toInteger(-low), count - 1) : 0
  const [first, last] = asymmetric ? [0, count - 1] : [-count / 2, count / 2 - 1]
  const codes = values.map((value) => Math.min(Math.max(toInteger(value) + zeroPoint, first), last))
  const decoded = codes.map((q) => oracleF32(times(fractionOf(q - zeroPoint), fractionOf(scale))))
  return { scale, zeroPoint, codes, values: decoded }
}

/** f32 to a 16-bit float by its bits: drop the low ones, half to even, saturate, keep infinity and NaN. */
export function oracleSixteen(id: 'bf16' | 'fp16', value: number): number {
  if (!Number.isFinite(value)) return value
  const [mantissaBits, minExponent, largest] = id === 'bf16' ? [7, -126, (2 - 2 ** -7) * 2 ** 127] : [10, -14, 65504]
  const magnitude = fractionOf(Math.abs(value))
  let exponent = minExponent
  while (!lessThan(magnitude, power(exponent + 1))) exponent += 1
  const step = exponent - mantissaBits
  return Math.sign(value) * Math.min(Number(nearestInteger(over(magnitude, power(step)))) * 2 ** step, largest)
}

/** What one block decodes to. `tensorMax` is for NVFP4, `row` for integers per row. */
export function oracleQuantize(
  values: readonly number[],
  quantizer: Quantizer,
  { tensorMax = 0, row = values }: { readonly tensorMax?: number; readonly row?: readonly number[] } = {},
): OracleBlock {
  switch (quantizer.family) {
    case 'mx':
      return mxBlock(values, quantizer)
    case 'nvfp':
      return nvfpBlock(values, quantizer, tensorMax)
    case 'integer':
      return integerBlock(values, quantizer.group === 'row' ? row : values, quantizer)
    case 'sixteen-bit': {
      const rounded = values.map((value) => oracleSixteen(quantizer.format.id === 'bf16' ? 'bf16' : 'fp16', value))
      return { scale: 1, zeroPoint: 0, codes: [], values: rounded }
    }
    default:
      return quantizer satisfies never
  }
}
