/** The state as a link, and a link put on screen. */
import type { LinkActivations } from './activation-link'
import { DEFAULT_PIN, type Pins } from './block-pin'
import { shownBlock } from './blocks-view'
import type { StoreContext } from './context'
import { DEFAULT_FORMATS } from './formats-view'
import { ignoredNotes } from './link-notes'
import { fileSources, linkSelection, restoredSource, waitingSource } from './link-restore'
import type { OpenActions } from './open-actions'
import { DEFAULT_ROTATION_CONTROLS } from './rotation-view'
import { savedOnScreen } from './saved-layer'
import { automaticActivations, automaticWeight, findTensor, gainOf, visibleFiles, weightName } from './selection'
import type { AppState, OpenFile, TensorRef } from './state'
import type { SweepActions } from './sweep-actions'
import { formatLink, type LinkSource, type LinkState, readLink } from './url'
import { DEFAULT_CONTROLS, DEFAULT_HELD_OUT, DEFAULT_PRE_SCALE, type Vocabulary } from './vocabulary'

export interface LinkActions {
  /**
   * Puts what a fragment says on screen. While a file it needs is not open, that file is asked for (LK-01) and nothing
   * is computed; what the fragment says wrongly is named (LK-03).
   */
  applyLink(fragment: string): Promise<void>
}

/** What the comparison reads: the weight, and the tensor or the gain its activations are made from. */
function usedTensors({ source }: AppState): readonly TensorRef[] {
  const { files, weight, activations } = source
  const fed = activations.kind === 'captured' ? activations : activations.kind === 'norm' ? gainOf(files, weight) : null
  return [weight, fed].filter((ref) => ref !== null)
}

/** The files a link must name: of the user's own those that are compared, of the others the one on screen. */
function linkedFiles(state: AppState): readonly OpenFile[] {
  const shown = visibleFiles(state.source)
  const used = shown.filter(({ id }) => usedTensors(state).some(({ fileId }) => fileId === id))
  return used.length > 0 ? used : shown
}

/** The files that hold the used tensors of a checkpoint, of a packed tensor those of all its parts. */
function linkedParts(state: AppState, checkpoint: OpenFile): readonly OpenFile[] {
  const names = usedTensors(state)
    .filter(({ fileId }) => fileId === checkpoint.id)
    .flatMap((ref) => findTensor([checkpoint], ref)?.view ?? [])
    .flatMap(({ storage, shard }) => [
      shard,
      ...(storage?.kind === 'packed' ? storage.parts.map(({ tensor }) => tensor.shard) : []),
    ])
    .flatMap((shard) => shard?.name ?? [])
  return state.source.files.filter(({ id, name }) => checkpoint.parts.includes(id) && names.includes(name))
}

function sourcesOf(state: AppState): readonly LinkSource[] {
  const { active } = state.source
  if (active === null) return []
  if (active !== 'user') return [{ kind: 'demo', id: active }]
  return linkedFiles(state)
    .flatMap((file) => (file.kind === 'checkpoint' ? linkedParts(state, file) : [file]))
    .map(({ name, byteLength, headerHash, url }) => ({ kind: 'file', name, byteLength, headerHash, url }))
}

/** The page's own choice in a checkpoint depends on which of its files are open, so a link does not leave it to it. */
const readsCheckpoint = ({ source }: AppState) =>
  source.files.some(({ id, kind }) => id === source.weight?.fileId && kind === 'checkpoint')

function activationsOf(state: AppState): LinkActivations | null {
  const { source } = state
  const automatic = automaticActivations(linkedFiles(state), source.weight)
  const { activations } = source
  if (activations.kind !== 'captured') {
    const standard = JSON.stringify(source.synthetic) === JSON.stringify(DEFAULT_CONTROLS)
    const same = automatic.kind === activations.kind && standard && !readsCheckpoint(state)
    return same ? null : { kind: activations.kind, ...source.synthetic }
  }
  const { fileId, tensor } = activations
  const same = automatic.kind === 'captured' && automatic.fileId === fileId && automatic.tensor === tensor
  return same && !readsCheckpoint(state) ? null : { kind: 'captured', tensor }
}

