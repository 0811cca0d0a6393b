/** Keeps finished comparisons as runs. The work itself is loaded with the first run, or when runs are looked at. */
import type { StoreContext } from './context'
import type { StoredRun } from './history'
import type { RunDesk } from './history-desk'
import type { LinkActions } from './link-actions'
import { layerKey, outcomeKey } from './result-keys'
import { savedOnScreen } from './saved-layer'
import type { SavedActions } from './saved-results'
import type { AppState } from './state'

export interface HistoryActions {
  /** Reads the runs that are kept; another tab may have added some. */
  readRuns(): Promise<void>
  /** Puts a run on screen: on its layer where that is open or built in, else its results as those of a file. */
  openRun(id: string): Promise<void>
  /** null, and text without a letter: called by what it compares. */
  renameRun(id: string, title: string | null): Promise<void>
  pinRun(id: string, pinned: boolean): Promise<void>
  /** Deletes a run, and offers it back. */
  deleteRun(id: string): Promise<void>
  restoreRun(run: StoredRun): Promise<void>
  /** Deletes every run, the pinned ones too. */
  forgetHistory(): Promise<void>
}

export interface HistoryKeeper extends HistoryActions {
  /** Listens to the store: keeps the comparison on screen when it is finished. */
  keepFinished(state: AppState, before: AppState): void
  /** Listens to the store: shows an earlier run of what a link asks for, while the page waits for the link's file. */
  showAwaited(state: AppState, before: AppState): void
}

/** Keys of what is compared on the layer that is open; empty where there is none, or something is missing. */
function finishedKeys(state: AppState): readonly string[] {
  const layer = layerKey(state)
  if (layer === null || savedOnScreen(state) !== null || state.source.pendingLink !== null) return []
  const { setting, methods } = state.setup
  const keys = methods.map((method) => outcomeKey(state, layer, setting, method))
  return keys.every((key) => Object.hasOwn(state.run.results, key)) ? keys : []
}

export function createHistoryActions(
  context: StoreContext,
  actions: Pick<SavedActions, 'openResults' | 'openAwaited'> & LinkActions,
): HistoryKeeper {
  const { history } = context.environment
  /** Keys of outcomes that a run of this visit has. */
  const kept = new Set<string>()
  let desk: Promise<RunDesk> | null = null
  const atDesk = async (work: (desk: RunDesk) => Promise<void>) => {
    if (!history) return
    desk ??= import('./history-desk').then(({ createRunDesk }) => createRunDesk(context, history, actions))
    await work(await desk)
  }
  return {
    readRuns: () => atDesk(({ read }) => read()),
    openRun: (id) => atDesk(({ open }) => open(id)),
    renameRun: (id, title) => atDesk(({ mark }) => mark(id, { title: title?.trim() || null })),
    pinRun: (id, pinned) => atDesk(({ mark }) => mark(id, { pinned })),
    deleteRun: (id) => atDesk(({ remove }) => remove(id)),
    restoreRun: (run) => atDesk(({ restore }) => restore(run)),
    forgetHistory: () => atDesk(({ forget }) => forget()),
    showAwaited: ({ source }, before) => {
      const { pendingLink, active } = source
      if (pendingLink === null || pendingLink === before.source.pendingLink || active !== null) return
      // A run that cannot be read leaves the page as it is: it waits for the file.
      void atDesk(({ openAwaited }) => openAwaited()).catch(() => undefined)
    },
    keepFinished: (state, before) => {
      if (!history || state.run.phase !== 'idle' || before.run.phase === 'idle') return
      // The tour is not what the user compared.
      if (state.guide.tour !== null) return
      const keys = finishedKeys(state)
      // What only comes back from memory is no new run.
      if (keys.every((key) => kept.has(key) && !before.run.plan.includes(key))) return
      for (const key of keys) kept.add(key)
      void atDesk(({ keep }) => keep(state))
    },
  }
}
