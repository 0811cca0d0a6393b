import { reportError } from '../core/errors'
import type { FileListing } from '../worker/protocol'
import type { StoreContext } from './context'
import { headerHash } from './header-hash'
import { findWanted } from './link-notes'
import { fileSources, restoredSource, waitingSource } from './link-restore'
import {
  automaticActivations,
  automaticWeight,
  captureCandidates,
  holdsActivationsFor,
  visibleFiles,
} from './selection'
import type { ActivationSource, OpenFile, SourceSlice, SyntheticControls, TensorRef } from './state'

/** Actions on files, tensors and activations. Each keeps what is on screen when it fails. */
export interface SourceActions {
  openBuiltIn(id: string): Promise<void>
  openFiles(files: readonly File[]): Promise<void>
  /** Puts one of the user's open files on screen. */
  showOwnFile(fileId: string): void
  closeFile(fileId: string): void
  /** Says beside the drop zone why a dropped thing was not opened at all. */
  refuseFile(name: string, code: string, message: string): void
  dismissProblems(): void
  /** Forgets the link that waits for a file; the first built-in layer comes where nothing else is open. */
  dismissLink(): void
  chooseWeight(weight: TensorRef): void
  chooseActivations(activations: ActivationSource): void
  setSynthetic(change: Partial<SyntheticControls>): void
  setHeldOutShare(share: number): void
  setTokens(tokens: number | null): void
}

export function createSourceActions(context: StoreContext): SourceActions {
  const { patch, schedule } = context
  const source = () => context.get().source
  const change = (fields: Partial<SourceSlice>) => {
    patch('source', fields)
    schedule()
  }
  return {
    openBuiltIn: (id) => openBuiltIn(context, id),
    openFiles: (files) => openFiles(context, files),
    showOwnFile: (fileId) => {
      const files = visibleFiles({ files: source().files, active: 'user' })
      const weight = automaticWeight(files.filter(({ id }) => id === fileId)) ?? automaticWeight(files)
      const activations = automaticActivations(files, weight)
      change({ active: 'user', pendingLink: null, notes: [], weight, activations })
    },
    closeFile: (fileId) => closeFile(context, fileId),
    refuseFile: (name, code, message) =>
      patch('source', { problems: [...source().problems, { name, error: { kind: 'file', code, message } }] }),
    dismissProblems: () => patch('source', { problems: [], notes: [] }),
    dismissLink: () => {
      patch('source', { pendingLink: null })
      const [first] = context.environment.vocabulary.builtIns
      if (source().active === null && first) void openBuiltIn(context, first.id)
    },
    chooseWeight: (weight) => {
      const activations = automaticActivations(visibleFiles(source()), weight)
      change({ weight, activations, pendingLink: null })
    },
    chooseActivations: (activations) => change({ activations }),
    setSynthetic: (fields) => change({ synthetic: { ...source().synthetic, ...fields } }),
    setHeldOutShare: (heldOutShare) => change({ heldOutShare }),
    setTokens: (tokens) => change({ tokens }),
  }
}

/** Reads one file's header in the engine. A refusal is shown and null comes back. */
async function read(
  { engine, get, patch }: StoreContext,
  name: string,
  load: () => Promise<File>,
): Promise<{ listing: FileListing; file: File } | null> {
  patch('source', { reading: [...get().source.reading, name] })
  const answer = await load()
    .then(async (file) => ({ file, result: await engine.openFile(file) }))
    .catch((error) => ({ file: null, result: { ok: false as const, error: reportError(error) } }))
  const reading = [...get().source.reading]
  reading.splice(reading.indexOf(name), 1)
  patch('source', { reading })
  if (answer.result.ok && answer.file) return { listing: answer.result.value, file: answer.file }
  if (!answer.result.ok) {
    patch('source', { problems: [...get().source.problems, { name, error: answer.result.error }] })
  }
  return null
}

