/** How byte counts, offsets and names are written in messages. Locale-independent, so that messages can be tested. */

/** Whole number with a comma between groups of three digits: 50007 -> "50,007". */
export function grouped(value: number | bigint | string): string {
  return String(value)
    .replace('-', '−')
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** Offset from the start of the file, decimal and (from 16 on) hexadecimal: "byte 20,480 (0x5000)". */
export function byteAt(offset: number): string {
  return offset < 16 ? `byte ${offset}` : `byte ${grouped(offset)} (0x${offset.toString(16).toUpperCase()})`
}

/** The same as an aside in parentheses: "(byte 20,480, 0x5000)". */
export function byteAside(offset: number): string {
  return `(${byteAt(offset).replace(' (', ', ').replace(')', '')})`
}

/** One byte as "0x7B". */
export function hexByte(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, '0')}`
}

/** A size in decimal units, three significant digits: "12.0 MB". Below 10,000 bytes exactly: "1,024 bytes". */
export function sizeText(byteLength: number): string {
  if (byteLength < 10_000) return byteLength === 1 ? '1 byte' : `${grouped(byteLength)} bytes`
  const units = ['kB', 'MB', 'GB', 'TB', 'PB']
  let scaled = byteLength / 1000
  let unit = 0
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return `${scaled.toFixed(scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0)} ${units[unit]}`
}

/** Longest name or token repeated in a message; a header may hold names of megabytes. */
const QUOTED_CHARACTERS = 160

/** `text` in double quotes with control characters escaped, cut after 160 characters. */
export function quoted(text: string): string {
  return JSON.stringify(shortened(text))
}

/** `text` cut after 160 characters. */
export function shortened(text: string): string {
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text
}

/** A shape as it is written in the file: "[4096, 4096]". */
export function shapeText(shape: readonly number[]): string {
  return shortened(`[${shape.join(', ')}]`)
}
