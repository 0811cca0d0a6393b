/** The state as a link, and a link put on screen. */
import { type BlockPin, DEFAULT_PIN } from './block-pin'
import { shownBlock } from './blocks-view'
import type { StoreContext } from './context'
import { DEFAULT_FORMATS } from './formats-view'
import { ignoredNotes } from './link-notes'
import { fileSources, linkSelection, restoredSource, waitingSource } from './link-restore'
import { automaticActivations, automaticWeight, findTensor, visibleFiles } from './selection'
import type { SourceActions } from './source-actions'
import type { AppState, OpenFile } from './state'
import type { SweepActions } from './sweep-actions'
import { formatLink, type LinkActivations, type LinkSource, type LinkState, readLink } from './url'
import { DEFAULT_CONTROLS, DEFAULT_HELD_OUT, DEFAULT_PRE_SCALE, type Vocabulary } from './vocabulary'

export interface LinkActions {
  /**
   * Puts what a fragment says on screen. While a file it needs is not open, that file is asked for (LK-01) and nothing
   * is computed; what the fragment says wrongly is named (LK-03).
   */
  applyLink(fragment: string): Promise<void>
}

/** The files a link must name: of the user's own those that are compared, of the others the one on screen. */
function linkedFiles({ source }: AppState): readonly OpenFile[] {
  const shown = visibleFiles(source)
  const { weight, activations } = source
  const used = shown.filter(
    ({ id }) => id === weight?.fileId || (activations.kind === 'captured' && id === activations.fileId),
  )
  return used.length > 0 ? used : shown
}

function sourcesOf(state: AppState): readonly LinkSource[] {
  const { active } = state.source
  if (active === null) return []
  if (active !== 'user') return [{ kind: 'demo', id: active }]
  return linkedFiles(state).map(({ name, byteLength, headerHash }) => ({ kind: 'file', name, byteLength, headerHash }))
}

function activationsOf(state: AppState): LinkActivations | null {
  const { source } = state
  const automatic = automaticActivations(linkedFiles(state), source.weight)
  if (source.activations.kind === 'synthetic') {
    const { tokens, outlierChannels, outlierGain } = source.synthetic
    const standard = JSON.stringify(source.synthetic) === JSON.stringify(DEFAULT_CONTROLS)
    return automatic.kind === 'synthetic' && standard
      ? null
      : { kind: 'synthetic', tokens, outlierChannels, outlierGain }
  }
  const { fileId, tensor } = source.activations
  const same = automatic.kind === 'captured' && automatic.fileId === fileId && automatic.tensor === tensor
  return same ? null : { kind: 'captured', tensor }
}

/** The block on screen; before it is read, the one asked for, which may lie beyond the operand. */
function pinOf(state: AppState): BlockPin {
  const { operand, row, block } = state.blocks
  const shown = shownBlock(state)
  return { operand, row: shown?.row ?? row, block: shown?.block ?? block }
}

/** What a link to this state says. While a link waits for its file, its own sources stay in the address. */
export function linkOf(state: AppState): LinkState {
  const { source, setup, view, blocks, sweeps } = state
  const pending = source.pendingLink
  const automatic = automaticWeight(linkedFiles(state))
  const isAutomatic = automatic?.fileId === source.weight?.fileId && automatic?.tensor === source.weight?.tensor
  const weight = findTensor(source.files, source.weight)
  return {
    sources: pending ? pending.sources : sourcesOf(state),
    weight: pending ? pending.weight : isAutomatic || !weight ? null : weight.tensor,
    activations: pending ? pending.activations : activationsOf(state),
    setup,
    heldOutShare: source.heldOutShare,
    tokens: source.tokens,
    view: view.view,
    sweep: sweeps.parameter,
    pin: pinOf(state),
    compared: { formats: blocks.formats, preScale: blocks.preScale },
    formats: state.formats,
    surface: view.surface,
    theme: view.theme,
    unknown: view.unknown,
  }
}

/** The fragment of the address for this state, without '#'. */
export function fragmentOf(state: AppState, vocabulary: Vocabulary): string {
  return formatLink(linkOf(state), vocabulary)
}

/**
 * The part of the link that is chosen rather than typed or dragged: two states that agree in it are one entry of the
 * history. Numbers are left out, and the theme, which no one wants undone by Back.
 */
export function stepOf(state: AppState, vocabulary: Vocabulary): string {
  const link = linkOf(state)
  const methods = link.setup.methods.map((method) => ({
    ...method,
    options: Object.fromEntries(Object.entries(method.options).filter(([, value]) => typeof value !== 'number')),
  }))
  const { rows, scaling, axis } = link.formats
  const activations = link.activations?.kind === 'synthetic' ? null : link.activations
  const synthetic = state.source.activations.kind === 'synthetic'
  const chosen = {
    ...link,
    activations,
    setup: {
      ...link.setup,
      methods,
      seed: 0,
      preScale: { ...link.setup.preScale, factor: DEFAULT_PRE_SCALE.factor },
    },
    heldOutShare: DEFAULT_HELD_OUT,
    tokens: null,
    pin: DEFAULT_PIN,
    compared: { ...link.compared, preScale: null },
    formats: { ...DEFAULT_FORMATS, rows, scaling, axis },
    theme: 'auto' as const,
  }
  return `${synthetic} ${formatLink(chosen, vocabulary)}`
}

export function createLinkActions(
  context: StoreContext,
  actions: Pick<SourceActions, 'openBuiltIn'> & Pick<SweepActions, 'runSweep'>,
): LinkActions {
  const { environment, get, patch, schedule } = context
  const { vocabulary } = environment
  let applied = 0

  /** The built-in layer a link names, else the first one, with the tensors the link chooses in it. */
  const showBuiltIn = async (link: LinkState) => {
    const named = link.sources.find((each) => each.kind === 'demo')?.id
    const id = vocabulary.builtIns.find((layer) => layer.id === named)?.id ?? vocabulary.builtIns[0]?.id
    if (id === undefined) return
    await actions.openBuiltIn(id)
    if (get().source.active === id) patch('source', linkSelection(visibleFiles(get().source), link))
  }

  return {
    applyLink: async (fragment) => {
      applied += 1
      const mine = applied
      const { link, ignored } = readLink(fragment, vocabulary)
      const { kind: _kind, ...synthetic } =
        link.activations?.kind === 'synthetic' ? link.activations : { kind: null, ...DEFAULT_CONTROLS }
      patch('source', { restoring: true, heldOutShare: link.heldOutShare, tokens: link.tokens, synthetic })
      patch('setup', link.setup)
      patch('blocks', { ...link.pin, ...link.compared })
      patch('formats', link.formats)
      patch('sweeps', { parameter: link.sweep })
      patch('view', { view: link.view, surface: link.surface, theme: link.theme, unknown: link.unknown })
      const { files } = get().source
      if (fileSources(link).length > 0) {
        patch('source', { notes: [], ...(restoredSource(files, link) ?? waitingSource(files, link)) })
      } else {
        patch('source', { pendingLink: null })
        await showBuiltIn(link)
      }
      // Another link has taken over meanwhile.
      if (mine !== applied) return
      patch('source', { restoring: false, notes: [...ignoredNotes(ignored), ...get().source.notes] })
      schedule()
      // A link to a sweep shows it, computed as soon as the comparison is.
      if (link.view === 'sweeps' && link.sweep !== null) actions.runSweep()
    },
  }
}
