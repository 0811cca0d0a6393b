/** What methods, settings and runs on one layer have in common: computed by the first that asks, kept for the others. */
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { SharedWork } from '../methods/method'

/** What may be kept between two methods, reference outputs aside: four matrices of 4096 x 4096. */
const BUDGET_BYTES = 256 * 2 ** 20

/** Between the name of a fit and that of what was made from it. */
const SEPARATOR = '\n'

/** The name of something made from what is kept as `owner`, and dropped with it. */
export const nameUnder = (owner: string, name: string) => `${owner}${SEPARATOR}${name}`

/** Names that stay until the layer goes: reference outputs, which every method reads. */
const STAYING = 'reference'

/** Whether `name` is that of a reference output. */
export const isReference = (name: string) => name.startsWith(STAYING)

/** The name of the reference output of a set of rows. */
export const referenceName = (rows: 'calibration' | 'evaluation') => nameUnder(STAYING, rows)

/** Bytes by name, least recently used first. */
export type KeptBytes = ReadonlyMap<string, number>

/** Results of one layer, on the GPU or as plain data. */
export interface WorkCache {
  /** Releases everything that belongs to another layer. Call it before `open` with the layer in use. */
  keepOnly(layer: object): void
  /** Begins a piece of work, a method or a run, whose use of the cache is counted by itself. */
  open(gpu: Gpu, now: () => number): WorkSession
  readonly kept: KeptBytes
  /** Bytes of all that is kept. */
  readonly bytes: number
  /**
   * Releases what was used longest ago until the rest is within the budget, reference outputs aside, which stay; false:
   * there was nothing to release. None may be in use.
   */
  trim(budgetBytes?: number): boolean
  /** Releases everything. None may be in use. */
  clear(): void
}

export interface WorkSession {
  /** As SharedWork.get, under the whole name. */
  readonly get: SharedWork['get']
  /** What is kept under `owner`. */
  under(owner: string): SharedWork
  /** Milliseconds that found results took when they were made, each counted once. */
  readonly foundMs: number
  /** Releases what this session has made: after a failure it may be half made. None may be in use. */
  discard(): void
}

interface Kept {
  readonly arena: Arena
  /** Rejected ones are not kept. */
  readonly value: Promise<unknown>
  /** Milliseconds by name: its own, and those of what it was made from. */
  readonly spent: Map<string, number>
}

/** What is being made: its parts, and how long the new ones among them took. */
interface Making {
  readonly spent: Map<string, number>
  partsMs: number
}

type Make = Parameters<SharedWork['get']>[1]

/** What trimming releases: `kept` but for the references within `budgetBytes`, what was used longest ago first. */
export function namesToDrop(kept: KeptBytes, budgetBytes = BUDGET_BYTES): string[] {
  const counted = [...kept].filter(([name]) => !isReference(name))
  let bytes = counted.reduce((sum, [, each]) => sum + each, 0)
  const dropped: string[] = []
  for (const [name, each] of counted) {
    if (bytes <= budgetBytes) break
    dropped.push(name)
    bytes -= each
  }
  return dropped
}

/** `name` as the last used of `entries`, and after it the owner it was made from, which so never goes before it. */
export function touch<T>(entries: Map<string, T>, name: string): void {
  const owner = name.slice(0, Math.max(0, name.lastIndexOf(SEPARATOR)))
  for (const each of [name, owner]) {
    const entry = entries.get(each)
    if (entry === undefined) continue
    entries.delete(each)
    entries.set(each, entry)
  }
}

/** A cache that keeps at most `budgetBytes` once it is trimmed. */
export function createWorkCache(budgetBytes = BUDGET_BYTES): WorkCache {
  let layerInUse: object | null = null
  const entries = new Map<string, Kept>()

  const bytesByName = () => new Map([...entries].map(([name, { arena }]) => [name, arena.bytes]))
  const drop = (names: Iterable<string>) => {
    for (const name of names) {
      entries.get(name)?.arena.release()
      entries.delete(name)
    }
  }
  const clear = () => drop([...entries.keys()])

  return {
    keepOnly: (layer) => {
      if (layerInUse !== layer) clear()
      layerInUse = layer
    },
    open: (gpu, now) => openSession({ entries, gpu, now }, drop),
    get kept() {
      return bytesByName()
    },
    get bytes() {
      return [...bytesByName().values()].reduce((sum, each) => sum + each, 0)
    },
    trim: (bytes = budgetBytes) => {
      const names = namesToDrop(bytesByName(), bytes)
      drop(names)
      return names.length > 0
    },
    clear,
  }
}

/** `shared`, as what is made from `owner` sees it. */
export function under(shared: SharedWork, owner: string): SharedWork {
  return {
    get: (name, make) =>
      shared.get(nameUnder(owner, name), (own) => make({ ...own, shared: under(own.shared, owner) })),
  }
}

interface SessionParts {
  readonly entries: Map<string, Kept>
  readonly gpu: Gpu
  readonly now: () => number
}

function openSession({ entries, gpu, now }: SessionParts, drop: (names: Iterable<string>) => void): WorkSession {
  const made = new Set<string>()
  const root: Making = { spent: new Map(), partsMs: 0 }

  const begin = (name: string, make: Make): Kept => {
    const arena = new Arena(gpu)
    const making: Making = { spent: new Map(), partsMs: 0 }
    const start = now()
    const finish = async () => {
      const value = await make({ arena, shared: sharing(making) })
      making.spent.set(name, Math.max(0, now() - start - making.partsMs))
      return value
    }
    made.add(name)
    return { arena, spent: making.spent, value: finish() }
  }
  const take = async (name: string, make: Make, into: Making): Promise<unknown> => {
    const start = now()
    const found = entries.get(name)
    const entry = found ?? begin(name, make)
    entries.set(name, entry)
    touch(entries, name)
    try {
      const value = await entry.value
      if (!found) into.partsMs += now() - start
      for (const [part, ms] of entry.spent) into.spent.set(part, ms)
      return value
    } catch (error) {
      if (entries.get(name) === entry) {
        entries.delete(name)
        entry.arena.release()
      }
      throw error
    }
  }
  const sharing = (into: Making): SharedWork => ({
    // A name is used for one kind of result.
    get: <T>(name: string, make: Make) => take(name, make, into) as Promise<T>,
  })
  return {
    get: sharing(root).get,
    under: (owner) => under(sharing(root), owner),
    get foundMs() {
      return [...root.spent].reduce((sum, [name, ms]) => sum + (made.has(name) ? 0 : ms), 0)
    },
    discard: () => drop(made),
  }
}

export interface WorkContext {
  readonly gpu: Gpu
  readonly now: () => number
  /** Absent: nothing outlives the work at hand. */
  readonly work?: WorkCache
}

/** `use` with a session on what is kept for `layer`. What it makes is kept as far as there is room, nothing where it throws. */
export async function withSession<T>(
  { gpu, now, work }: WorkContext,
  layer: object,
  use: (session: WorkSession) => Promise<T>,
): Promise<T> {
  const cache = work ?? createWorkCache()
  cache.keepOnly(layer)
  const session = cache.open(gpu, now)
  try {
    return await use(session)
  } catch (error) {
    session.discard()
    throw error
  } finally {
    if (work) work.trim()
    else cache.clear()
  }
}
