/** Readers of plain data that came from outside: each checks one value and says where it is wrong. */

/** Reads a value; `path` says where it stands. Throws Mismatch. */
export type Decoder<T> = (value: unknown, path: string) => T

/** A value that is not what it should be; the caller makes an error of it that names the file. */
export class Mismatch extends Error {
  readonly path: string
  readonly expected: string
  readonly found: string

  constructor(path: string, expected: string, value: unknown) {
    const found = describe(value)
    super(`${path}: expected ${expected}, found ${found}`)
    this.path = path
    this.expected = expected
    this.found = found
  }
}

const LONGEST = 60

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function typed<T>(expected: string, isIt: (value: unknown) => value is T): Decoder<T> {
  return (value, path) => {
    if (isIt(value)) return value
    throw new Mismatch(path, expected, value)
  }
}

export const text: Decoder<string> = typed('text', (value) => typeof value === 'string')
export const flag: Decoder<boolean> = typed('true or false', (value) => typeof value === 'boolean')
export const finite: Decoder<number> = typed('a number', (value): value is number => Number.isFinite(value))
export const whole: Decoder<number> = typed(
  'a whole number, 0 or more',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
)

/** A number that JSON cannot hold is written as its name. */
const NAMED: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity }

/** Any f64: a number, or "NaN", "Infinity", "-Infinity". */
export const real: Decoder<number> = (value, path) => {
  if (typeof value === 'string' && Object.hasOwn(NAMED, value)) return NAMED[value]
  if (typeof value === 'number') return value
  throw new Mismatch(path, 'a number, "NaN", "Infinity" or "-Infinity"', value)
}

/** What `real` reads back: the number itself, or the name of one that JSON cannot hold. */
export function writtenReal(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

export function exactly<const T extends string>(...values: readonly T[]): Decoder<T> {
  return typed(`one of ${values.join(', ')}`, (value): value is T => values.some((each) => each === value))
}

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === null ? null : decode(value, path))
}

export function either<A, B>(first: Decoder<A>, second: Decoder<B>): Decoder<A | B> {
  return (value, path) => {
    try {
      return first(value, path)
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
      return second(value, path)
    }
  }
}

export function listOf<T>(decode: Decoder<T>, most = Number.MAX_SAFE_INTEGER): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new Mismatch(path, 'a list', value)
    if (value.length > most) throw new Mismatch(path, `at most ${most} entries`, value)
    return value.map((each, at) => decode(each, `${path}[${at}]`))
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names of the file's own choosing, each with a value of one kind. */
export function recordOf<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    if (!isObject(value)) throw new Mismatch(path, 'an object', value)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decode(each, `${path}.${key}`)]))
  }
}

/** Exactly these fields; others are ignored, so that a later minor addition still reads. */
export function objectOf<T>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  const entries = Object.entries(fields) as readonly (readonly [string, Decoder<unknown>])[]
  return (value, path) => {
    if (!isObject(value)) throw new Mismatch(path, 'an object', value)
    const read = entries.map(([key, decode]) => {
      const own = Object.hasOwn(value, key) ? value[key] : undefined
      return [key, decode(own, path === '' ? key : `${path}.${key}`)]
    })
    return Object.fromEntries(read) as T
  }
}
