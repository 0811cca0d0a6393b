/**
 * Numbers as text, one way for the whole page: decimal point, comma between thousands, a true minus sign, no
 * exponents. Figures of one column keep a fixed number of decimals, so that tabular digits line up.
 */
const LOCALE = 'en-US'
const MISSING = '–'

function sign(text: string): string {
  return text.replace('-', '−')
}

function fixed(value: number, decimals: number): string {
  // 0.04 rounds to "-0.0" when negative; adding 0 after rounding drops the sign of zero.
  const rounded = Number(value.toFixed(decimals)) + 0
  return sign(rounded.toLocaleString(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }))
}

function infinite(value: number): string | null {
  if (Number.isNaN(value)) return MISSING
  if (value === Number.POSITIVE_INFINITY) return '∞'
  return value === Number.NEGATIVE_INFINITY ? '−∞' : null
}

/** `digits` significant digits in decimal notation, trailing zeros kept: 2 digits of 0.1 are "0.10". */
export function formatSignificant(value: number, digits: number): string {
  if (value === 0) return '0'
  return (
    infinite(value) ??
    sign(value.toLocaleString(LOCALE, { minimumSignificantDigits: digits, maximumSignificantDigits: digits }))
  )
}

/** Decibels with one decimal, without the unit: "14.8", "−1.3". */
export function formatDecibels(value: number): string {
  return infinite(value) ?? fixed(value, 1)
}

/**
 * `value` minus `other` as a reader would compute it from the two numbers on screen, in tenths of a decibel. Null where
 * one of them is not finite: an exact product has no distance in decibels.
 */
export function shownDifference(value: number, other: number): number | null {
  if (!Number.isFinite(value) || !Number.isFinite(other)) return null
  return Number((Number(value.toFixed(1)) - Number(other.toFixed(1))).toFixed(1))
}

/** A difference in decibels with its sign always shown: "+1.8", "−1.3", "0.0". */
export function formatDecibelDifference(value: number): string {
  const text = formatDecibels(value)
  return value > 0 && text !== '0.0' ? `+${text}` : text
}

/** A relative error with four decimals ("0.1964"); two significant digits where those would all be zeros. */
export function formatRelativeError(value: number): string {
  return infinite(value) ?? (value !== 0 && value < 0.001 ? formatSignificant(value, 2) : fixed(value, 4))
}

/** A percentage 0 … 100 with two significant digits and its sign: "31 %", "0.12 %". */
export function formatPercent(value: number): string {
  return `${formatSignificant(value, value >= 99.5 ? 3 : 2)} %`
}

/** A magnitude in the unit of the data, three significant digits: "38.1", "0.0123". Integers from 1,000 are whole. */
export function formatMagnitude(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(value) : formatSignificant(value, 3)
}

/** A whole number with thousands separated: "1,048,576". */
export function formatCount(value: number): string {
  return infinite(value) ?? fixed(value, 0)
}

/** Kurtosis, where 3 is a Gaussian: one decimal below 100, whole above. */
export function formatKurtosis(value: number): string {
  return infinite(value) ?? fixed(value, value < 100 ? 1 : 0)
}

/** Bits per element with two decimals: "4.25". */
export function formatBits(value: number): string {
  return infinite(value) ?? fixed(value, 2)
}

/** Time in seconds with its unit, two significant digits up to 10 s and whole seconds above: "0.42 s", "74 s". */
export function formatSeconds(elapsedMs: number): string {
  const seconds = elapsedMs / 1000
  return `${seconds < 10 ? formatSignificant(seconds, 2) : formatCount(seconds)} s`
}
