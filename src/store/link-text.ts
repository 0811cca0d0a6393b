/** Text inside links: percent-encoding that leaves names readable, and the small parsers the grammar shares. */
import { formatText, parseFormat } from '../formats/format-text'

/** Encodes a name so that none of the grammar's separators (& = + , ( ) and space) remains in it. */
export function encodePart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\uFFFD')).replace(
    /[()!'*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** The name that `encodePart` wrote; text that is not valid percent-encoding comes back as it is. */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `value` when it lies in [min, max], else null. */
export function within(value: number | null, min: number, max: number): number | null {
  return value !== null && value >= min && value <= max ? value : null
}

/** A whole number 0 … max written in digits, else null. */
export function optionalWhole(text: string | undefined, max: number): number | null {
  return text !== undefined && /^\d+$/.test(text) ? within(Number(text), 0, max) : null
}

/** A format with its options as it is written everywhere; null when it does not exist or has no such option. */
export function parseFormatText(text: string): string | null {
  try {
    return formatText(parseFormat(text))
  } catch {
    return null
  }
}
