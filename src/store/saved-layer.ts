/** Results of a file on screen: what is known of the layer they were computed on, which is not open. */
import type { ResultsFile } from '../experiment/results/results-file'
import type { AppState } from './state'
import type { LinkState } from './url'

/** `active` of the source while results of a file are on screen. */
export const SAVED = 'saved'

/** What is kept of an opened file besides its outcomes, which lie among the others. */
export interface SavedResults extends Pick<ResultsFile, 'version' | 'adapter' | 'files' | 'weight'> {
  /** Tells two opened files apart. */
  readonly id: number
  readonly fileName: string
  /** What the file's link says: the comparison on the layer itself. */
  readonly link: LinkState
  /** Its fragment. */
  readonly fragment: string
}

export interface SavedSlice {
  /** The file opened last; on screen while the source says SAVED. */
  readonly results: SavedResults | null
}

export const DEFAULT_SAVED: SavedSlice = { results: null }

/** The results on screen that came from a file; null while the page shows a layer. */
export function savedOnScreen({ source, saved }: AppState): SavedResults | null {
  return source.active === SAVED ? saved.results : null
}

/** True while a link waits for its file and there is nothing to show meanwhile. */
export const isAwaiting = (state: AppState): boolean =>
  state.source.pendingLink !== null && savedOnScreen(state) === null

/** The key of the layer that the results of a file were computed on; no layer that is read has such a key. */
export const savedLayerKey = ({ id }: SavedResults): string => `${SAVED}:${id}`
