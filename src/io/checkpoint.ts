/** Shards of one model as a single list of tensors over a single range of bytes. */
import { InputError } from '../core/errors'
import type { ByteSource } from './byte-source'
import { joinSources } from './join-sources'
import { grouped, quoted } from './number-text'
import { logicalTensors, type Refusal } from './packing/recognise'
import { findIntegerBits, type StoredTensors } from './read-tensors'
import { noteList, type ShardIndex, type ShardNote } from './shard-index'
import type { Shard, TensorView } from './tensor-view'

/** What an open file is. `index` and `config` hold no tensors; `checkpoint` is several files read as one. */
export type FileKind = 'safetensors' | 'npy' | 'index' | 'config' | 'checkpoint'

/** The files of a checkpoint, or those an index names. Plain data. */
export interface ShardFacts {
  /** What the files have in common: "model". */
  readonly title: string
  readonly shards: readonly { readonly name: string; readonly isOpen: boolean }[]
  /** Tensors of the open files, packed ones counted by their parts. */
  readonly tensorsOpen: number
  /** Tensors of all files, as far as the index says; null without one while files are missing. */
  readonly tensorsTotal: number | null
  /** IX-02 to IX-06: what is missing or contradicts the index. Nothing here keeps the open files from use. */
  readonly notes: readonly ShardNote[]
}

/** An open safetensors file. */
export interface CheckpointFile {
  readonly source: ByteSource
  readonly stored: StoredTensors
}

