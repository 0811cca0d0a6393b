/** What one click can lose, and the way back. */
import type { StoreContext } from './context'
import type { HighlightActions } from './highlight'
import type { HistoryActions } from './history-actions'
import { fragmentWith } from './history-link'
import { fragmentOf, type LinkActions } from './link-actions'
import type { OpenActions } from './open-actions'
import type { RemoteActions } from './remote-actions'
import { SAVED } from './saved-layer'
import type { SavedActions } from './saved-results'
import { automaticActivations, findTensor, visibleFiles } from './selection'
import { layerTitle } from './selectors'
import type { SetupActions } from './setup-actions'
import type { SourceActions } from './source-actions'
import type { AppState, MethodSetup, SetupSlice } from './state'
import { type LayerRestore, offerUndo, type Restore } from './undo'
import type { Vocabulary } from './vocabulary'

export interface UndoActions {
  /** Puts back what was lost last. */
  undo(): Promise<void>
  /** Takes the notification away; the loss can still be undone by key. */
  dismissUndo(): void
}

export function createUndoActions(
  context: StoreContext,
  actions: Pick<OpenActions, 'openFiles'> & LinkActions & Pick<HistoryActions, 'restoreRun'>,
): UndoActions {
  const { get, patch, schedule } = context
  const restoreLayer = async ({ source, saved, setup, link, files }: LayerRestore) => {
    if (files.length > 0) await actions.openFiles(files)
    if (isThere(get(), source)) {
      patch('saved', saved)
      patch('source', { ...source, problems: [], notes: [] })
      if (setup) patch('setup', setup)
      schedule()
    } else {
      await actions.applyLink(fragmentWith(get(), link, context.environment.vocabulary, setup !== null))
    }
  }
  return {
    undo: async () => {
      const { restore } = get().undo
      if (restore === null) return
      patch('undo', { text: 'Undone.', restore: null, count: get().undo.count + 1 })
      switch (restore.kind) {
        case 'methods':
          patch('setup', { methods: restore.methods })
          return schedule()
        case 'pins':
          return patch('highlight', restore.pins)
        case 'run':
          return actions.restoreRun(restore.run)
        case 'layer':
          return restoreLayer(restore)
      }
    },
    dismissUndo: () => patch('undo', { text: null }),
  }
}

/** Whether the tensors that were chosen are still open under the same names and ids. */
function isThere({ source: { files } }: AppState, before: LayerRestore['source']): boolean {
  const { active, weight, activations } = before
  if (active === SAVED) return true
  if (findTensor(files, weight) === null) return false
  return activations.kind !== 'captured' || findTensor(files, activations) !== null
}

/** The actions by which a click can lose something. */
type LossyActions = Pick<SetupActions, 'setMethods' | 'toggleMethod' | 'resetMethodOptions'> &
  Pick<SourceActions, 'chooseWeight' | 'showOwnFile'> &
  Pick<OpenActions, 'openBuiltIn' | 'closeFile'> &
  Pick<SavedActions, 'openFiles' | 'openResults'> &
  Pick<RemoteActions, 'openAddress' | 'openUrls'> &
  Pick<HistoryActions, 'openRun'> &
  Pick<HighlightActions, 'clearPins'>

/** The same actions, each offering back what it took away. */
export function undoable(context: StoreContext, actions: LossyActions): LossyActions {
  const { get, environment } = context
  const { vocabulary } = environment
  const offer = (text: string | null, restore: Restore) => {
    if (text !== null) offerUndo(context, text, restore)
  }
  const withMethods = (work: () => void, say: (before: Methods, after: Methods) => string | null) => {
    const { methods } = get().setup
    work()
    offer(say(methods, get().setup.methods), { kind: 'methods', methods })
  }
  /** `work` gives back the files it closed, if any. */
  const withLayer = async (
    work: () => Promise<void> | readonly File[] | void,
    say: (before: AppState, after: AppState) => string | null,
    withSetup = false,
  ) => {
    const before = get()
    if (before.source.active === null && before.source.pendingLink === null) return void (await work())
    const files = (await work()) ?? []
    const after = get()
    // Files leave the setup alone, whatever else has changed it while they were read.
    const setup = withSetup || after.saved.results !== before.saved.results ? before.setup : null
    offer(say(before, after), layerRestore(before, setup, files, vocabulary))
  }
  const replaced = (before: AppState, after: AppState) => replacedText(before, after, vocabulary)
  return {
    setMethods: (ids) => withMethods(() => actions.setMethods(ids), removedText(vocabulary)),
    toggleMethod: (id) => withMethods(() => actions.toggleMethod(id), removedText(vocabulary)),
    resetMethodOptions: (id) => withMethods(() => actions.resetMethodOptions(id), resetText(id, vocabulary)),
    chooseWeight: (weight) => void withLayer(() => actions.chooseWeight(weight), lostActivations),
    showOwnFile: (id) => void withLayer(() => actions.showOwnFile(id), lostActivations),
    openBuiltIn: (id) => withLayer(() => actions.openBuiltIn(id), lostActivations),
    openFiles: (files) => withLayer(() => actions.openFiles(files), replaced),
    openResults: (file) => withLayer(() => actions.openResults(file), replaced),
    openAddress: (...given) => withLayer(() => actions.openAddress(...given), replaced),
    openUrls: (...given) => withLayer(() => actions.openUrls(...given), replaced),
    openRun: (id) => withLayer(() => actions.openRun(id), openedText(vocabulary), true),
    closeFile: (id) => {
      const name = get().source.files.find((file) => file.id === id)?.name
      let files: readonly File[] = []
      void withLayer(
        () => {
          files = actions.closeFile(id)
          return files
        },
        // A file of a server that nothing on screen is read from is an address away.
        (before, after) => (files.length > 0 || selectionOf(before) !== selectionOf(after) ? `Closed ${name}.` : null),
      )
      return files
    },
    clearPins: () => {
      const { pinnedMethod, pinnedChannel } = get().highlight
      actions.clearPins()
      const count = [pinnedMethod, pinnedChannel].filter((pin) => pin !== null).length
      const text = count === 0 ? null : `Took ${count === 1 ? 'the pin' : 'both pins'} away.`
      offer(text, { kind: 'pins', pins: { pinnedMethod, pinnedChannel } })
    },
  }
}

