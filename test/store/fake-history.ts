import { type HistoryStorage, NO_MARK, type RunFacts, type RunMark } from '../../src/store/history'

/** Runs kept in memory, several stores on one of them being several tabs. `refuses`: every write is rejected. */
export class FakeHistory implements HistoryStorage {
  readonly facts = new Map<string, RunFacts>()
  readonly bytes = new Map<string, Uint8Array>()
  readonly marks = new Map<string, RunMark>()
  refuses = false

  private check() {
    if (this.refuses) throw new DOMException('no room', 'QuotaExceededError')
  }

  async list() {
    return [...this.facts.values()].map((facts) => ({ ...facts, ...(this.marks.get(facts.id) ?? NO_MARK) }))
  }

  async results(id: string) {
    return this.bytes.get(id)
  }

  async put(facts: RunFacts, results: Uint8Array) {
    this.check()
    this.facts.set(facts.id, structuredClone(facts))
    this.bytes.set(facts.id, results)
  }

  async mark(id: string, mark: RunMark) {
    this.check()
    this.marks.set(id, mark)
  }

  async remove(ids: readonly string[]) {
    for (const id of ids) for (const map of [this.facts, this.bytes, this.marks]) map.delete(id)
  }

  async clear() {
    for (const map of [this.facts, this.bytes, this.marks]) map.clear()
  }
}
