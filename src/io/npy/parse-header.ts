import { FileError } from '../../core/errors'
import { quoted } from '../number-text'

/** What the header of a NumPy file says. */
export interface NpyHeader {
  /** Byte order and type: "<f4". */
  readonly descr: string
  readonly fortranOrder: boolean
  readonly shape: readonly number[]
}

/** A place in the text of a header. */
interface Cursor {
  readonly text: string
  readonly fileName: string
  at: number
}

/** Axes read before a shape is refused; the caller wants fewer still. */
const MAX_AXES = 64

/** Longest run of digits of an axis; more cannot be a size. */
const MAX_DIGITS = 15

const KEYS = ['descr', 'fortran_order', 'shape'] as const

type Value = string | boolean | readonly number[]

/**
 * Reads a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (512, 4096), }: a Python dict of exactly
 * these three keys, in any order, with nothing but white space around it. Walks the text once and never recurses.
 * Throws FileError NP-03 with the place where it is anything else (records have a list as descr).
 */
export function parseNpyHeader(bytes: Uint8Array, fileName: string): NpyHeader {
  const cursor: Cursor = { text: new TextDecoder('latin1').decode(bytes), fileName, at: 0 }
  const values = new Map<string, Value>()
  expectText(cursor, '{')
  while (!accept(cursor, '}')) {
    const key = readText(cursor, 'a key in quotes')
    if (!KEYS.some((known) => known === key) || values.has(key)) {
      fail(cursor, `each of ${KEYS.join(', ')} once`, `the key ${quoted(key)}`)
    }
    expectText(cursor, ':')
    values.set(key, readValue(cursor, key))
    if (!accept(cursor, ',')) {
      expectText(cursor, '}')
      break
    }
  }
  skipSpace(cursor)
  if (cursor.at < cursor.text.length) fail(cursor, 'the end of the header')
  const missing = KEYS.find((key) => !values.has(key))
  if (missing) fail(cursor, `each of ${KEYS.join(', ')} once`, `no ${missing}`)
  const [descr, fortranOrder, shape] = KEYS.map((key) => values.get(key))
  return { descr: descr as string, fortranOrder: fortranOrder as boolean, shape: shape as readonly number[] }
}

function readValue(cursor: Cursor, key: string): Value {
  if (key === 'descr') return readText(cursor, 'a dtype in quotes (records are not read)')
  if (key === 'shape') return readShape(cursor)
  if (accept(cursor, 'True')) return true
  if (accept(cursor, 'False')) return false
  return fail(cursor, 'True or False')
}

function readShape(cursor: Cursor): readonly number[] {
  const shape: number[] = []
  expectText(cursor, '(')
  while (!accept(cursor, ')')) {
    shape.push(readAxis(cursor))
    if (shape.length > MAX_AXES) fail(cursor, `at most ${MAX_AXES} axes`, 'more')
    if (accept(cursor, ',')) continue
    expectText(cursor, ')')
    break
  }
  return shape
}

function readAxis(cursor: Cursor): number {
  skipSpace(cursor)
  const digits = /^\d{1,16}/.exec(cursor.text.slice(cursor.at, cursor.at + MAX_DIGITS + 1))?.[0] ?? ''
  if (digits === '' || digits.length > MAX_DIGITS) fail(cursor, `a whole number of at most ${MAX_DIGITS} digits`)
  cursor.at += digits.length
  // Written by Python 2.
  if (cursor.text[cursor.at] === 'L') cursor.at++
  return Number(digits)
}

function readText(cursor: Cursor, expected: string): string {
  skipSpace(cursor)
  const quote = cursor.text[cursor.at]
  if (quote !== "'" && quote !== '"') fail(cursor, expected)
  const end = cursor.text.indexOf(quote, cursor.at + 1)
  if (end < 0) fail(cursor, `a closing ${quote}`, 'the end of the header')
  const value = cursor.text.slice(cursor.at + 1, end)
  if (value.includes('\\')) fail(cursor, 'text without backslashes')
  cursor.at = end + 1
  return value
}

function skipSpace(cursor: Cursor): void {
  while (' \n\r\t'.includes(cursor.text[cursor.at] ?? '.')) cursor.at++
}

function accept(cursor: Cursor, text: string): boolean {
  skipSpace(cursor)
  if (!cursor.text.startsWith(text, cursor.at)) return false
  cursor.at += text.length
  return true
}

function expectText(cursor: Cursor, text: string): void {
  if (!accept(cursor, text)) fail(cursor, `"${text}"`)
}

function fail(cursor: Cursor, expected: string, found?: string): never {
  const { text, at, fileName } = cursor
  const here = found ?? (at < text.length ? quoted(text.slice(at, at + 16)) : 'the end of the header')
  throw new FileError('NP-03', `${fileName}: character ${at} of the header: expected ${expected}, found ${here}.`)
}
