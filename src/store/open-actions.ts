/** Opening and closing files: what came in becomes layers, shards that belong together as one. */
import { reportError } from '../core/errors'
import { blobSource } from '../io/byte-source'
import { groupShards } from '../io/checkpoint'
import { headerHash } from '../io/header-hash'
import type { Answer, FileListing } from '../worker/protocol'
import type { StoreContext } from './context'
import { sortFiles } from './incoming-files'
import { findWanted, insteadNote } from './link-notes'
import { fileSources, restoredSource, waitingSource } from './link-restore'
import {
  automaticActivations,
  automaticWeight,
  captureCandidates,
  findTensor,
  holdsActivationsFor,
  visibleFiles,
} from './selection'
import type { OpenFile, TensorRef } from './state'

export interface OpenActions {
  openBuiltIn(id: string): Promise<void>
  /** Opens what was dropped or picked; of several files those that are not ours are named once. */
  openFiles(files: readonly File[]): Promise<void>
  /** Opens the files of the visit before; needs a click just before. */
  reopenFiles(): Promise<void>
  /** Forgets the files of the visit before. */
  forgetFiles(): void
  /** Closes a file, of a checkpoint all its parts, and gives back those that came from this device. */
  closeFile(fileId: string): readonly File[]
  /** Says beside the drop zone why a dropped thing was not opened at all. */
  refuseFile(name: string, code: string, message: string): void
}

export function createOpenActions(context: StoreContext): OpenActions {
  const { environment, get, patch } = context
  const { keptFiles } = environment
  /** The user's open files that came from this device, by id. */
  const opened = new Map<string, File>()
  const keep = () => {
    void keptFiles?.keep([...opened.values()]).catch(() => sayNotKept(context))
  }
  const open = async (files: readonly File[]) => {
    const { ours, note } = sortFiles(files)
    patch('source', { problems: [], notes: note ? [note] : [] })
    const listed: OpenFile[] = []
    for (const file of ours) {
      const answer = await read(context, file.name, async () => file)
      if (!answer) continue
      const hash = answer.kind === 'safetensors' ? await headerHash(blobSource(file.name, file)).catch(() => '') : ''
      const own = { ...answer, builtIn: null, headerHash: hash, parts: [] }
      const same = get().source.files.find((other) => other.builtIn === null && isSameFile(other, own))
      if (same) void context.engine.closeFile(own.id)
      else opened.set(own.id, file)
      listed.push(same ?? own)
    }
    await takeIn(context, listed)
    patch('source', { kept: [] })
    keep()
  }
  void keptFiles?.list().then(
    (kept) => patch('source', { kept }),
    () => undefined,
  )
  return {
    openBuiltIn: (id) => openBuiltIn(context, id),
    openFiles: open,
    reopenFiles: async () => {
      const files = await keptFiles?.open().catch((error) => {
        const problem = { name: get().source.kept[0]?.name ?? '', error: lostHandle(error) }
        patch('source', { problems: [...get().source.problems, problem] })
        return null
      })
      if (files && files.length > 0) await open(files)
    },
    forgetFiles: () => {
      patch('source', { kept: [] })
      void keptFiles?.keep([]).catch(() => undefined)
    },
    closeFile: (fileId) => {
      const file = get().source.files.find(({ id }) => id === fileId)
      const ids = [fileId, ...(file?.parts ?? [])]
      const files = ids.flatMap((id) => opened.get(id) ?? [])
      for (const id of ids) {
        opened.delete(id)
        void context.engine.closeFile(id)
      }
      closeFile(context, ids)
      keep()
      return files
    },
    refuseFile: (name, code, message) =>
      patch('source', { problems: [...get().source.problems, { name, error: { kind: 'file', code, message } }] }),
  }
}

const isSameFile = (a: OpenFile, b: OpenFile) =>
  a.name === b.name && a.byteLength === b.byteLength && a.headerHash === b.headerHash && b.headerHash !== ''

