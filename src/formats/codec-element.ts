/** Elements by the definition: the value of every code, and the code a number is rounded to, decided exactly. */
import { compareProducts } from './codec-exact'
import type { FixedElement, FloatElement, IntegerElement, Rounding } from './number-format'

/** Elements whose codes are a sign and a magnitude on a grid of their own: every one but the plain integers. */
export type GridElement = FloatElement<4 | 6 | 8 | 16> | FixedElement

/** Fraction bits of one step, and the exponent below which steps stop shrinking. MXINT8 is one binade of fixed step. */
function gridOf(element: GridElement): { fractionBits: number; minExponent: number } {
  if (element.kind === 'fixed') return { fractionBits: element.fractionBits, minExponent: 0 }
  return { fractionBits: element.mantissaBits, minExponent: 1 - element.bias }
}

/**
 * The magnitude code of infinity, or null when the element has none: only a format whose all-ones exponent starts
 * right above its largest number keeps it for infinity and NaN (E5M2 and the 16-bit floats).
 */
export function infinityCode(element: GridElement): number | null {
  if (element.kind === 'fixed') return null
  const reserved = (2 ** element.exponentBits - 1) << element.mantissaBits
  return reserved === element.maxCode + 1 ? reserved : null
}

/** The value of a magnitude code, before sign and scale. Codes above the largest are infinity or NaN. */
function decodeMagnitude(element: GridElement, magnitude: number): number {
  const { fractionBits, minExponent } = gridOf(element)
  if (element.kind === 'fixed') return magnitude * 2 ** -fractionBits
  if (magnitude > element.maxCode) return magnitude === infinityCode(element) ? Infinity : Number.NaN
  const field = magnitude >> fractionBits
  const fraction = magnitude & (2 ** fractionBits - 1)
  if (field === 0) return fraction * 2 ** (minExponent - fractionBits)
  return (2 ** fractionBits + fraction) * 2 ** (field - element.bias - fractionBits)
}

/**
 * The value of one raw code (0 … 2^bits − 1) before its block's scale; NaN and ±Infinity where the format has them.
 * Integers are read as two's complement; with a zero point the codes are unsigned (codec.ts).
 */
export function decodeElement(element: GridElement | IntegerElement, code: number): number {
  const signBit = 2 ** (element.bits - 1)
  if (element.kind === 'integer') return code < signBit ? code : code - 2 * signBit
  if (code < signBit) return decodeMagnitude(element, code)
  if (element.kind === 'fixed') return -decodeMagnitude(element, 2 * signBit - code)
  return -decodeMagnitude(element, code - signBit)
}

/** The largest integer e with 2^e <= magnitude; magnitude finite and > 0. */
export function exponentOf(magnitude: number): number {
  let exponent = Math.round(Math.log2(magnitude))
  while (2 ** exponent > magnitude) exponent -= 1
  while (2 ** (exponent + 1) <= magnitude) exponent += 1
  return exponent
}

/** A magnitude code at or beside the one below `magnitude`: float64, to be corrected by exact comparisons. */
function guessMagnitudeCode(element: GridElement, magnitude: number): number {
  const { fractionBits, minExponent } = gridOf(element)
  if (magnitude === 0) return 0
  if (magnitude >= element.maxFinite) return element.maxCode
  const exponent = Math.max(exponentOf(magnitude), minExponent)
  const steps = Math.floor(magnitude / 2 ** (exponent - fractionBits))
  return (exponent - minExponent) * 2 ** fractionBits + steps
}

function roundsUp(side: number, code: number, rounding: Rounding): boolean {
  if (rounding === 'toward-zero' || side < 0) return false
  return side > 0 || rounding === 'half-away' || code % 2 === 1
}

/** A number as an exact fraction: magnitude · factor / scale. `magnitude` >= 0, factor > 0 and scale > 0, all finite. */
export interface ScaledMagnitude {
  readonly magnitude: number
  readonly factor: number
  readonly scale: number
}

/** The magnitude code that magnitude · factor / scale is rounded to; saturates at the largest. */
export function encodeMagnitude(element: GridElement, scaled: ScaledMagnitude, rounding: Rounding): number {
  const { magnitude, factor, scale } = scaled
  const sideOf = (value: number) => compareProducts(magnitude, factor, value, scale)
  const numberOf = (code: number) => decodeMagnitude(element, code)
  let below = guessMagnitudeCode(element, (magnitude * factor) / scale)
  while (below > 0 && sideOf(numberOf(below)) < 0) below -= 1
  while (below < element.maxCode && sideOf(numberOf(below + 1)) >= 0) below += 1
  if (below === element.maxCode) return below
  const midpoint = (numberOf(below) + numberOf(below + 1)) / 2
  return roundsUp(sideOf(midpoint), below, rounding) ? below + 1 : below
}

/** magnitude · factor / scale rounded half to even to an integer. */
export function encodeInteger({ magnitude, factor, scale }: ScaledMagnitude): number {
  const sideOf = (value: number) => compareProducts(magnitude, factor, value, scale)
  let below = Math.floor((magnitude * factor) / scale)
  while (below > 0 && sideOf(below) < 0) below -= 1
  while (sideOf(below + 1) >= 0) below += 1
  return roundsUp(sideOf(below + 0.5), below, 'half-even') ? below + 1 : below
}

/** The raw code of a magnitude code with its sign: the top bit, or two's complement for MXINT8. */
export function signedCode(element: GridElement, magnitudeCode: number, negative: boolean): number {
  if (!negative) return magnitudeCode
  const signBit = 2 ** (element.bits - 1)
  return element.kind === 'fixed' ? (2 * signBit - magnitudeCode) % (2 * signBit) : magnitudeCode + signBit
}
