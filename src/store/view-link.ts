/**
 * The keys of a link for the Formats and the Blocks view: `fx` the formats on the number line, `fl` how the line is
 * drawn and what is rounded on it, `bf` the two formats a block is shown under, `bp` the pre-scale tried on it.
 */
import { splitTop } from '../core/split-top'
import { PRE_SCALE_MAX, PRE_SCALE_MIN } from '../formats/number-format'
import {
  DEFAULT_FORMATS,
  EXPONENT_RANGE,
  type FormatsSlice,
  LINE_LIMIT,
  MAX_LINE_ROWS,
  MAXIMUM_RANGE,
} from './formats-view'
import { parseFormatText, within } from './link-text'

/** What the Blocks view compares: part of BlocksSlice. */
export interface ComparedFormats {
  readonly formats: readonly [string | null, string | null]
  readonly preScale: number | null
}

/** The settings of the number line without its rows. */
export type LineSetup = Omit<FormatsSlice, 'rows'>

const NO_ROWS = 'none'
/** A side of the Blocks view that follows the setting. */
const AUTOMATIC = 'auto'
const RANGE_SEPARATOR = '..'

const numberText = (value: number) => (Object.is(value, -0) ? '-0' : String(value))

function parseNumber(text: string | undefined, { min, max }: { readonly min: number; readonly max: number }) {
  return text !== undefined && /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? within(Number(text), min, max) : null
}

export const formatLineRows = (rows: readonly string[]) => rows.join('+') || NO_ROWS

/** Formats that do not exist, and rows beyond MAX_LINE_ROWS, are rejected and left out; null when none is left. */
export function parseLineRows(text: string, reject: () => void): readonly string[] | null {
  if (text === NO_ROWS) return []
  const parts = splitTop(text, '+')
  const rows = parts.flatMap((part) => parseFormatText(part) ?? []).slice(0, MAX_LINE_ROWS)
  if (rows.length < parts.length) reject()
  return rows.length > 0 ? rows : null
}

/** What differs from the defaults: `x2.5,m4,exp,k-2,log,r0.01..6,p0.6`; empty when nothing does. */
export function formatLine(line: LineSetup): string {
  const standard = DEFAULT_FORMATS
  const { value, maximum, exponent, range, preScale } = line
  return [
    ...(Object.is(value, standard.value) ? [] : [`x${numberText(value)}`]),
    ...(maximum === standard.maximum ? [] : [`m${maximum}`]),
    ...(line.scaling === 'exponent' ? ['exp'] : []),
    ...(exponent === standard.exponent ? [] : [`k${exponent}`]),
    ...(line.axis === 'log' ? ['log'] : []),
    ...(range === null ? [] : [`r${numberText(range.from)}${RANGE_SEPARATOR}${numberText(range.to)}`]),
    ...(preScale === null ? [] : [`p${preScale}`]),
  ].join(',')
}

const X_RANGE = { min: -LINE_LIMIT, max: LINE_LIMIT }
const PRE_SCALE_RANGE = { min: PRE_SCALE_MIN, max: PRE_SCALE_MAX }

function parseRange(text: string): FormatsSlice['range'] {
  const ends = text.split(RANGE_SEPARATOR)
  const [from, to] = ends.map((end) => parseNumber(end, X_RANGE))
  return ends.length === 2 && from !== null && to !== null && from < to ? { from, to } : null
}

function parseLinePart(part: string): Partial<LineSetup> | null {
  if (part === 'exp') return { scaling: 'exponent' }
  if (part === 'log') return { axis: 'log' }
  const text = part.slice(1)
  const named = <K extends keyof LineSetup>(key: K, value: LineSetup[K] | null) =>
    value === null ? null : { [key]: value }
  switch (part[0]) {
    case 'x':
      return named('value', parseNumber(text, X_RANGE))
    case 'm':
      return named('maximum', parseNumber(text, MAXIMUM_RANGE))
    case 'k':
      return /^-?\d+$/.test(text) ? named('exponent', parseNumber(text, EXPONENT_RANGE)) : null
    case 'r':
      return named('range', parseRange(text))
    case 'p':
      return named('preScale', parseNumber(text, PRE_SCALE_RANGE))
    default:
      return null
  }
}

/** Parts that say nothing known are rejected and left at their defaults. */
export function parseLine(text: string, reject: () => void): LineSetup {
  const { rows: _rows, ...standard } = DEFAULT_FORMATS
  let line: LineSetup = standard
  for (const part of text.split(',')) {
    const change = parseLinePart(part)
    if (change === null) reject()
    else line = { ...line, ...change }
  }
  // A log axis begins above zero.
  const { axis, range } = line
  if (axis === 'linear' || range === null || range.from > 0) return line
  reject()
  return { ...line, range: null }
}

/** `auto+int4(group=32)`; empty when both sides follow the setting. */
export function formatCompared(formats: ComparedFormats['formats']): string {
  return formats.every((format) => format === null) ? '' : formats.map((format) => format ?? AUTOMATIC).join('+')
}

/** A side that does not exist is rejected and follows the setting. */
export function parseCompared(text: string, reject: () => void): ComparedFormats['formats'] | null {
  const parts = splitTop(text, '+')
  if (parts.length !== 2) return null
  const [first, second] = parts.map((part) => {
    const format = parseFormatText(part)
    if (format === null && part !== AUTOMATIC) reject()
    return format
  })
  return [first, second]
}

export function parseTriedPreScale(text: string): number | null {
  return parseNumber(text, PRE_SCALE_RANGE)
}
