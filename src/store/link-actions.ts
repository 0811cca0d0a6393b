/** The state as a link, and a link put on screen. */
import type { StoreContext } from './context'
import { automaticActivations, automaticWeight, findTensor, selectByName, visibleFiles } from './selection'
import type { SourceActions } from './source-actions'
import type { AppState } from './state'
import { formatLink, type LinkActivations, type LinkSource, type LinkState, parseLink } from './url'
import { DEFAULT_CONTROLS, type Vocabulary } from './vocabulary'

export interface LinkActions {
  /** Puts what a fragment says on screen; a file it needs is asked for, the first built-in layer shown meanwhile. */
  applyLink(fragment: string): Promise<void>
}

function sourcesOf({ source }: AppState): readonly LinkSource[] {
  if (source.active === null) return []
  if (source.active !== 'user') return [{ kind: 'demo', id: source.active }]
  return visibleFiles(source).map(({ name, byteLength, headerHash }) => ({
    kind: 'file',
    name,
    byteLength,
    headerHash,
  }))
}

function activationsOf({ source }: AppState): LinkActivations | null {
  const files = visibleFiles(source)
  const automatic = automaticActivations(files, source.weight)
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

/** What a link to this state says. While a link waits for its file, its own sources stay in the address. */
export function linkOf(state: AppState): LinkState {
  const { source, setup, view } = state
  const pending = source.pendingLink
  const automatic = automaticWeight(visibleFiles(source))
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
    surface: view.surface,
    theme: view.theme,
    unknown: view.unknown,
  }
}

/** The fragment of the address for this state, without '#'. */
export function fragmentOf(state: AppState, vocabulary: Vocabulary): string {
  return formatLink(linkOf(state), vocabulary)
}

export function createLinkActions(context: StoreContext, source: Pick<SourceActions, 'openBuiltIn'>): LinkActions {
  const { environment, get, patch, schedule } = context
  return {
    applyLink: async (fragment) => {
      const { vocabulary } = environment
      const link = parseLink(fragment, vocabulary)
      const synthetic =
        link.activations?.kind === 'synthetic'
          ? {
              tokens: link.activations.tokens,
              outlierChannels: link.activations.outlierChannels,
              outlierGain: link.activations.outlierGain,
            }
          : DEFAULT_CONTROLS
      patch('setup', link.setup)
      patch('view', { view: link.view, surface: link.surface, theme: link.theme, unknown: link.unknown })
      const wanted = link.sources.filter((each) => each.kind === 'file')
      const isOpen = (name: string) => get().source.files.some((file) => file.builtIn === null && file.name === name)
      const missing = wanted.some(({ name }) => !isOpen(name))
      patch('source', {
        heldOutShare: link.heldOutShare,
        tokens: link.tokens,
        synthetic,
        pendingLink: null,
      })
      const demo = link.sources.find((each) => each.kind === 'demo')
      const fallback = vocabulary.builtIns[0]?.id
      if (wanted.length > 0 && !missing) patch('source', { active: 'user' })
      else if (demo?.id ?? fallback) {
        const known = vocabulary.builtIns.some(({ id }) => id === demo?.id)
        await source.openBuiltIn(demo && known ? demo.id : fallback)
      }
      if (missing) patch('source', { pendingLink: link })
      else patch('source', selectByName(visibleFiles(get().source), link))
      schedule()
    },
  }
}
