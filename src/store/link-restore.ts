/** From the names a link holds to open files and tensors. */
import type { FileSource } from './link-notes'
import { findWanted, ignoredNotes, otherFileNotes } from './link-notes'
import { selectByName, weightName } from './selection'
import type { OpenFile, SourceSlice } from './state'
import type { LinkState } from './url'

export const fileSources = (link: Pick<LinkState, 'sources'>): readonly FileSource[] =>
  link.sources.filter((source) => source.kind === 'file')

/** The files the waiting link still asks for; empty when none waits. */
export function awaitedFiles({
  files,
  pendingLink,
}: Pick<SourceSlice, 'files' | 'pendingLink'>): readonly FileSource[] {
  return pendingLink === null ? [] : fileSources(pendingLink).filter((wanted) => findWanted(files, wanted) === null)
}

/** The selection a link asks for among `files`; tensors it names that are not there are said as LK-03. */
export function linkSelection(
  files: readonly OpenFile[],
  link: LinkState,
): Pick<SourceSlice, 'weight' | 'activations' | 'notes'> {
  const chosen = selectByName(files, link)
  const tensor = chosen.activations.kind === 'captured' ? chosen.activations.tensor : null
  const lost = [
    ...(link.weight !== null && weightName(chosen.weight) !== link.weight ? ['w'] : []),
    ...(link.activations?.kind === 'captured' && link.activations.tensor !== tensor ? ['a'] : []),
    ...(link.activations?.kind === 'norm' && chosen.activations.kind !== 'norm' ? ['a'] : []),
  ]
  return { ...chosen, notes: ignoredNotes(lost) }
}

/** What is on screen once every file of `link` is among `files`; null while one is missing. */
export function restoredSource(files: readonly OpenFile[], link: LinkState): Partial<SourceSlice> | null {
  const pairs = fileSources(link).map((wanted) => ({ wanted, file: findWanted(files, wanted) }))
  const found = pairs.flatMap(({ wanted, file }) => (file ? [{ wanted, file }] : []))
  if (found.length === 0 || found.length < pairs.length) return null
  // Shards are read as one where they are joined.
  const whole = (file: OpenFile) => files.find(({ parts }) => parts.includes(file.id)) ?? file
  const selection = linkSelection([...new Set(found.map(({ file }) => whole(file)))], link)
  const notes = [...otherFileNotes(found), ...selection.notes]
  return { ...selection, active: 'user', pendingLink: null, notes }
}

/** Nothing chosen, and so nothing computed, until the rest of the files is there. */
export function waitingSource(files: readonly OpenFile[], link: LinkState): Partial<SourceSlice> {
  const some = fileSources(link).some((wanted) => findWanted(files, wanted) !== null)
  return { active: some ? 'user' : null, weight: null, activations: { kind: 'synthetic' }, pendingLink: link }
}
