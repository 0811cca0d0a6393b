import type { EngineApi } from '../worker/protocol'
import type { DeviceMemory } from './device-memory'
import type { HistoryEnvironment } from './history'
import type { KeptFiles } from './kept-files'
import type { OfflineShell } from './offline'
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
  /** Offline use and what is kept on the device; without it the page only shows itself. */
  readonly offline?: OfflineShell
  /** Where runs are kept; without it none is. */
  readonly history?: HistoryEnvironment
  /** Small choices of earlier visits; without it none is kept, and no tour is offered. */
  readonly memory?: DeviceMemory
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
