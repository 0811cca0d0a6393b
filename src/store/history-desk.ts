/** Runs read, kept, marked, deleted and opened. */
import type { StoreContext } from './context'
import { type HistoryEnvironment, type RunMark, type RunSummary, type StoredRun, surplusRuns } from './history'
import { unpackedText } from './history-bytes'
import { comparisonId, fragmentWith, isLayerThere, sameComparison } from './history-link'
import { recordedRun } from './history-record'
import { createShelf } from './history-shelf'
import { runTitle } from './history-text'
import type { LinkActions } from './link-actions'
import type { SavedActions } from './saved-results'
import type { AppState } from './state'
import { offerUndo } from './undo'

export interface RunDesk {
  read(): Promise<void>
  keep(state: AppState): Promise<void>
  open(id: string): Promise<void>
  /** Shows the run of the comparison that a link waits for, where there is one. */
  openAwaited(): Promise<void>
  mark(id: string, change: Partial<RunMark>): Promise<void>
  remove(id: string): Promise<void>
  restore(run: StoredRun): Promise<void>
  forget(): Promise<void>
}

const NOTES = {
  notKept: {
    code: 'HI-01',
    message: 'This browser keeps no runs, or has no room for more: those of now are there until the page is reloaded.',
  },
  gone: { code: 'HI-02', message: 'That run is not kept any more: another tab has deleted it.' },
} as const

export function createRunDesk(
  context: StoreContext,
  { storage, date }: HistoryEnvironment,
  actions: Pick<SavedActions, 'openResults' | 'openAwaited'> & LinkActions,
): RunDesk {
  const { environment, get, patch } = context
  const { vocabulary } = environment
  let said = false
  let forgotten = 0

  const note = (kind: keyof typeof NOTES) => {
    const { notes } = get().source
    if (!notes.some(({ code }) => code === NOTES[kind].code)) patch('source', { notes: [...notes, NOTES[kind]] })
  }
  const shelf = createShelf(storage, () => {
    if (!said) note('notKept')
    said = true
  })
  const known = () => get().history.runs ?? []
  const show = (runs: readonly RunSummary[]) =>
    patch('history', { runs: [...runs].sort((a, b) => b.time - a.time || a.id.localeCompare(b.id)) })
  const read = async () => show(await shelf.list())
  const drop = async (ids: readonly string[]) => {
    show(known().filter(({ id }) => !ids.includes(id)))
    await shelf.remove(ids)
  }
  /** Does `work` with a run that is listed; nothing where it is not. */
  const withRun = async (id: string, work: (run: RunSummary) => Promise<void>) => {
    const run = known().find((each) => each.id === id)
    if (run) await work(run)
  }
  const fileOf = async (run: RunSummary, results: Uint8Array) =>
    new File([await unpackedText(results)], runTitle(run, vocabulary), { type: 'application/json' })
  const openSaved = async (run: RunSummary) => {
    const results = await shelf.results(run.id)
    if (results === undefined) {
      await drop([run.id])
      return note('gone')
    }
    await actions.openResults(await fileOf(run, results))
  }
  const openAwaited = async () => {
    const id = comparisonId(get(), vocabulary)
    await read()
    const usable = known().filter(({ scores }) => scores.some(({ error }) => error === null))
    const run = usable.find((each) => each.id === id) ?? usable.find((each) => sameComparison(each.id, id))
    const results = run && (await shelf.results(run.id))
    if (run && results) await actions.openAwaited(await fileOf(run, results))
  }

  return {
    read,
    openAwaited,
    keep: async (state) => {
      const before = forgotten
      const run = await recordedRun(state, vocabulary, date())
      if (run === null || before !== forgotten) return
      await shelf.put(run.facts, run.results)
      await read()
      const surplus = surplusRuns(known())
      if (surplus.length > 0) await drop(surplus)
    },
    open: (id) =>
      withRun(id, (run) =>
        isLayerThere(get(), run.link, vocabulary)
          ? actions.applyLink(fragmentWith(get(), run.link, vocabulary, true))
          : openSaved(run),
      ),
    mark: (id, change) =>
      withRun(id, async ({ title, pinned }) => {
        const mark: RunMark = { title, pinned, ...change }
        show(known().map((each) => (each.id === id ? { ...each, ...mark } : each)))
        await shelf.mark(id, mark)
      }),
    remove: (id) =>
      withRun(id, async ({ title, pinned, ...facts }) => {
        const results = await shelf.results(id)
        // Offered at once: a run put back is written after it has been taken out.
        const dropped = drop([id])
        if (results === undefined) return dropped
        const name = runTitle({ ...facts, title, pinned }, vocabulary)
        offerUndo(context, `Deleted the run "${name}".`, {
          kind: 'run',
          run: { facts, mark: { title, pinned }, results },
        })
        await dropped
      }),
    restore: async ({ facts, mark, results }) => {
      await shelf.put(facts, results)
      await shelf.mark(facts.id, mark)
      await read()
    },
    forget: async () => {
      forgotten += 1
      if (get().undo.restore?.kind === 'run') patch('undo', { text: null, restore: null })
      show([])
      await shelf.clear()
    },
  }
}
