/** The grid a quantizer rounds to, at scale 1: its values, the intervals rounded to each, and codes as bits. */
import { decodeCode } from './codec'
import { decodeElement } from './codec-element'
import type { BlockScale } from './codec-scale'
import type { Quantizer, Rounding } from './number-format'

/** E4M3 code and E8M0 byte of 1. */
const E4M3_ONE = 0x38
const E8M0_ONE = 127

export interface RepresentableValue {
  readonly value: number
  /** Raw code; of the two codes of zero the positive one. */
  readonly code: number
}

/** All numbers rounded to `value`: from … to, an end belonging to it only where included. The last ones are endless. */
export interface RoundingInterval extends RepresentableValue {
  readonly from: number
  readonly to: number
  readonly fromIncluded: boolean
  readonly toIncluded: boolean
}

/** The scale 1 in the form the quantizer stores scales. `zeroPoint` is that of asymmetric integers. */
export function unitScale(quantizer: Quantizer, zeroPoint = 0): BlockScale {
  switch (quantizer.family) {
    case 'mx':
      if (quantizer.scaleRule === 'fp32') return { kind: 'fp32', value: 1, zeroPoint: null }
      return { kind: 'e8m0', byte: E8M0_ONE }
    case 'nvfp':
      return { kind: 'e4m3', byte: E4M3_ONE, tensorScale: 1 }
    case 'integer':
      return { kind: 'fp32', value: 1, zeroPoint: quantizer.scheme === 'asym' ? zeroPoint : null }
    case 'sixteen-bit':
      return { kind: 'none' }
    default:
      return quantizer satisfies never
  }
}

/** A value of the grid before any pre-scale, with its code and whether it wins ties under half-even. */
interface GridPoint extends RepresentableValue {
  readonly even: boolean
}

/** The finite grid points in ascending order, zero once. Codes quantizing never gives (−128 of MXINT8) are left out. */
function gridPoints(quantizer: Quantizer, zeroPoint: number): GridPoint[] {
  const { element } = quantizer.format
  const unsigned = quantizer.family === 'integer' && quantizer.scheme === 'asym'
  const points = Array.from({ length: 2 ** element.bits }, (_, code) => {
    const value = unsigned ? code - zeroPoint : decodeElement(element, code)
    return { value, code, even: (unsigned ? value : code) % 2 === 0 }
  })
  const largest = element.kind === 'integer' ? Infinity : element.maxFinite
  return points
    .filter(({ value, code }) => Math.abs(value) <= largest && (code === 0 || !Object.is(value, -0)))
    .sort((a, b) => a.value - b.value)
}

/**
 * Every finite value a block can decode to at scale 1, ascending, with its code; zero once. A pre-scale is undone in
 * the values, as decoding does. `zeroPoint` matters for asymmetric integers only.
 */
export function representableValues(quantizer: Quantizer, zeroPoint = 0): RepresentableValue[] {
  const scale = unitScale(quantizer, zeroPoint)
  return gridPoints(quantizer, zeroPoint).map(({ code }) => ({ value: decodeCode(code, scale, quantizer), code }))
}

/** Where numbers between neighbours a < b turn from a to b, and which of the two owns that very number. */
function boundaryBetween(a: GridPoint, b: GridPoint, rounding: Rounding): { at: number; upper: boolean } {
  // at or above zero the larger magnitude is b
  const larger = a.value >= 0 ? b : a
  if (rounding === 'toward-zero') return { at: larger.value, upper: larger === b }
  const at = (a.value + b.value) / 2
  return { at, upper: rounding === 'half-away' ? larger === b : b.even }
}

/**
 * The intervals of numbers rounded to each representable value at scale 1, ascending; numbers beyond the last value
 * saturate. Under a pre-scale of factor f the ends are those of the grid over f, rounded to float64: exact decisions
 * are encodeBlock's.
 */
export function roundingBoundaries(quantizer: Quantizer, zeroPoint = 0): RoundingInterval[] {
  const points = gridPoints(quantizer, zeroPoint)
  const values = representableValues(quantizer, zeroPoint)
  const rounding = quantizer.family === 'mx' ? quantizer.rounding : 'half-even'
  const factor = (quantizer.family === 'mx' && quantizer.preScale?.factor) || 1
  const ends = points.slice(1).map((point, index) => boundaryBetween(points[index], point, rounding))
  return values.map((value, index) => {
    const lower = index > 0 ? ends[index - 1] : null
    const upper = index < ends.length ? ends[index] : null
    return {
      ...value,
      from: lower ? lower.at / factor : -Infinity,
      to: upper ? upper.at / factor : Infinity,
      fromIncluded: lower?.upper ?? false,
      toIncluded: upper ? !upper.upper : false,
    }
  })
}

/**
 * A raw code as bits, its fields separated by "|": sign|exponent|mantissa of a float ("0|10|1"), all bits of a two's
 * complement or unsigned integer in one group ("11111001").
 */
export function codeBits(code: number, { format: { element } }: Quantizer): string {
  const bits = code.toString(2).padStart(element.bits, '0')
  if (element.kind !== 'float') return bits
  return [bits.slice(0, 1), bits.slice(1, 1 + element.exponentBits), bits.slice(1 + element.exponentBits)].join('|')
}
