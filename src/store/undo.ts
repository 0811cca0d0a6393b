/** What one click took away last, as the page offers it back. */
import type { StoreContext } from './context'
import type { HighlightSlice } from './highlight'
import type { StoredRun } from './history'
import type { SavedSlice } from './saved-layer'
import type { MethodSetup, SetupSlice, SourceSlice } from './state'

type LayerFields = 'active' | 'weight' | 'activations' | 'synthetic' | 'heldOutShare' | 'firstToken' | 'tokens'

/** What was on screen: the layer and its rows, and where the click changed it the setup. */
export interface LayerRestore {
  readonly kind: 'layer'
  readonly source: Pick<SourceSlice, LayerFields | 'pendingLink'>
  readonly saved: SavedSlice
  readonly setup: SetupSlice | null
  /** The same by names, for files that are open under another id now. */
  readonly link: string
  /** Closed files of this device, to be opened again. */
  readonly files: readonly File[]
}

/** What an undo puts back. */
export type Restore =
  | { readonly kind: 'methods'; readonly methods: readonly MethodSetup[] }
  | { readonly kind: 'pins'; readonly pins: Pick<HighlightSlice, 'pinnedMethod' | 'pinnedChannel'> }
  | { readonly kind: 'run'; readonly run: StoredRun }
  | LayerRestore

export interface UndoSlice {
  /** What was lost, in a sentence, while it is shown; null once it was dismissed or its time is up. */
  readonly text: string | null
  /** What the last loss takes back, shown or not; null for nothing. */
  readonly restore: Restore | null
  /** Tells two notifications of the same text apart. */
  readonly count: number
}

export const DEFAULT_UNDO: UndoSlice = { text: null, restore: null, count: 0 }

/** Says what was lost and offers it back, in the place of what was offered before. */
export function offerUndo({ get, patch }: Pick<StoreContext, 'get' | 'patch'>, text: string, restore: Restore): void {
  patch('undo', { text, restore, count: get().undo.count + 1 })
}