async function openBuiltIn(context: StoreContext, id: string): Promise<void> {
  const { environment, get, patch, schedule } = context
  const builtIn = environment.vocabulary.builtIns.find((layer) => layer.id === id)
  if (!builtIn) return
  patch('source', { problems: [], notes: [] })
  if (!get().source.files.some((file) => file.builtIn === id)) {
    const opened = await read(context, builtIn.label, () => environment.fetchLayer(builtIn.file))
    if (!opened) return
    const file: OpenFile = { ...opened.listing, builtIn: id, headerHash: '' }
    patch('source', { files: [...get().source.files, file] })
  }
  const files = visibleFiles({ files: get().source.files, active: id })
  const weight = automaticWeight(files)
  patch('source', { active: id, pendingLink: null, weight, activations: automaticActivations(files, weight) })
  schedule()
}

async function openFiles(context: StoreContext, files: readonly File[]): Promise<void> {
  const { patch, schedule } = context
  patch('source', { problems: [], notes: [] })
  const opened: OpenFile[] = []
  for (const file of files) {
    const answer = await read(context, file.name, async () => file)
    if (!answer) continue
    opened.push({ ...answer.listing, builtIn: null, headerHash: await headerHash(file).catch(() => '') })
  }
  if (opened.length === 0) return
  if (!answersLink(context, opened)) for (const file of opened) adopt(context, file)
  schedule()
}

/** Takes files as those the waiting link asks for; false when no link waits or none of them is meant. */
function answersLink({ get, patch }: StoreContext, opened: readonly OpenFile[]): boolean {
  const { pendingLink: link, files } = get().source
  if (link === null || !fileSources(link).some((wanted) => findWanted(opened, wanted) !== null)) return false
  const all = [...files, ...opened]
  patch('source', { files: all, ...(restoredSource(all, link) ?? waitingSource(all, link)) })
  return true
}

/** Puts a file that could be read on screen: as activations of the layer that is open, or as a layer of its own. */
function adopt({ get, patch }: StoreContext, file: OpenFile): void {
  const { source } = get()
  const files = [...source.files, file]
  const shown = visibleFiles({ files, active: 'user' })
  if (source.active === 'user' && holdsActivationsFor(file, source.files, source.weight)) {
    const candidates = captureCandidates(files, source.weight)
    const best = candidates.find(({ fileId }) => fileId === file.id)
    if (best) patch('source', { files, activations: { kind: 'captured', fileId: best.fileId, tensor: best.tensor } })
  } else {
    const weight = automaticWeight([file])
    const activations = automaticActivations([file, ...shown], weight)
    patch('source', { files, active: 'user', pendingLink: null, weight, activations })
  }
}

function closeFile(context: StoreContext, fileId: string): void {
  const { engine, environment, get, patch, schedule } = context
  const { source } = get()
  const files = source.files.filter(({ id }) => id !== fileId)
  void engine.closeFile(fileId)
  const userFiles = visibleFiles({ files, active: 'user' })
  if (source.pendingLink) {
    patch('source', { files, ...waitingSource(files, source.pendingLink) })
  } else if (userFiles.length === 0) {
    const builtIn = files[0]?.builtIn ?? null
    const shown = visibleFiles({ files, active: builtIn })
    const weight = automaticWeight(shown)
    patch('source', { files, active: builtIn, weight, activations: automaticActivations(shown, weight) })
    const [first] = environment.vocabulary.builtIns
    if (builtIn === null && first) void openBuiltIn(context, first.id)
  } else if (source.weight?.fileId === fileId) {
    const weight = automaticWeight(userFiles)
    patch('source', { files, weight, activations: automaticActivations(userFiles, weight) })
  } else {
    const lost = source.activations.kind === 'captured' && source.activations.fileId === fileId
    const activations = lost ? automaticActivations(userFiles, source.weight) : source.activations
    patch('source', { files, activations })
  }
  schedule()
}
