import { reportError } from '../core/errors'
import type { FileListing } from '../worker/protocol'
import type { StoreContext } from './context'
import { headerHash } from './header-hash'
import {
  automaticActivations,
  automaticWeight,
  captureCandidates,
  holdsActivationsFor,
  selectByName,
  visibleFiles,
} from './selection'
import type { ActivationSource, OpenFile, SourceSlice, SyntheticControls, TensorRef } from './state'

/** Actions on files, tensors and activations. Each keeps what is on screen when it fails. */
export interface SourceActions {
  openBuiltIn(id: string): Promise<void>
  openFiles(files: readonly File[]): Promise<void>
  /** Back from a built-in layer to the user's own files. */
  showOwnFiles(): void
  closeFile(fileId: string): void
  /** Says beside the drop zone why a dropped thing was not opened at all. */
  refuseFile(name: string, code: string, message: string): void
  dismissProblems(): void
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
    showOwnFiles: () => {
      const files = visibleFiles({ files: source().files, active: 'user' })
      const weight = automaticWeight(files)
      change({ active: 'user', weight, activations: automaticActivations(files, weight) })
    },
    closeFile: (fileId) => closeFile(context, fileId),
    refuseFile: (name, code, message) =>
      patch('source', { problems: [...source().problems, { name, error: { kind: 'file', code, message } }] }),
    dismissProblems: () => patch('source', { problems: [], note: null }),
    chooseWeight: (weight) => {
      const activations = automaticActivations(visibleFiles(source()), weight)
      change({ weight, activations })
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
  patch('source', { problems: [], note: null, pendingLink: null })
  if (!get().source.files.some((file) => file.builtIn === id)) {
    const opened = await read(context, builtIn.label, () => environment.fetchLayer(builtIn.file))
    if (!opened) return
    const file: OpenFile = { ...opened.listing, builtIn: id, headerHash: '' }
    patch('source', { files: [...get().source.files, file] })
  }
  const files = visibleFiles({ files: get().source.files, active: id })
  const weight = automaticWeight(files)
  patch('source', { active: id, weight, activations: automaticActivations(files, weight) })
  schedule()
}

async function openFiles(context: StoreContext, files: readonly File[]): Promise<void> {
  const { get, patch } = context
  patch('source', { problems: [], note: null })
  for (const file of files) {
    const opened = await read(context, file.name, async () => file)
    if (!opened) continue
    const hash = await headerHash(file).catch(() => '')
    adopt(context, { ...opened.listing, builtIn: null, headerHash: hash })
  }
  if (get().source.pendingLink === null) return
  const missing = get().source.pendingLink?.sources.some(
    (wanted) => wanted.kind === 'file' && !get().source.files.some(({ name }) => name === wanted.name),
  )
  if (!missing) patch('source', { pendingLink: null })
}

/** Puts a file that could be read on screen: as what a link asked for, as activations, or as a layer of its own. */
function adopt({ get, patch, schedule }: StoreContext, file: OpenFile): void {
  const { source } = get()
  const files = [...source.files, file]
  const shown = visibleFiles({ files, active: 'user' })
  const wanted = source.pendingLink?.sources.find((each) => each.kind === 'file' && each.name === file.name)
  if (source.pendingLink && wanted?.kind === 'file') {
    const other = wanted.headerHash !== '' && file.headerHash !== '' && wanted.headerHash !== file.headerHash
    const note = other
      ? `LK-02: opened, but this is another file: header ${file.headerHash} instead of ${wanted.headerHash}. Settings are applied, results may differ.`
      : null
    patch('source', { files, active: 'user', note, ...selectByName(shown, source.pendingLink) })
  } else if (source.active === 'user' && holdsActivationsFor(file, source.files, source.weight)) {
    const candidates = captureCandidates(files, source.weight)
    const best = candidates.find(({ fileId }) => fileId === file.id)
    if (best) patch('source', { files, activations: { kind: 'captured', fileId: best.fileId, tensor: best.tensor } })
  } else {
    const weight = automaticWeight([file])
    const activations = automaticActivations([file, ...shown], weight)
    patch('source', { files, active: 'user', weight, activations })
  }
  schedule()
}

function closeFile({ engine, get, patch, schedule }: StoreContext, fileId: string): void {
  const { source } = get()
  const files = source.files.filter(({ id }) => id !== fileId)
  void engine.closeFile(fileId)
  const userFiles = visibleFiles({ files, active: 'user' })
  if (userFiles.length === 0) {
    const builtIn = files[0]?.builtIn ?? null
    const shown = visibleFiles({ files, active: builtIn })
    const weight = automaticWeight(shown)
    patch('source', { files, active: builtIn, weight, activations: automaticActivations(shown, weight) })
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
