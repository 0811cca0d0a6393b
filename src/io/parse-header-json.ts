import { FileError } from '../core/errors'
import { checkJson, type JsonMember, type JsonText, jsonKind, jsonMembers, jsonString } from './json-scan'
import { byteAside, byteAt, quoted } from './number-text'

/** A member of the header that describes a tensor: its name and where its value begins in the header's text. */
export interface HeaderEntry {
  readonly name: string
  readonly valueAt: number
}

const METADATA = '__metadata__'

/**
 * Splits the header's JSON into entries and metadata. Throws FileError ST-07 (not JSON), ST-08 (a name used twice,
 * which JSON.parse would pass over) and ST-09 (metadata that is not text to text).
 */
export function parseHeaderJson(text: JsonText): {
  entries: HeaderEntry[]
  metadata: ReadonlyMap<string, string>
} {
  checkJson(text)
  const entries: HeaderEntry[] = []
  const firstAt = new Map<string, number>()
  let metadataAt = -1
  for (const { key, keyAt, valueAt } of jsonMembers(text, 0)) {
    checkOnce(text, firstAt, { key, keyAt }, () => (key === METADATA ? METADATA : `tensor ${quoted(key)}`))
    if (key === METADATA) metadataAt = valueAt
    else entries.push({ name: key, valueAt })
  }
  return { entries, metadata: metadataAt < 0 ? new Map() : parseMetadata(text, metadataAt) }
}

/** Records that `key` stands at `keyAt`. Throws FileError ST-08 with what it is when it has been seen before. */
export function checkOnce(
  text: JsonText,
  firstAt: Map<string, number>,
  { key, keyAt }: Pick<JsonMember, 'key' | 'keyAt'>,
  what: () => string,
): void {
  const before = firstAt.get(key)
  if (before !== undefined) {
    const places = [before, keyAt].map((at) => byteAt(text.fileOffset + at).replace('byte ', ''))
    throw new FileError('ST-08', `${text.fileName}: ${what()}: listed twice, at bytes ${places[0]} and ${places[1]}.`)
  }
  firstAt.set(key, keyAt)
}

/** A kind of JSON value with its article: "a number". */
export function foundKind(text: JsonText, at: number): string {
  const kind = jsonKind(text, at)
  if (kind === 'object') return 'an object'
  return kind === 'number' || kind === 'list' ? `a ${kind}` : kind
}

function parseMetadata(text: JsonText, at: number): Map<string, string> {
  const where = (place: number) => byteAside(text.fileOffset + place)
  if (jsonKind(text, at) !== 'object') {
    const found = `expected an object of texts, found ${foundKind(text, at)} ${where(at)}`
    throw new FileError('ST-09', `${text.fileName}: ${METADATA}: ${found}.`)
  }
  const metadata = new Map<string, string>()
  const firstAt = new Map<string, number>()
  for (const { key, keyAt, valueAt } of jsonMembers(text, at)) {
    const what = `${METADATA} ${quoted(key)}`
    checkOnce(text, firstAt, { key, keyAt }, () => what)
    if (jsonKind(text, valueAt) !== 'text') {
      const found = `expected text, found ${foundKind(text, valueAt)} ${where(valueAt)}`
      throw new FileError('ST-09', `${text.fileName}: ${what}: ${found}.`)
    }
    metadata.set(key, jsonString(text, valueAt))
  }
  return metadata
}
