/** The runs of this browser: what is kept of a finished comparison, and how one is called. */

import type { Setting } from '../experiment/request'
import type { AdapterName, ChosenMethod, RunChoices } from '../experiment/results/results-file'

/** What a method gave. Numbers are those of the evaluation rows, null where it failed. */
export interface RunScore {
  readonly method: string
  readonly outputSqnrDb: number | null
  readonly outputRelativeError: number | null
  /** Code of the error it failed with; null for a result. */
  readonly error: string | null
}

/** A finished comparison: what was compared under what, and the headline numbers. Never changed, only replaced. */
export interface RunFacts {
  /** The comparison itself as a fragment, whatever is shown or hidden: the same comparison has the same id in every tab. */
  readonly id: string
  /** When it was finished, in ms since 1970. */
  readonly time: number
  /** The fragment that restores it, without view and theme. */
  readonly link: string
  /** As people know it. */
  readonly layer: string
  /** [out, in] */
  readonly shape: readonly number[]
  readonly activations: string
  readonly calibrationTokens: number
  readonly evaluationTokens: number
  readonly setting: Setting
  readonly choices: RunChoices
  readonly methods: readonly ChosenMethod[]
  readonly scores: readonly RunScore[]
  readonly version: string
  readonly adapter: AdapterName | null
}

/** What the user says of a run. */
export interface RunMark {
  /** null: called by what it compares. */
  readonly title: string | null
  /** Never dropped to make room. */
  readonly pinned: boolean
}

export interface RunSummary extends RunFacts, RunMark {}

/** A run with its results as a file of results, compressed. */
export interface StoredRun {
  readonly facts: RunFacts
  readonly mark: RunMark
  readonly results: Uint8Array
}

export interface HistorySlice {
  /** Newest first; null before they are read. */
  readonly runs: readonly RunSummary[] | null
}

export const DEFAULT_HISTORY: HistorySlice = { runs: null }
export const NO_MARK: RunMark = { title: null, pinned: false }

/** Where runs are kept between visits. All of it may reject where the browser keeps nothing. */
export interface HistoryStorage {
  list(): Promise<readonly RunSummary[]>
  /** The results of a run; undefined where it is not there any more. */
  results(id: string): Promise<Uint8Array | undefined>
  /** Keeps a run in the place of the one with its id, whose mark stays. */
  put(facts: RunFacts, results: Uint8Array): Promise<void>
  mark(id: string, mark: RunMark): Promise<void>
  remove(ids: readonly string[]): Promise<void>
  clear(): Promise<void>
}

/** What the history takes from the page. */
export interface HistoryEnvironment {
  readonly storage: HistoryStorage
  /** ms since 1970. */
  readonly date: () => number
}

/** Runs at once; beyond, the oldest that are not pinned go. */
export const MOST_RUNS = 50

/** Ids of the runs that must go so that at most MOST_RUNS stay; pinned ones stay in any case. */
export function surplusRuns(runs: readonly RunSummary[]): readonly string[] {
  const oldest = runs.filter(({ pinned }) => !pinned).sort((a, b) => a.time - b.time)
  return oldest.slice(0, Math.max(0, runs.length - MOST_RUNS)).map(({ id }) => id)
}
