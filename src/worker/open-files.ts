/** The files the engine has open: of this device, of servers, and several read as one. */
import { InputError, reportError } from '../core/errors'
import type { LayerSources } from '../experiment/load-layer'
import type { TensorSource } from '../experiment/load-tensor'
import { type ByteSource, blobSource, watchedSource } from '../io/byte-source'
import { type CheckpointFile, type FileKind, indexFacts, joinShards, type ShardFacts } from '../io/checkpoint'
import { type HttpOptions, openHttpSource } from '../io/http-source'
import { listRepository } from '../io/hub'
import { type AnyFile, openAny } from '../io/open-any'
import type { FileTensors } from '../io/read-tensors'
import { sliceOf } from '../io/stack'
import type { TensorView } from '../io/tensor-view'
import { createCancellable } from './cancellable'
import type { FileListing, LayerChoice, Reading, ReadingProgress } from './protocol'

/** An open file. `content` is null for a checkpoint, which has no file of its own. */
interface OpenFile extends FileTensors {
  readonly id: string
  readonly kind: FileKind
  readonly source: ByteSource
  readonly url: string | null
  readonly shards: ShardFacts | null
  readonly content: AnyFile | null
}

/** How servers are reached. */
export type Network = Pick<HttpOptions, 'fetch' | 'corsApplies'>

const NOTHING: FileTensors = { tensors: [], metadata: {}, refusals: [] }

function listingOf(file: OpenFile): FileListing {
  const { id, kind, source, url, tensors, metadata, refusals, shards } = file
  const { name, byteLength } = source
  const refused = refusals.map(({ name, error }) => ({ name, error: reportError(error) }))
  return { id, kind, name, byteLength, url, tensors, metadata, refusals: refused, shards }
}

/** Opens files, lists them, joins them, and finds tensors in them. */
export function createOpenFiles(network: () => Network) {
  const files = new Map<string, OpenFile>()
  const openings = createCancellable()
  const listeners = new Set<(reading: Reading | null) => void>()
  let opened = 0

  const keep = (file: Omit<OpenFile, 'id'>): FileListing => {
    const kept = { ...file, id: `file-${opened++}` }
    files.set(kept.id, kept)
    return listingOf(kept)
  }

  /** `reading` is the source under the watch of its opening; `source` the one that stays. */
  const open = async (source: ByteSource, reading: ByteSource, url: string | null): Promise<FileListing> => {
    const content = await openAny(reading)
    const shards = content.kind === 'index' ? indexFacts(content.index) : null
    const held = content.kind === 'index' || content.kind === 'config' ? NOTHING : content
    const { tensors, metadata, refusals } = held
    return keep({ kind: content.kind, source, url, tensors, metadata, refusals, shards, content })
  }

  const openUrl = (id: string, url: string, onProgress: (progress: ReadingProgress) => void, token?: string) =>
    openings.start(id, async (signal) => {
      const source = await openHttpSource(url, { ...network(), signal, token })
      return open(source, progressSource(source, signal, onProgress), url)
    })

  let isReading = false
  const tell = (reading: Reading | null) => {
    if (reading === null && !isReading) return
    isReading = reading !== null
    for (const listener of listeners) listener(reading)
  }
  const tensorOf = createTensorFinder(files, tell)

  return {
    openFile: (file: File): Promise<FileListing> => {
      const source = blobSource(file.name, file)
      return open(source, source, null)
    },
    openUrl,
    listRepository: (id: string, text: string, token?: string) =>
      openings.start(id, (signal) => listRepository(text, { ...network(), signal, token })),
    cancelOpening: (id: string) => openings.cancel(id),
    joinFiles: async (fileIds: readonly string[]): Promise<FileListing> => {
      const joined = await joinOpenFiles(fileIds.map((id) => fileOf(files, id)))
      const { tensors, metadata, refusals } = joined
      const facts = { kind: 'checkpoint' as const, source: joined.source, shards: joined.shards }
      return keep({ ...facts, url: null, tensors, metadata, refusals, content: null })
    },
    closeFile: (id: string) => files.delete(id),
    onReading: (listener: (reading: Reading | null) => void) => listeners.add(listener),
    /** Says that what was being read is there, or never will be. */
    endReading: () => tell(null),
    ...tensorOf,
  }
}

