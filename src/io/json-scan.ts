import { FileError } from '../core/errors'
import { byteAt, hexByte } from './number-text'

/**
 * A JSON reader (RFC 8259) that walks bytes instead of building a tree: it knows the byte offset of everything, sees
 * repeated keys, allocates nothing for what is skipped, and does not recurse. `at` is an index into `bytes`.
 */
export interface JsonText {
  readonly bytes: Uint8Array
  /** Where bytes[0] lies in the file, for messages. */
  readonly fileOffset: number
  /** Name of the file, for messages. */
  readonly fileName: string
  /** What the text is, for messages: "the end of the header"; absent: header. */
  readonly part?: string
}

export type JsonKind = 'object' | 'list' | 'text' | 'number' | 'true' | 'false' | 'null'

/** One member of an object: its decoded key and where key and value begin. */
export interface JsonMember {
  readonly key: string
  readonly keyAt: number
  readonly valueAt: number
}

/** Deepest nesting accepted, that of the reference reader's JSON library; a header needs 3. */
const MAX_DEPTH = 128

/** One for all: a header has a handful of texts per tensor. */
const DECODER = new TextDecoder()

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const POINT = 0x2e
const COLON = 0x3a
const BACKSLASH = 0x5c
const LIST = 0x5b
const LIST_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const LITERALS = [
  ['true', [0x74, 0x72, 0x75, 0x65]],
  ['false', [0x66, 0x61, 0x6c, 0x73, 0x65]],
  ['null', [0x6e, 0x75, 0x6c, 0x6c]],
] as const

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
const isHexDigit = (byte: number) => isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)

/** Checks that the whole text is one JSON value with nothing but white space behind it. Throws FileError ST-07. */
export function checkJson(text: JsonText): void {
  const end = skipSpace(text, skipValue(text, 0))
  if (end < text.bytes.length) fail(text, end, endOf(text))
}

/** Index behind the value that begins at or after `at`. Throws FileError ST-07 where the text is not JSON. */
export function skipValue(text: JsonText, at: number): number {
  const { bytes } = text
  // Closing bytes still owed, outermost first.
  const owed: number[] = []
  for (;;) {
    at = skipSpace(text, at)
    const first = bytes[at]
    if (first === OBJECT || first === LIST) {
      if (owed.length === MAX_DEPTH) fail(text, at, `at most ${MAX_DEPTH} nested lists and objects`)
      const close = first === OBJECT ? OBJECT_END : LIST_END
      at = skipSpace(text, at + 1)
      if (bytes[at] !== close) {
        owed.push(close)
        if (close === OBJECT_END) at = skipKey(text, at)
        continue
      }
      at++
    } else {
      at = skipScalar(text, at)
    }
    at = closeValues(text, at, owed)
    if (owed.length === 0) return at
  }
}

/** The members of the object at `at`, in file order, repeated keys included. The text must have passed checkJson. */
export function* jsonMembers(text: JsonText, at: number): Generator<JsonMember> {
  let keyAt = skipSpace(text, skipSpace(text, at) + 1)
  while (text.bytes[keyAt] !== OBJECT_END) {
    const valueAt = skipSpace(text, skipKey(text, keyAt))
    yield { key: jsonString(text, keyAt), keyAt, valueAt }
    const end = skipSpace(text, skipValue(text, valueAt))
    if (text.bytes[end] !== COMMA) return
    keyAt = skipSpace(text, end + 1)
  }
}

/** Where each element of the list at `at` begins. The text must have passed checkJson. */
export function* jsonElements(text: JsonText, at: number): Generator<number> {
  let element = skipSpace(text, skipSpace(text, at) + 1)
  while (text.bytes[element] !== LIST_END) {
    yield element
    const end = skipSpace(text, skipValue(text, element))
    if (text.bytes[end] !== COMMA) return
    element = skipSpace(text, end + 1)
  }
}

/** What kind of value begins at `at`. */
export function jsonKind(text: JsonText, at: number): JsonKind {
  const first = text.bytes[at]
  if (first === OBJECT) return 'object'
  if (first === LIST) return 'list'
  if (first === QUOTE) return 'text'
  return LITERALS.find(([, bytes]) => bytes[0] === first)?.[0] ?? 'number'
}