export interface Checkpoint {
  readonly source: ByteSource
  readonly tensors: readonly TensorView[]
  readonly metadata: Readonly<Record<string, string>>
  readonly refusals: readonly Refusal[]
  readonly shards: ShardFacts
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

/** "model-00002-of-00004.safetensors": stem, number, of how many. */
const SHARD_NAME = /^(.*?)[-_.](\d{4,6})-of-(\d{4,6})\.safetensors$/

/** Most shards a file name may speak of; beyond that the names of missing ones are not made up. */
const MAX_SHARDS = 10_000

/** Missing files named in a note. */
const NAMES_SHOWN = 8

/** Equal for the shards of one model, by their names; the name itself for a file that is none. */
export function shardSetOf(fileName: string): string {
  const [, stem, , count] = SHARD_NAME.exec(fileName) ?? []
  return count === undefined ? fileName : `${stem} ${count}`
}

/** What is common to the files of an index or of a set of shards. */
function titleOf(fileName: string): string {
  return SHARD_NAME.exec(fileName)?.[1] || fileName.replace(/\.safetensors(\.index\.json)?$/, '')
}

/** What an index says on its own, before any of its files is open. */
export function indexFacts(index: ShardIndex): ShardFacts {
  return {
    title: titleOf(index.name),
    shards: index.shards.map((name) => ({ name, isOpen: false })),
    tensorsOpen: 0,
    tensorsTotal: index.shardOf.size,
    notes: index.notes,
  }
}

/** An open file as groupShards sees it. */
interface Groupable {
  readonly id: string
  readonly kind: FileKind
  readonly name: string
  readonly shards: ShardFacts | null
}

/**
 * Which of several open files belong together, each group to be joined: an index with the files it names and a config;
 * without an index files called alike, "x-00001-of-00003.safetensors". Files in no group stand alone.
 */
export function groupShards(files: readonly Groupable[]): readonly { title: string; fileIds: readonly string[] }[] {
  const configs = files.filter(({ kind }) => kind === 'config')
  // Of several configs none says which weights it is about.
  const config = configs.length === 1 ? [configs[0].id] : []
  const free = new Set(files.filter(({ kind }) => kind === 'safetensors'))
  const groups: { title: string; fileIds: readonly string[] }[] = []
  for (const { id, kind, shards } of files) {
    if (kind !== 'index' || !shards) continue
    const names = new Set(shards.shards.map(({ name }) => name))
    const members = [...free].filter(({ name }) => names.has(name))
    for (const member of members) free.delete(member)
    if (members.length > 0) {
      groups.push({ title: shards.title, fileIds: [id, ...members.map((member) => member.id), ...config] })
    }
  }
  const sets = new Map<string, Groupable[]>()
  for (const file of free) {
    const key = shardSetOf(file.name)
    if (key === file.name) continue
    sets.set(key, [...(sets.get(key) ?? []), file])
  }
  for (const members of sets.values()) {
    if (members.length < 2) continue
    groups.push({ title: titleOf(members[0].name), fileIds: [...members.map(({ id }) => id), ...config] })
  }
  return groups
}

/**
 * Several safetensors files as one: tensors in the order of the shards, packed ones put together across files. Reads at
 * most 16 bytes. Of two tensors with one name the index decides, else the first; everything else that does not agree with
 * the index is said in `shards.notes`. Throws InputError IX-07 without any file.
 */
export async function joinShards(
  files: readonly CheckpointFile[],
  { index, quantizationConfig }: { index: ShardIndex | null; quantizationConfig?: unknown },
): Promise<Checkpoint> {
  if (files.length === 0)
    throw new InputError('IX-07', 'checkpoint: expected at least one safetensors file, found none.')
  const ordered = [...files].sort((a, b) => naturalOrder.compare(a.source.name, b.source.name))
  const title = titleOf(index?.name ?? ordered[0].source.name)
  const source = joinSources(
    title,
    ordered.map((file) => file.source),
  )
  const notes: ShardNote[] = [...(index?.notes ?? [])]
  const { tensors, total } = mergeTensors(ordered, index, notes)
  const metadata = mergeMetadata(ordered)
  const integerBits = await findIntegerBits(source, tensors)
  const missing = missingShards(ordered, index)
  const shards = [...ordered.map((file) => ({ name: file.source.name, isOpen: true })), ...missing.map(closed)]
  const tensorsTotal = index ? total : missing.length > 0 ? null : tensors.length
  const facts = { title, shards, tensorsOpen: tensors.length, tensorsTotal }
  if (missing.length > 0) notes.push({ code: 'IX-03', message: missingText(missing, facts) })
  return {
    source,
    ...logicalTensors(tensors, { metadata, integerBits, quantizationConfig }),
    metadata,
    shards: { ...facts, notes },
  }
}

const closed = (name: string) => ({ name, isOpen: false })

/** The first file of every tensor, or the one the index names; adds IX-04, IX-05 and IX-06 to `notes`. */
function mergeTensors(files: readonly CheckpointFile[], index: ShardIndex | null, notes: ShardNote[]) {
  const [moved, doubled, absent] = [noteList('IX-04'), noteList('IX-05'), noteList('IX-06')]
  const chosen = new Map<string, TensorView>()
  const named = ({ name }: TensorView) => index?.shards[index.shardOf.get(name) ?? -1]
  let start = 0
  for (const { source, stored } of files) {
    const shard: Shard = { name: source.name, start }
    start += source.byteLength
    for (const tensor of stored.tensors) {
      const view = { ...tensor, byteOffset: tensor.byteOffset + shard.start, shard }
      const other = chosen.get(tensor.name)
      const wins = !other || (named(tensor) === source.name && other.shard?.name !== source.name)
      if (wins) chosen.set(tensor.name, view)
      if (!other?.shard) continue
      const used = wins ? source.name : other.shard.name
      doubled.add(`${quoted(tensor.name)}: in ${other.shard.name} and in ${source.name}. Using ${used}.`)
    }
  }
  const open = new Set(files.map(({ source }) => source.name))
  for (const [name, place] of index?.shardOf ?? []) {
    const said = index?.shards[place] ?? ''
    const found = chosen.get(name)?.shard?.name
    if (found !== undefined && found !== said) {
      moved.add(`${quoted(name)}: the index says ${said}, it is in ${found}. Using ${found}.`)
    }
    if (found === undefined && open.has(said)) {
      absent.add(`${quoted(name)}: the index says ${said}, which does not have it.`)
    }
  }
  notes.push(...moved.list(), ...doubled.list(), ...absent.list())
  const unlisted = index ? [...chosen.keys()].filter((name) => !index.shardOf.has(name)).length : 0
  return { tensors: [...chosen.values()], total: (index?.shardOf.size ?? 0) + unlisted }
}

/** Of all files; the first to name a key has it. */
function mergeMetadata(files: readonly CheckpointFile[]): Readonly<Record<string, string>> {
  const metadata = new Map<string, string>()
  for (const { stored } of files) {
    for (const [key, value] of Object.entries(stored.metadata)) if (!metadata.has(key)) metadata.set(key, value)
  }
  return Object.fromEntries(metadata)
}

/** Names of files that belong here and are not open: those of the index, or those the names of the open ones imply. */
function missingShards(files: readonly CheckpointFile[], index: ShardIndex | null): readonly string[] {
  const open = new Set(files.map(({ source }) => source.name))
  if (index) return index.shards.filter((name) => !open.has(name))
  const first = files[0].source.name
  const [, stem, number, digits] = SHARD_NAME.exec(first) ?? []
  const count = Number(digits ?? 0)
  if (stem === undefined || number === undefined || count > MAX_SHARDS) return []
  const joint = first.charAt(stem.length)
  const names = Array.from({ length: count }, (_, i) => {
    return `${stem}${joint}${String(i + 1).padStart(number.length, '0')}-of-${digits}.safetensors`
  })
  return names.filter((name) => !open.has(name))
}

function missingText(missing: readonly string[], facts: Omit<ShardFacts, 'notes'>): string {
  const { shards, tensorsOpen, tensorsTotal } = facts
  const names = missing.slice(0, NAMES_SHOWN).join(', ')
  const more = missing.length > NAMES_SHOWN ? ` and ${grouped(missing.length - NAMES_SHOWN)} more` : ''
  const rest =
    tensorsTotal === null
      ? `${grouped(tensorsOpen)} tensors can be opened`
      : `${grouped(tensorsOpen)} of ${grouped(tensorsTotal)} tensors can be opened`
  return `${missing.length} of ${shards.length} shards missing: ${names}${more}. ${rest}.`
}
