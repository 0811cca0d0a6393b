/** Runs where the browser keeps them, and for this visit where it does not. */
import { type HistoryStorage, NO_MARK, type RunMark, type StoredRun } from './history'

/** A storage that never rejects: what cannot be kept stays in memory, and `onRefusal` is called. */
export function createShelf(storage: HistoryStorage, onRefusal: () => void): HistoryStorage {
  const unkept = new Map<string, StoredRun>()
  const refused = () => {
    onRefusal()
    return undefined
  }
  return {
    list: async () => {
      const kept = (await storage.list().catch(refused)) ?? []
      const own = [...unkept.values()].map(({ facts, mark }) => ({ ...facts, ...mark }))
      return [...kept.filter(({ id }) => !unkept.has(id)), ...own]
    },
    results: async (id) => unkept.get(id)?.results ?? (await storage.results(id).catch(() => undefined)),
    put: async (facts, results) => {
      const { id } = facts
      const own = unkept.get(id)
      try {
        await storage.put(facts, results)
        unkept.delete(id)
        if (own) await storage.mark(id, own.mark)
      } catch {
        unkept.set(id, { facts, mark: own?.mark ?? NO_MARK, results })
        onRefusal()
      }
    },
    mark: async (id: string, mark: RunMark) => {
      const own = unkept.get(id)
      if (own) unkept.set(id, { ...own, mark })
      else await storage.mark(id, mark).catch(refused)
    },
    remove: async (ids) => {
      for (const id of ids) unkept.delete(id)
      await storage.remove(ids).catch(() => undefined)
    },
    clear: async () => {
      unkept.clear()
      await storage.clear().catch(() => undefined)
    },
  }
}
