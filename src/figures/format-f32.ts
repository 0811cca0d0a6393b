import { formatSignificant } from './format-number'

/** Nine significant digits tell any two f32 values apart. */
const MAX_DIGITS = 9

/** `value` with the fewest digits, MAX_DIGITS at most, that `isSame` accepts. */
function shortest(value: number, isSame: (text: number) => boolean): string {
  if (value === 0 || !Number.isFinite(value)) return formatSignificant(value, 1)
  for (let digits = 1; digits < MAX_DIGITS; digits++) {
    if (isSame(Number(value.toPrecision(digits)))) return formatSignificant(value, digits)
  }
  return formatSignificant(value, MAX_DIGITS)
}

/**
 * The shortest decimal that reads back as the f32 value `value`: "0.1", "−448", "0.333333343". Numbers that are no f32
 * values get nine digits.
 */
export function formatF32(value: number): string {
  return shortest(value, (read) => Math.fround(read) === value)
}

/** A difference of f32 values, which need not be one itself: six significant digits or `digits`, without zeros at the end. */
export function formatDifference(value: number, digits = 6): string {
  const rounded = Number(value.toPrecision(digits))
  return shortest(rounded, (read) => read === rounded)
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** 2 to an integer power: "2⁻³". */
export function formatPowerOfTwo(exponent: number): string {
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)])
  return `2${exponent < 0 ? '⁻' : ''}${digits}`
}