/** IO-06: a file that was there on the last visit cannot be opened now. */
function lostHandle(error: unknown) {
  const { message } = reportError(error)
  return { kind: 'file' as const, code: 'IO-06', message: `the file of the last visit cannot be opened (${message}).` }
}

/** IO-05, once per visit: the browser keeps no handles, in private windows for example. */
function sayNotKept({ get, patch }: StoreContext): void {
  const { notes } = get().source
  if (notes.some(({ code }) => code === 'IO-05')) return
  const message = 'This browser keeps nothing for the next visit: after a reload, open the files again.'
  patch('source', { notes: [...notes, { code: 'IO-05', message }] })
}

/** Reads one file's header in the engine. A refusal is shown and null comes back. */
async function read(
  { engine, get, patch }: StoreContext,
  name: string,
  load: () => Promise<File>,
): Promise<FileListing | null> {
  patch('source', { reading: [...get().source.reading, name] })
  const answer = await load()
    .then((file) => engine.openFile(file))
    .catch((error): Answer<FileListing> => ({ ok: false, error: reportError(error) }))
  const reading = [...get().source.reading]
  reading.splice(reading.indexOf(name), 1)
  patch('source', { reading })
  if (answer.ok) return answer.value
  patch('source', { problems: [...get().source.problems, { name, error: answer.error }] })
  return null
}

/** The hash of a built-in layer comes after the layer, which nothing waits for: only what is saved says it. */
function noteHash({ get, patch }: StoreContext, fileId: string, hash: string): void {
  if (hash === '') return
  const files = get().source.files.map((file) => (file.id === fileId ? { ...file, headerHash: hash } : file))
  patch('source', { files })
}

async function openBuiltIn(context: StoreContext, id: string): Promise<void> {
  const { environment, get, patch, schedule } = context
  const builtIn = environment.vocabulary.builtIns.find((layer) => layer.id === id)
  if (!builtIn) return
  patch('source', { problems: [], notes: [] })
  if (!get().source.files.some((file) => file.builtIn === id)) {
    const fetched = environment.fetchLayer(builtIn.file)
    const listing = await read(context, builtIn.label, () => fetched)
    if (!listing) return
    const file: OpenFile = { ...listing, builtIn: id, headerHash: '', parts: [] }
    patch('source', { files: [...get().source.files, file] })
    void fetched
      .then((file) => headerHash(blobSource(file.name, file)))
      .then((hash) => noteHash(context, file.id, hash))
      .catch(() => undefined)
  }
  const files = visibleFiles({ files: get().source.files, active: id })
  const weight = automaticWeight(files)
  patch('source', { active: id, pendingLink: null, weight, activations: automaticActivations(files, weight) })
  schedule()
}

/** Puts the first built-in layer on screen. */
export function openFirst(context: StoreContext): void {
  const [first] = context.environment.vocabulary.builtIns
  if (first) void openBuiltIn(context, first.id)
}

/** Puts files that could be read among the open ones and on screen; a waiting link takes those it asks for. */
export async function takeIn(context: StoreContext, listed: readonly OpenFile[]): Promise<void> {
  if (listed.length === 0) return
  const { get, patch, schedule } = context
  const known = new Set(get().source.files.map(({ id }) => id))
  patch('source', { files: [...get().source.files, ...listed.filter(({ id }) => !known.has(id))] })
  const joined = await joinGroups(context)
  const { pendingLink } = get().source
  if (!answersLink(context, listed)) {
    const news = new Set([...listed, ...joined].map(({ id }) => id))
    const shown = visibleFiles({ files: get().source.files, active: 'user' })
    for (const file of shown) if (news.has(file.id)) adopt(context, file)
    const { notes } = get().source
    if (pendingLink !== null && get().source.pendingLink === null)
      patch('source', { notes: [...notes, insteadNote(fileSources(pendingLink), listed)] })
  }
  schedule()
}

