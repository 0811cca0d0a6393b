import type { EngineApi } from '../worker/protocol'
import type { KeptFiles } from './kept-files'
import type { AppState } from './state'
import type { Vocabulary } from './vocabulary'

/** What the store takes from its surroundings, so that it runs without a DOM, a network or a GPU. */
export interface StoreEnvironment {
  readonly vocabulary: Vocabulary
  /** Reads a built-in layer by its path below the page's address. */
  readonly fetchLayer: (file: string) => Promise<File>
  /** Milliseconds of a steady clock; tells two device losses in a minute from two in a day. */
  readonly now: () => number
  /** Files of earlier visits; without it none is kept. */
  readonly keptFiles?: KeptFiles
  /** How long a changed control waits for the next change before the run starts. */
  readonly debounceMs: number
}

/** What every group of actions works with. */
export interface StoreContext {
  readonly engine: EngineApi
  readonly environment: StoreEnvironment
  readonly get: () => AppState
  /** Replaces some fields of one slice. */
  readonly patch: <K extends keyof AppState>(slice: K, change: Partial<AppState[K]>) => void
  /** Computes what the page now shows and does not have, after a moment. */
  readonly schedule: () => void
}
