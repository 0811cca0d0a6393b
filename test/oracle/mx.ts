/**
 * MX formats by brute force, in float64, from the definitions: the value of every code, the nearest one by distance,
 * the shared exponent by search. Knows nothing of src/ but type names.
 */
import type { PreScale, Rounding, ScaleRule } from '../../src/formats/number-format'

interface OracleFormat {
  readonly bits: number
  readonly emax: number
  /** Values of the non-negative codes 0, 1, 2, …; NaN and Infinity where the format has them. */
  readonly magnitudes: readonly number[]
  readonly fractionBits: number
  readonly fixed: boolean
}

function floatMagnitudes(exponentBits: number, fractionBits: number, bias: number): number[] {
  const values: number[] = []
  for (let field = 0; field < 2 ** exponentBits; field++) {
    for (let fraction = 0; fraction < 2 ** fractionBits; fraction++) {
      const significand = (field === 0 ? 0 : 1) + fraction / 2 ** fractionBits
      values.push(significand * 2 ** (Math.max(field, 1) - bias))
    }
  }
  return values
}

const e4m3 = floatMagnitudes(4, 3, 7)
e4m3[0x7f] = Number.NaN
const e5m2 = floatMagnitudes(5, 2, 15)
e5m2[0x7c] = Infinity
for (const code of [0x7d, 0x7e, 0x7f]) e5m2[code] = Number.NaN
const sixtyFourths = Array.from({ length: 128 }, (_, q) => q / 64)

/** By our format ids. */
export const ORACLE_FORMATS: Readonly<Record<string, OracleFormat>> = {
  mxfp8_e4m3: { bits: 8, emax: 8, magnitudes: e4m3, fractionBits: 3, fixed: false },
  mxfp8_e5m2: { bits: 8, emax: 15, magnitudes: e5m2, fractionBits: 2, fixed: false },
  mxfp6_e3m2: { bits: 6, emax: 4, magnitudes: floatMagnitudes(3, 2, 3), fractionBits: 2, fixed: false },
  mxfp6_e2m3: { bits: 6, emax: 2, magnitudes: floatMagnitudes(2, 3, 1), fractionBits: 3, fixed: false },
  mxfp4: { bits: 4, emax: 2, magnitudes: floatMagnitudes(2, 1, 1), fractionBits: 1, fixed: false },
  mxint8: { bits: 8, emax: 0, magnitudes: sixtyFourths, fractionBits: 6, fixed: true },
}

const largestOf = (format: OracleFormat) => Math.max(...format.magnitudes.filter(Number.isFinite))

/** The value of a raw code, sign included, before the scale. */
export function oracleDecode(id: string, code: number): number {
  const { bits, magnitudes, fixed } = ORACLE_FORMATS[id]
  const half = 2 ** (bits - 1)
  if (code < half) return magnitudes[code]
  return fixed ? (code - 2 * half) / 64 : -magnitudes[code - half]
}

/** The magnitude code nearest to `magnitude` (scaled already), every finite code tried; ties by `rounding`. */
export function oracleNearest(id: string, magnitude: number, rounding: Rounding): number {
  let best = 0
  ORACLE_FORMATS[id].magnitudes.forEach((value, code) => {
    if (!Number.isFinite(value)) return
    if (rounding === 'toward-zero') {
      if (value <= magnitude) best = code
      return
    }
    const gain = Math.abs(magnitude - ORACLE_FORMATS[id].magnitudes[best]) - Math.abs(magnitude - value)
    if (gain > 0 || (gain === 0 && (rounding === 'half-away' || code % 2 === 0))) best = code
  })
  return best
}

/** Units of 2^-UNIT_BITS hold every f32 times a float64 factor over every scale. */
const UNIT_BITS = 400
const FACTOR_BITS = 60

/** magnitude · factor / scale in those units, exact: `magnitude` an f32, `factor` in 0.5 … 1, `scale` a power of two. */
function exactUnits(magnitude: number, factor: number, scale: number): bigint {
  const multiple = BigInt(magnitude * 2 ** 149)
  const shift = UNIT_BITS - 149 - FACTOR_BITS - Math.log2(scale)
  return (multiple * BigInt(factor * 2 ** FACTOR_BITS)) << BigInt(shift)
}