type Methods = readonly MethodSetup[]

function layerRestore(
  state: AppState,
  setup: SetupSlice | null,
  files: readonly File[],
  vocabulary: Vocabulary,
): LayerRestore {
  const { active, weight, activations, synthetic, heldOutShare, firstToken, tokens, pendingLink } = state.source
  const source = { active, weight, activations, synthetic, heldOutShare, firstToken, tokens, pendingLink }
  return { kind: 'layer', source, saved: state.saved, setup, link: fragmentOf(state, vocabulary), files }
}

const labelOf = (id: string, { methods }: Vocabulary) => methods.find((entry) => entry.id === id)?.label ?? id

/** "Removed QuaRot.", "Replaced 3 methods."; null where no shown method went. */
const removedText = (vocabulary: Vocabulary) => (before: Methods, after: Methods) => {
  const shown = (methods: Methods) => methods.filter(({ hidden }) => !hidden).map(({ id }) => id)
  const [was, is] = [shown(before), shown(after)]
  const lost = was.filter((id) => !is.includes(id))
  const gone = lost.filter((id) => !after.some((method) => method.id === id))
  // A method that is only hidden is a click away.
  if (gone.length === 0) return null
  const verb = is.some((id) => !was.includes(id)) ? 'Replaced' : 'Removed'
  return `${verb} ${lost.length === 1 ? labelOf(lost[0], vocabulary) : `${lost.length} methods`}.`
}

const resetText = (id: string, vocabulary: Vocabulary) => (before: Methods) => {
  const count = Object.keys(before.find((method) => method.id === id)?.options ?? {}).length
  if (count === 0) return null
  return `Reset ${count === 1 ? 'an option' : `${count} options`} of ${labelOf(id, vocabulary)}.`
}

/** Names what the comparison is read from. */
const selectionOf = ({ source, saved }: AppState): string =>
  JSON.stringify([source.active, source.weight, source.activations, source.active === SAVED && saved.results?.id])

/** "layer.safetensors › q_proj"; a built-in layer by its label. Null while none is open. */
function layerText(state: AppState, vocabulary: Vocabulary): string | null {
  const title = layerTitle(state, vocabulary)
  if (title === null) return null
  return vocabulary.builtIns.some(({ label }) => label === title.file) ? title.file : `${title.file} › ${title.weight}`
}

/** "Replaced layer.safetensors › q_proj."; null where what was on screen still is. */
function replacedText(before: AppState, after: AppState, vocabulary: Vocabulary): string | null {
  // The file that a link has waited for takes nothing away.
  if (before.source.pendingLink !== null) return null
  const layer = layerText(before, vocabulary)
  return layer === null || selectionOf(before) === selectionOf(after) ? null : `Replaced ${layer}.`
}

const openedText = (vocabulary: Vocabulary) => (before: AppState, after: AppState) => {
  const same = selectionOf(before) === selectionOf(after)
  const isSame = same && JSON.stringify(before.setup) === JSON.stringify(after.setup)
  return isSame ? null : `Opened a run in place of ${layerText(before, vocabulary) ?? 'what was there'}.`
}

/** Activations that were chosen by hand and are not any more; null where the page had chosen them. */
function lostActivations(before: AppState, after: AppState): string | null {
  const { source } = before
  const text = JSON.stringify(source.activations)
  if (text === JSON.stringify(after.source.activations)) return null
  if (text === JSON.stringify(automaticActivations(visibleFiles(source), source.weight))) return null
  return "The activations are the page's own choice again."
}
