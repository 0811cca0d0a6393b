/**
 * Runs in the browser's IndexedDB, in a database of their own. Every run has keys of its own and there is no list beside
 * them, so that two tabs that write at once lose nothing of each other's.
 */
import { clear, createStore, delMany, get, getMany, keys, set, setMany } from 'idb-keyval'
import { type HistoryStorage, NO_MARK, type RunFacts, type RunMark } from './history'

const DATABASE = 'mxscope-history'
const RUNS = 'runs'
/** Kinds of keys, each before the id of its run. Another form of what is kept gets other kinds: what is older is not read. */
const [FACTS, RESULTS, MARK] = ['facts-1 ', 'results-1 ', 'mark-1 ']

/** Keeps runs between visits. Nothing is opened before it is asked for something. */
export function createHistoryStorage(): HistoryStorage {
  const store = createStore(DATABASE, RUNS)
  return {
    list: async () => {
      const all = await keys<string>(store)
      const ids = all.filter((key) => key.startsWith(FACTS)).map((key) => key.slice(FACTS.length))
      const [facts, marks] = await Promise.all([
        getMany<RunFacts | undefined>(
          ids.map((id) => FACTS + id),
          store,
        ),
        getMany<RunMark | undefined>(
          ids.map((id) => MARK + id),
          store,
        ),
      ])
      // Another tab may have taken one away meanwhile.
      return facts.flatMap((each, at) => (each ? [{ ...each, ...(marks[at] ?? NO_MARK) }] : []))
    },
    results: (id) => get<Uint8Array>(RESULTS + id, store),
    put: (facts, results) =>
      setMany(
        [
          [FACTS + facts.id, facts],
          [RESULTS + facts.id, results],
        ],
        store,
      ),
    mark: (id, mark) => set(MARK + id, mark, store),
    remove: (ids) =>
      delMany(
        ids.flatMap((id) => [FACTS + id, RESULTS + id, MARK + id]),
        store,
      ),
    clear: () => clear(store),
  }
}