/** Joins the open files that belong together and are not joined yet; what was a part of them is replaced. */
async function joinGroups({ engine, get, patch }: StoreContext): Promise<readonly OpenFile[]> {
  const own = get().source.files.filter(({ builtIn, kind }) => builtIn === null && kind !== 'checkpoint')
  const joined: OpenFile[] = []
  for (const { title, fileIds } of groupShards(own)) {
    const isPart = ({ parts }: OpenFile) => parts.some((id) => fileIds.includes(id))
    const before = get().source.files.filter(isPart)
    if (before.some(({ parts }) => parts.length === fileIds.length && parts.every((id) => fileIds.includes(id))))
      continue
    const answer = await engine.joinFiles(fileIds)
    if (!answer.ok) {
      patch('source', { problems: [...get().source.problems, { name: title, error: answer.error }] })
      continue
    }
    const checkpoint: OpenFile = { ...answer.value, builtIn: null, headerHash: '', parts: fileIds }
    const { files, weight, activations } = get().source
    const replaced = new Set([...fileIds, ...before.map(({ id }) => id)])
    const moved = <R extends TensorRef>(ref: R): R =>
      replaced.has(ref.fileId) ? { ...ref, fileId: checkpoint.id } : ref
    patch('source', {
      files: [...files.filter((file) => !before.includes(file)), checkpoint],
      weight: weight && moved(weight),
      activations: activations.kind === 'captured' ? moved(activations) : activations,
    })
    for (const { id } of before) void engine.closeFile(id)
    joined.push(checkpoint)
  }
  return joined
}

/** Takes files as those the waiting link asks for; false when no link waits or none of them is meant. */
function answersLink({ get, patch }: StoreContext, opened: readonly OpenFile[]): boolean {
  const { pendingLink: link, files } = get().source
  if (link === null || !fileSources(link).some((wanted) => findWanted(opened, wanted) !== null)) return false
  patch('source', restoredSource(files, link) ?? waitingSource(files, link))
  return true
}

/** Puts a new file on screen: as activations of the layer that is open, or as a layer of its own. */
function adopt({ get, patch }: StoreContext, file: OpenFile): void {
  const { source } = get()
  const shown = visibleFiles({ files: source.files, active: 'user' })
  const others = shown.filter(({ id }) => id !== file.id)
  // More of the checkpoint that is on screen: what is chosen in it stays.
  if (source.active === 'user' && source.weight?.fileId === file.id && findTensor(shown, source.weight)) return
  if (source.active === 'user' && holdsActivationsFor(file, others, source.weight)) {
    const best = captureCandidates(shown, source.weight).find(({ fileId }) => fileId === file.id)
    if (best) patch('source', { activations: { kind: 'captured', fileId: best.fileId, tensor: best.tensor } })
  } else {
    const weight = automaticWeight([file])
    const activations = automaticActivations([file, ...others], weight)
    patch('source', { active: 'user', pendingLink: null, weight, activations })
  }
}

/** Takes closed files off the screen, and puts in their place what is left. */
function closeFile(context: StoreContext, ids: readonly string[]): void {
  const { get, patch, schedule } = context
  const { source } = get()
  const files = source.files.filter(({ id }) => !ids.includes(id))
  const userFiles = visibleFiles({ files, active: 'user' })
  if (source.pendingLink) {
    patch('source', { files, ...waitingSource(files, source.pendingLink) })
  } else if (source.active !== 'user') {
    patch('source', { files })
    return
  } else if (userFiles.length === 0) {
    const builtIn = files.find((file) => file.builtIn !== null)?.builtIn ?? null
    const shown = visibleFiles({ files, active: builtIn })
    const weight = automaticWeight(shown)
    patch('source', { files, active: builtIn, weight, activations: automaticActivations(shown, weight) })
    if (builtIn === null) openFirst(context)
  } else if (findTensor(userFiles, source.weight) === null) {
    const weight = automaticWeight(userFiles)
    patch('source', { files, weight, activations: automaticActivations(userFiles, weight) })
  } else {
    const { activations } = source
    const lost = activations.kind === 'captured' && ids.includes(activations.fileId)
    patch('source', { files, activations: lost ? automaticActivations(userFiles, source.weight) : activations })
  }
  schedule()
}
