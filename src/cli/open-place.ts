/** What may stand for FILE on a command line: a file, a folder, an index, a web address, a Hub repository. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FileError } from '../core/errors'
import type { ByteSource } from '../io/byte-source'
import { type CheckpointFile, joinShards, shardSetOf } from '../io/checkpoint'
import { parseUrl } from '../io/http-errors'
import { openHttpSource } from '../io/http-source'
import { fileUrl, HUB_URL, listRepository, parseRepository, type RepositoryName } from '../io/hub'
import { openAny } from '../io/open-any'
import type { ShardIndex, ShardNote } from '../io/shard-index'
import { openSource } from './node-source'
import type { OpenFile } from './open-file'

/** Headers read at a time: a model may have hundreds of shards. */
const PARALLEL = 6

/** A file of a folder or repository, not yet open. */
interface Member {
  readonly name: string
  readonly open: () => Promise<ByteSource>
}

/** Is told of each file of the disk, with what closes it. */
type OnOpen = (path: string, close: () => Promise<void>) => void

type Opened = Omit<OpenFile, 'paths'>

/** Opens `place`, or several as the shards of one model. */
export async function openPlace(place: string | readonly string[], onOpen: OnOpen): Promise<Opened> {
  if (typeof place === 'string') return openOne(place, onOpen)
  const members = place.map((each) => {
    return { name: fileName(each), open: IS_ADDRESS.test(each) ? remote(each) : local(each, onOpen) }
  })
  return openFolder(`${place.length} files`, members, { isOneModel: true })
}

const IS_ADDRESS = /^[a-z]+:\/\//i

/** The last part of a path or an address. */
const fileName = (place: string) => basename(URL.canParse(place) ? new URL(place).pathname : place)

const local = (path: string, onOpen: OnOpen) => async (): Promise<ByteSource> => {
  const source = await openSource(path)
  onOpen(path, source.close)
  return source
}

const remote = (address: string) => () => openHttpSource(address, { fetch })

async function openOne(place: string, onOpen: OnOpen): Promise<Opened> {
  const repository = place.startsWith('hf:') || /^https?:/i.test(place) ? parseRepository(place) : null
  if (place.startsWith('hf:') || repository) return openRepository(place, repository)
  if (IS_ADDRESS.test(place)) {
    return openMember({ name: place, open: remote(place) }, (name) => remote(new URL(name, parseUrl(place)).href))
  }
  if (!(await isFolder(place))) {
    const beside = (name: string) => local(join(dirname(place), name), onOpen)
    return openMember({ name: place, open: local(place, onOpen) }, beside)
  }
  const names = await readdir(place)
  const folder = basename(join(place, '.')) || place
  return openFolder(
    folder,
    names.map((name) => ({ name, open: local(join(place, name), onOpen) })),
    { isOneModel: false },
  )
}

const isFolder = (place: string): Promise<boolean> =>
  stat(place).then(
    (stats) => stats.isDirectory(),
    () => false,
  )

const INDEX_NAME = /\.safetensors\.index\.json$/i
const WEIGHTS_NAME = /\.safetensors$/i

/**
 * What to open for a list of everything at `place`: of a folder without an index each file by itself and shards of one
 * model together; `place` for all else.
 */