function fileOf(files: ReadonlyMap<string, OpenFile>, id: string): OpenFile {
  const file = files.get(id)
  if (file) return file
  throw new InputError('TS-06', `file ${id}: expected an open file, found none of that id.`)
}

/** Throws InputError IX-07 for files that are no shards. */
function joinOpenFiles(members: readonly OpenFile[]) {
  const shards: CheckpointFile[] = []
  let index = null
  let quantizationConfig: unknown
  for (const { content, source } of members) {
    if (content?.kind === 'index') index = content.index
    else if (content?.kind === 'config') quantizationConfig = content.quantizationConfig
    else if (content?.kind === 'safetensors') shards.push({ source, stored: content.stored })
    else {
      const kind = content?.kind ?? 'checkpoint'
      throw new InputError('IX-07', `${source.name}: expected a safetensors file, an index or a config, found ${kind}.`)
    }
  }
  return joinShards(shards, { index, quantizationConfig })
}

/** The same bytes; what has come of those asked for so far is told. */
function progressSource(
  source: ByteSource,
  signal: AbortSignal,
  onProgress: (progress: ReadingProgress) => void,
): ByteSource {
  let [asked, done] = [0, 0]
  const slice = async (start: number, end: number) => {
    const before = done
    asked += end - start
    const onBytes = (come: number) => onProgress({ done: before + come, total: asked })
    const bytes = await source.slice(start, end, { signal, onBytes })
    done = before + bytes.byteLength
    onProgress({ done, total: asked })
    return bytes
  }
  return { name: source.name, byteLength: source.byteLength, slice }
}

/** What a choice names, among the open files. */
function createTensorFinder(files: ReadonlyMap<string, OpenFile>, tell: (reading: Reading) => void) {
  /** Reads of a server end with `signal` and say how far they are. */
  const watched = (file: OpenFile, tensor: TensorView, signal: AbortSignal | undefined): ByteSource => {
    const name = tensor.shard?.name ?? file.source.name
    let [before, current] = [0, 0]
    const onBytes = (come: number) => {
      // A smaller number than the last begins another read.
      if (come < current) before += current
      current = come
      const done = Math.min(before + current, tensor.byteLength)
      tell({ file: name, tensor: tensor.name, done, total: tensor.byteLength })
    }
    return { ...watchedSource(file.source, { signal, onBytes }), name }
  }

  /**
   * Throws InputError TS-06 for what is not there, PK-01 … PK-05 for a packed tensor that could not be put together, TS-02
   * for a slice that does not exist.
   */
  const tensorOf = (
    { fileId, tensor: name, slice }: { fileId: string; tensor: string; slice?: number },
    signal?: AbortSignal,
  ): TensorSource => {
    const file = files.get(fileId)
    const refusal = file?.refusals.find((candidate) => candidate.name === name)
    // Its codes are in the list, but without their scales they are not the tensor.
    if (refusal) throw refusal.error
    const found = file?.tensors.find((candidate) => candidate.name === name)
    if (!file || !found) {
      throw new InputError('TS-06', `${file?.source.name ?? `file ${fileId}`}: no tensor "${name}".`)
    }
    const tensor = slice === undefined ? found : sliceOf(found, slice)
    return { source: watched(file, tensor, signal), tensor }
  }

  const sourcesOf = ({ weight, activations, ...rows }: LayerChoice, signal?: AbortSignal): LayerSources => ({
    weight: tensorOf(weight, signal),
    activations:
      activations.kind === 'synthetic'
        ? {
            ...activations,
            gain: activations.gain && { ...activations.gain, from: tensorOf(activations.gain, signal) },
          }
        : { kind: 'captured', calibration: tensorOf(activations, signal), evaluation: null },
    heldOutShare: rows.heldOutShare,
    firstToken: rows.firstToken,
    tokens: rows.tokens,
    tensors: files.get(weight.fileId)?.tensors ?? [],
  })

  return { tensorOf, sourcesOf }
}