/** The bytes of the value at `at` as they stand in the file. */
export function jsonToken(text: JsonText, at: number): string {
  return DECODER.decode(text.bytes.subarray(at, skipValue(text, at)))
}

/** The decoded string at `at`. Throws FileError ST-07 for half of a surrogate pair, which is no text. */
export function jsonString(text: JsonText, at: number): string {
  const token = jsonToken(text, at)
  if (!token.includes('\\')) return token.slice(1, -1)
  const value = String(JSON.parse(token))
  if (/\p{Surrogate}/u.test(value)) fail(text, at, 'text', 'half of a surrogate pair')
  return value
}

/** Behind a finished value: consumes the closing bytes that follow, up to a comma (and the key behind it). */
function closeValues(text: JsonText, at: number, owed: number[]): number {
  while (owed.length > 0) {
    const close = owed[owed.length - 1]
    at = skipSpace(text, at)
    if (text.bytes[at] === COMMA) {
      return close === OBJECT_END ? skipKey(text, skipSpace(text, at + 1)) : at + 1
    }
    if (text.bytes[at] !== close) fail(text, at, close === OBJECT_END ? '"," or "}"' : '"," or "]"')
    owed.pop()
    at++
  }
  return at
}

/** Index of the first byte from `at` that is not white space. */
export function skipSpace(text: JsonText, at: number): number {
  const { bytes } = text
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return at
}

function skipKey(text: JsonText, at: number): number {
  if (text.bytes[at] !== QUOTE) fail(text, at, 'a name in double quotes')
  const end = skipSpace(text, skipString(text, at))
  if (text.bytes[end] !== COLON) fail(text, end, '":"')
  return end + 1
}

function skipScalar(text: JsonText, at: number): number {
  const first = text.bytes[at]
  if (first === QUOTE) return skipString(text, at)
  if (first === MINUS || isDigit(first)) return skipNumber(text, at)
  for (const [name, bytes] of LITERALS) {
    if (bytes[0] !== first) continue
    if (!bytes.every((byte, i) => text.bytes[at + i] === byte)) fail(text, at, `a value such as ${name}`)
    return at + bytes.length
  }
  return fail(text, at, 'a value')
}

function skipString(text: JsonText, at: number): number {
  const { bytes } = text
  for (at++; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte < 0x20) fail(text, at, 'text without control characters')
    if (byte !== BACKSLASH) continue
    at++
    if (bytes[at] === 0x75) {
      for (let digit = 1; digit <= 4; digit++) {
        if (!isHexDigit(bytes[at + digit])) fail(text, at + digit, 'four hexadecimal digits behind \\u')
      }
      at += 4
    } else if (!'"\\/bfnrt'.includes(String.fromCharCode(bytes[at] ?? 0))) {
      fail(text, at, 'one of " \\ / b f n r t u behind \\')
    }
  }
  return fail(text, bytes.length, 'a closing double quote')
}

function skipNumber(text: JsonText, at: number): number {
  const { bytes } = text
  if (bytes[at] === MINUS) at++
  if (bytes[at] === 0x30) at++
  else at = skipDigits(text, at)
  if (bytes[at] === POINT) at = skipDigits(text, at + 1)
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++
    if (bytes[at] === MINUS || bytes[at] === 0x2b) at++
    at = skipDigits(text, at)
  }
  return at
}

function skipDigits(text: JsonText, at: number): number {
  if (!isDigit(text.bytes[at])) fail(text, at, 'a digit')
  while (isDigit(text.bytes[at])) at++
  return at
}

function fail(text: JsonText, at: number, expected: string, found = characterAt(text, at)): never {
  const where = byteAt(text.fileOffset + at)
  throw new FileError('ST-07', `${text.fileName}: ${where}: expected ${expected}, found ${found}.`)
}

const endOf = ({ part = 'header' }: JsonText) => `the end of the ${part}`

function characterAt(text: JsonText, at: number): string {
  const { bytes } = text
  if (at >= bytes.length) return endOf(text)
  if (bytes[at] < 0x20 || bytes[at] === 0x7f) return hexByte(bytes[at])
  const [character] = DECODER.decode(bytes.subarray(at, at + 4))
  return character === '"' ? `'"'` : `"${character}"`
}