export async function placesIn(place: string): Promise<readonly (string | readonly string[])[]> {
  if (place.startsWith('hf:') || IS_ADDRESS.test(place) || !(await isFolder(place))) return [place]
  const names = (await readdir(place)).sort(naturalOrder.compare)
  const files = names.filter((name) => WEIGHTS_NAME.test(name) || /\.npy$/i.test(name))
  const sets = new Set(files.map(shardSetOf))
  if (names.some((name) => INDEX_NAME.test(name)) || sets.size < 2) return [place]
  const paths = (set: string) => files.filter((name) => shardSetOf(name) === set).map((name) => join(place, name))
  return [...sets].map((set) => {
    const [first, ...more] = paths(set)
    return more.length === 0 ? first : [first, ...more]
  })
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

/** A single file; the index of a sharded model leads to its shards beside it, of which some may be missing. */
async function openMember({ open }: Member, beside: (name: string) => () => Promise<ByteSource>): Promise<Opened> {
  const source = await open()
  const file = await openAny(source)
  if (file.kind === 'config') {
    throw new FileError(
      'IX-08',
      `${source.name}: expected weights or an index, found a config. Name the folder it is in.`,
    )
  }
  if (file.kind !== 'index') return { source, shards: null, index: null, ...file }
  return openShards(
    file.index.shards.map((name) => ({ name, open: beside(name) })),
    { index: file.index, quantizationConfig: undefined, isOptional: true, notes: [] },
  )
}

/** What is read of config.json; one that is damaged is noted. */
async function readConfig({ name, open }: Member): Promise<{ quantizationConfig: unknown; notes: ShardNote[] }> {
  try {
    const settings = await openAny(await open())
    return { quantizationConfig: settings.kind === 'config' ? settings.quantizationConfig : undefined, notes: [] }
  } catch (error) {
    return { quantizationConfig: undefined, notes: [leftOut(name, error)] }
  }
}

/** The note on a file that is damaged. Throws `error` when it is about something else, such as a connection. */
function leftOut(name: string, error: unknown): ShardNote {
  if (!(error instanceof FileError) || !/^(ST|IX|NP)-/.test(error.code)) throw error
  return { code: 'IX-09', message: `${name} is left out: ${error.code}: ${error.message}` }
}

/**
 * The weights among `members`: those of the index where there is one, otherwise all, which are shards of one model by
 * their names unless the caller says that they are. Throws FileError IX-08 when they are not.
 */
async function openFolder(
  title: string,
  members: readonly Member[],
  { isOneModel }: { readonly isOneModel: boolean },
): Promise<Opened> {
  const indices = members.filter(({ name }) => INDEX_NAME.test(name))
  const weights = members.filter(({ name }) => WEIGHTS_NAME.test(name))
  const config = members.find(({ name }) => name === 'config.json')
  if (indices.length > 1) {
    const names = indices.map(({ name }) => name).join(', ')
    throw new FileError('IX-08', `${title}: expected one model, found several: ${names}. Name the index to open.`)
  }
  const settings = config ? await readConfig(config) : { quantizationConfig: undefined, notes: [] }
  if (indices.length === 1) {
    const file = await openAny(await indices[0].open())
    const index = file.kind === 'index' ? file.index : null
    const named = weights.filter(({ name }) => index?.shards.includes(name))
    return openShards(named, { index, ...settings, isOptional: false })
  }
  const sets = new Set(weights.map(({ name }) => shardSetOf(name)))
  if (sets.size > 1 && !isOneModel) {
    const names = weights.slice(0, NAMES_SHOWN).map(({ name }) => name)
    const more = weights.length > NAMES_SHOWN ? ` and ${weights.length - NAMES_SHOWN} more` : ''
    throw new FileError(
      'IX-08',
      `${title}: expected one model, found files of several: ${names.join(', ')}${more}. Name the file to open.`,
    )
  }
  if (weights.length > 0) return openShards(weights, { index: null, ...settings, isOptional: false })
  throw new FileError(
    'IX-08',
    `${title}: expected a .safetensors file or an index, found none among ${members.length} files.`,
  )
}

interface ShardOptions {
  readonly index: ShardIndex | null
  readonly quantizationConfig: unknown
  /** A file that is not there is missing, no error. */
  readonly isOptional: boolean
  /** What there is to say already. */
  readonly notes: readonly ShardNote[]
}

/** Files named in a message. */
const NAMES_SHOWN = 8

async function openShards(members: readonly Member[], options: ShardOptions): Promise<Opened> {
  const { isOptional, notes: before, ...join } = options
  const files: CheckpointFile[] = []
  const notes: ShardNote[] = [...before]
  const openOne = async ({ name, open }: Member): Promise<CheckpointFile[]> => {
    const source = await open().catch((error: unknown) => {
      const isAbsent = error instanceof FileError && (error.code === 'FS-01' || error.code === 'HT-06')
      if (isOptional && isAbsent) return null
      throw error
    })
    if (!source) return []
    // A damaged file that is the only one is what the caller wants to hear of.
    const file = await openAny(source).catch((error: unknown) => {
      if (members.length === 1) throw error
      notes.push(leftOut(name, error))
      return null
    })
    if (!file) return []
    if (file.kind === 'safetensors') return [{ source, stored: file.stored }]
    throw new FileError('IX-08', `${name}: expected a safetensors file, found ${file.kind}.`)
  }
  for (let first = 0; first < members.length; first += PARALLEL) {
    files.push(...(await Promise.all(members.slice(first, first + PARALLEL).map(openOne))).flat())
  }
  if (files.length === 0) {
    for (const { message } of notes.slice(before.length)) throw new FileError('IX-09', message)
    const names = (join.index?.shards ?? []).slice(0, 3).join(', ')
    throw new FileError(
      'IX-08',
      `${join.index?.name ?? 'model'}: expected at least one of its files, such as ${names}, found none.`,
    )
  }
  const joined = await joinShards(files, join)
  return { ...joined, index: join.index, shards: { ...joined.shards, notes: [...notes, ...joined.shards.notes] } }
}

/** Reads HF_TOKEN and HF_ENDPOINT, as the Hub's own tools do. */
async function openRepository(text: string, name: RepositoryName | null): Promise<Opened> {
  const token = process.env.HF_TOKEN || undefined
  const hubUrl = process.env.HF_ENDPOINT || HUB_URL
  const open = (address: string) => () => openHttpSource(address, { fetch, token })
  if (name?.path) {
    const { path } = name
    const beside = (shard: string) => open(fileUrl(name, join(dirname(path), shard), hubUrl))
    return openMember({ name: path, open: open(fileUrl(name, path, hubUrl)) }, beside)
  }
  const { id, files } = await listRepository(text, { fetch, token, hubUrl })
  // Other folders hold other precisions or parts of the same model.
  const root = files.filter(({ path }) => !path.includes('/'))
  return openFolder(
    id,
    root.map(({ path, url }) => ({ name: path, open: open(url) })),
    { isOneModel: false },
  )
}