/** What is pinned. The block on screen; before it is read, the one asked for, which may lie beyond the operand. */
function pinsOf(state: AppState): Pins {
  const { operand, row, block } = state.blocks
  const shown = shownBlock(state)
  return {
    block: { operand, row: shown?.row ?? row, block: shown?.block ?? block },
    channel: state.highlight.pinnedChannel,
    method: state.highlight.pinnedMethod,
  }
}

/**
 * What a link to this state says. While a link waits for its file, its own sources stay in the address; results of a file
 * give those of the layer they were computed on.
 */
export function linkOf(state: AppState): LinkState {
  const { source, setup, view, blocks, sweeps } = state
  const pending = source.pendingLink ?? savedOnScreen(state)?.link ?? null
  const automatic = automaticWeight(linkedFiles(state))
  const isAutomatic =
    automatic?.fileId === source.weight?.fileId &&
    weightName(automatic) === weightName(source.weight) &&
    !readsCheckpoint(state)
  const weight = findTensor(source.files, source.weight) && weightName(source.weight)
  return {
    sources: pending ? pending.sources : sourcesOf(state),
    weight: pending ? pending.weight : isAutomatic ? null : weight,
    activations: pending ? pending.activations : activationsOf(state),
    setup,
    heldOutShare: source.heldOutShare,
    firstToken: source.firstToken,
    tokens: source.tokens,
    view: view.view,
    figure5: state.figure5.look,
    rotation: state.rotation.controls,
    sweep: sweeps.parameter,
    pins: pinsOf(state),
    baseline: state.highlight.baseline,
    compared: { formats: blocks.formats, preScale: blocks.preScale },
    formats: state.formats,
    surface: view.surface,
    axes: view.axes,
    theme: view.theme,
    help: view.help,
    unknown: view.unknown,
  }
}

/** The fragment of the address for this state, without '#'. */
export function fragmentOf(state: AppState, vocabulary: Vocabulary): string {
  return formatLink(linkOf(state), vocabulary)
}

/**
 * The part of the link that is chosen rather than typed or dragged: two states that agree in it are one entry of the
 * history. Numbers are left out, and the theme and the order of methods, which no one wants undone by Back.
 */
export function stepOf(state: AppState, vocabulary: Vocabulary): string {
  const link = linkOf(state)
  const methods = link.setup.methods.map((method) => ({
    ...method,
    options: Object.fromEntries(Object.entries(method.options).filter(([, value]) => typeof value !== 'number')),
  }))
  methods.sort((a, b) => a.id.localeCompare(b.id))
  const { rows, scaling, axis } = link.formats
  const { part, width, clustered, learned, rotation } = link.rotation
  const activations = link.activations?.kind === 'captured' ? link.activations : null
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
    firstToken: 0,
    tokens: null,
    pins: { ...link.pins, block: DEFAULT_PIN },
    compared: { ...link.compared, preScale: null },
    formats: { ...DEFAULT_FORMATS, rows, scaling, axis },
    rotation: { ...DEFAULT_ROTATION_CONTROLS, part, width, clustered, learned, rotation },
    theme: 'auto' as const,
  }
  return `${state.source.activations.kind} ${formatLink(chosen, vocabulary)}`
}

export function createLinkActions(
  context: StoreContext,
  actions: Pick<OpenActions, 'openBuiltIn'> & Pick<SweepActions, 'runSweep'>,
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
      const { heldOutShare, firstToken, tokens, activations } = link
      const { kind: _kind, ...synthetic } =
        activations === null || activations.kind === 'captured' ? { kind: null, ...DEFAULT_CONTROLS } : activations
      patch('source', { restoring: true, heldOutShare, firstToken, tokens, synthetic })
      patch('setup', link.setup)
      patch('blocks', { ...link.pins.block, ...link.compared })
      const { channel: pinnedChannel, method: pinnedMethod } = link.pins
      patch('highlight', { pinnedChannel, pinnedMethod, baseline: link.baseline })
      patch('formats', link.formats)
      patch('rotation', { controls: link.rotation })
      patch('figure5', { look: link.figure5 })
      patch('sweeps', { parameter: link.sweep })
      patch('view', {
        view: link.view,
        surface: link.surface,
        axes: link.axes,
        theme: link.theme,
        help: link.help,
        unknown: link.unknown,
      })
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
