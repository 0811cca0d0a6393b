import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { FittedTransform } from '../methods/method'
import type { ComparisonLayer } from './run-comparison'

/** What the kept transforms may hold together: four weights of 4096 x 4096. */
const BUDGET_BYTES = 256 * 2 ** 20

interface KeptFit {
  readonly arena: Arena
  readonly fitted: FittedTransform
}

/** The last fitted transforms of one layer. */
export interface FitCache {
  /** Releases every transform that belongs to another layer. Call it before `get` with the layer in use. */
  keepOnly(layer: ComparisonLayer): void
  /** The transform kept under `key`, or what `create` makes in an arena of its own; nothing is left of one that throws. */
  get(key: string, gpu: Gpu, create: (arena: Arena) => Promise<FittedTransform>): Promise<FittedTransform>
  /** Releases the transform kept under `key`, if there is one. */
  drop(key: string): void
  /** Releases all of them. None may be in use. */
  clear(): void
  /** Releases the transforms used longest ago until the rest is within the budget. None may be in use. */
  trim(): void
}

/**
 * Keeps fitted transforms on the GPU, so that another tensor can be put through a learned method without learning it
 * again. What `apply` returns lies in the arena of the fit and counts with it.
 */
export function createFitCache(budgetBytes = BUDGET_BYTES): FitCache {
  let owner: ComparisonLayer | null = null
  /** Least recently used first. */
  const kept = new Map<string, KeptFit>()
  const drop = (key: string) => {
    kept.get(key)?.arena.release()
    kept.delete(key)
  }
  return {
    keepOnly: (layer) => {
      if (owner !== layer) for (const key of [...kept.keys()]) drop(key)
      owner = layer
    },
    get: async (key, gpu, create) => {
      const found = kept.get(key)
      if (found) {
        kept.delete(key)
        kept.set(key, found)
        return found.fitted
      }
      const arena = new Arena(gpu)
      try {
        const fitted = await create(arena)
        kept.set(key, { arena, fitted })
        return fitted
      } catch (error) {
        arena.release()
        throw error
      }
    },
    drop,
    clear: () => {
      for (const key of [...kept.keys()]) drop(key)
    },
    trim: () => {
      let bytes = [...kept.values()].reduce((sum, { arena }) => sum + arena.bytes, 0)
      for (const [key, { arena }] of kept) {
        if (bytes <= budgetBytes) return
        bytes -= arena.bytes
        drop(key)
      }
    },
  }
}