/** oracleNearest for magnitude · factor / scale, without rounding the product. */
export function oracleNearestScaled(
  id: string,
  magnitude: number,
  { factor, scale, rounding }: { factor: number; scale: number; rounding: Rounding },
): number {
  if (factor === 1) return oracleNearest(id, magnitude / scale, rounding)
  const units = exactUnits(magnitude, factor, scale)
  const distance = (code: number) => {
    const away = units - exactUnits(ORACLE_FORMATS[id].magnitudes[code], 1, 1)
    return away < 0n ? -away : away
  }
  let best = 0
  ORACLE_FORMATS[id].magnitudes.forEach((value, code) => {
    if (rounding === 'toward-zero') {
      if (exactUnits(value, 1, 1) <= units) best = code
      return
    }
    const [old, now] = [distance(best), distance(code)]
    if (now < old || (now === old && (rounding === 'half-away' || code % 2 === 0))) best = code
  })
  return best
}

/** Whether the scale 2^k is large enough for the block maximum under `rule`. */
function fits(format: OracleFormat, rule: ScaleRule, maximum: number, k: number): boolean {
  const scaled = maximum / 2 ** k
  const top = 2 ** format.emax
  switch (rule) {
    case 'floor':
    case 'best':
      return scaled < 2 * top
    case 'rceil':
      return scaled <= largestOf(format)
    case 'ceil':
      return scaled <= top
    case 'even':
      // rounded half up to the element's fraction bits the maximum stays in the top binade
      return scaled < 2 * top - top / 2 ** (format.fractionBits + 1)
    case 'fp32':
      throw new Error('oracle: the rule fp32 has no scale byte')
    default:
      return rule satisfies never
  }
}

/** The smallest scale byte that fits, by trying all of them; 255 for a non-finite maximum. `best`: its first one. */
export function oracleScaleByte(id: string, rule: ScaleRule, maximum: number): number {
  if (!Number.isFinite(maximum)) return 255
  // exponent field 0 counts as the binade below that of field 1, its mantissa field as the fraction of that binade
  const counted = maximum > 0 && maximum < 2 ** -126 ? 2 ** -127 + maximum / 2 : maximum
  for (let byte = 0; byte < 254; byte++) if (fits(ORACLE_FORMATS[id], rule, counted, byte - 127)) return byte
  return 254
}

/** The choices that complete an MX format; what a quantizer of src/ has under these names. */
export interface OracleChoices {
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  readonly preScale: PreScale | null
  readonly flushSubnormalBlocks?: boolean
}

function underByte(id: string, values: ArrayLike<number>, byte: number, choices: OracleChoices): Float32Array {
  const factor = choices.preScale?.factor ?? 1
  const scale = byte === 255 ? Number.NaN : 2 ** (byte - 127)
  return Float32Array.from(values, (value) => {
    if (byte === 255) return Number.NaN
    const code = oracleNearestScaled(id, Math.abs(value), { factor, scale, rounding: choices.rounding })
    return Math.sign(value) * Math.fround(ORACLE_FORMATS[id].magnitudes[code] / factor) * scale
  })
}

/**
 * The f32 values one block may decode to: one answer, but for the rule `best` two where the squared errors of its
 * scales agree within `closeness` of their size.
 */
export function oracleBlocks(
  id: string,
  values: ArrayLike<number>,
  choices: OracleChoices,
  closeness = 1e-5,
): Float32Array[] {
  const { preScale } = choices
  if (preScale?.variant === 'literal') {
    const multiplied = Float32Array.from(values, (value) => value * preScale.factor)
    return oracleBlocks(id, multiplied, { ...choices, preScale: null }, closeness).map((block) =>
      block.map((value) => value / preScale.factor),
    )
  }
  const magnitudes = Array.from(values, Math.abs)
  const maximum = magnitudes.every(Number.isFinite) ? Math.max(0, ...magnitudes) : Number.NaN
  if (choices.flushSubnormalBlocks && maximum < 2 ** -126) return [new Float32Array(values.length)]
  const byte = oracleScaleByte(id, choices.scaleRule, maximum)
  const first = underByte(id, values, byte, choices)
  if (choices.scaleRule !== 'best' || byte >= 254) return [first]
  const second = underByte(id, values, byte + 1, choices)
  const errorOf = (block: Float32Array) =>
    block.reduce((sum, value, i) => sum + ((value - values[i]) / (maximum || 1)) ** 2, 0)
  const [low, high] = [errorOf(first), errorOf(second)]
  if (Math.abs(low - high) <= closeness * low && Number.isFinite(high)) return [first, second]
  return [high < low ? second : first]
}

/** The only answer of every rule but `best`; `preScale` is the factor of the exact variant. */
export function oracleBlock(
  id: string,
  values: ArrayLike<number>,
  scaleRule: ScaleRule,
  rounding: Rounding,
  preScale: number | null,
): Float32Array {
  const factor: PreScale | null = preScale === null ? null : { factor: preScale, variant: 'exact' }
  return oracleBlocks(id, values, { scaleRule, rounding, preScale: factor })[0]
}
