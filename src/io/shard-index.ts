/** model.safetensors.index.json: which of several files each tensor is in. */
import { FileError } from '../core/errors'
import type { ByteSource } from './byte-source'
import { findInvalidUtf8 } from './find-invalid-utf8'
import { checkJson, type JsonText, jsonKind, jsonMembers, jsonString, skipSpace } from './json-scan'
import { byteAt, grouped, hexByte, quoted } from './number-text'
import { foundKind } from './parse-header-json'
import { readBytes } from './read-bytes'

/** Longest file of JSON accepted; that of a model with half a million tensors has 60 MB. */
const MAX_JSON_BYTES = 200_000_000

/** Longest name a file system gives a file. */
const MAX_NAME_CHARACTERS = 255

/** Notes of one kind that are kept word for word; a hostile index could ask for a million. */
const NOTES_KEPT = 8

/** Something about files that were opened nevertheless. */
export interface ShardNote {
  readonly code: string
  readonly message: string
}

/** What an index says. */
export interface ShardIndex {
  /** Name of the index file itself. */
  readonly name: string
  /** File names in natural order; each is a plain name. */
  readonly shards: readonly string[]
  /** For every tensor its place in `shards`. */
  readonly shardOf: ReadonlyMap<string, number>
  /** Entries that were ignored: IX-02. */
  readonly notes: readonly ShardNote[]
}

/** Collects notes of one code; behind the first few only their number is kept. */
export function noteList(code: string) {
  const kept: ShardNote[] = []
  let count = 0
  return {
    add: (message: string) => {
      count++
      if (kept.length < NOTES_KEPT) kept.push({ code, message })
    },
    list: (): readonly ShardNote[] =>
      count > kept.length ? [...kept, { code, message: `And ${grouped(count - kept.length)} more like these.` }] : kept,
  }
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

/** True for a name that cannot lead to another folder. */
function isFileName(text: string): boolean {
  if (text === '' || text === '.' || text === '..' || text.length > MAX_NAME_CHARACTERS) return false
  return [...text].every((character) => character >= ' ' && character !== '/' && character !== '\\')
}

/**
 * Reads an index from its text, which must have come from readJsonText. Memory and work are in proportion to the file.
 * Entries whose file is not a plain name are left out and noted (IX-02). Throws FileError IX-01 without a weight_map that
 * names each tensor once.
 */
export function parseShardIndex(text: JsonText): ShardIndex {
  return asIndexError(() => parseIndex(text))
}

/** Where the value of the first member called `name` begins; null without one. */
export function memberAt(text: JsonText, name: string): number | null {
  return asIndexError(() => {
    for (const { key, valueAt } of jsonMembers(text, 0)) if (key === name) return valueAt
    return null
  })
}

function parseIndex(text: JsonText): ShardIndex {
  const mapAt = memberAt(text, 'weight_map')
  const refuse = (what: string) => new FileError('IX-01', `${text.fileName}: ${what}.`)
  if (mapAt === null) throw refuse('weight_map is missing')
  if (jsonKind(text, mapAt) !== 'object') {
    throw refuse(`weight_map: expected an object of file names, found ${foundKind(text, mapAt)}`)
  }
  const fileOf = new Map<string, string>()
  const notes = noteList('IX-02')
  for (const { key, keyAt, valueAt } of jsonMembers(text, mapAt)) {
    if (fileOf.has(key)) throw refuse(`weight_map ${quoted(key)}: listed twice, again at ${byteAt(keyAt)}`)
    const isText = jsonKind(text, valueAt) === 'text'
    const name = isText ? jsonString(text, valueAt) : ''
    // An entry that is left out is remembered, so that a second one is seen.
    fileOf.set(key, isText && isFileName(name) ? name : '')
    const found = isText ? `${quoted(name)} is not a file name` : `${foundKind(text, valueAt)} is not a file name`
    if (fileOf.get(key) === '') notes.add(`weight_map ${quoted(key)}: ${found}; ignored.`)
  }
  return { name: text.fileName, ...placesOf(fileOf), notes: notes.list() }
}

function placesOf(fileOf: ReadonlyMap<string, string>): Pick<ShardIndex, 'shards' | 'shardOf'> {
  const shards = [...new Set(fileOf.values())].filter((name) => name !== '').sort(naturalOrder.compare)
  const places = new Map(shards.map((name, place) => [name, place]))
  const shardOf = new Map<string, number>()
  for (const [tensor, name] of fileOf) {
    const place = places.get(name)
    if (place !== undefined) shardOf.set(tensor, place)
  }
  return { shards, shardOf }
}

/** A JSON file whole, checked. Throws FileError IX-01 for one that is too long, no UTF-8, or no JSON object. */
export async function readJsonText(source: ByteSource): Promise<JsonText> {
  const { name, byteLength } = source
  if (byteLength > MAX_JSON_BYTES) {
    const found = `expected at most ${grouped(MAX_JSON_BYTES)} bytes of JSON, found ${grouped(byteLength)}`
    throw new FileError('IX-01', `${name}: ${found}.`)
  }
  const bytes = new Uint8Array(await readBytes(source, 0, byteLength))
  const invalid = findInvalidUtf8(bytes)
  if (invalid) {
    const found = [...invalid.bytes].map(hexByte).join(' ')
    throw new FileError('IX-01', `${name}: ${byteAt(invalid.at)}: not valid UTF-8 (${found}).`)
  }
  const text: JsonText = { bytes, fileOffset: 0, fileName: name, part: 'file' }
  asIndexError(() => checkJson(text))
  const kind = foundKind(text, skipSpace(text, 0))
  if (kind !== 'an object') throw new FileError('IX-01', `${name}: expected a JSON object, found ${kind}.`)
  return text
}

/** Refusals of the JSON reader under the code of this kind of file. */
function asIndexError<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof FileError && error.code === 'ST-07') {
      throw new FileError('IX-01', error.message, { cause: error })
    }
    throw error
  }
}
