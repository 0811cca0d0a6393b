/**
 * What is pointed at and what is pinned, the same in every view: a method, and a channel of the layer's input. Pointing
 * lasts while the pointer or the focus is there; a pin stays, and is in the link.
 */
import { blockSpan, type ColumnSpan } from '../experiment/block-span'
import { type BlockPin, DEFAULT_PIN } from './block-pin'
import type { BlocksSlice } from './blocks-view'
import type { StoreContext } from './context'
import { layerFacts } from './selectors'
import type { AppState } from './state'
import { BASELINE } from './vocabulary'

export interface HighlightSlice {
  /** Id of the method under the pointer or the focus; null: none. */
  readonly pointedMethod: string | null
  /** Channel of X, 0 … in − 1, under the pointer; null: none. */
  readonly pointedChannel: number | null
  /** The pointer is in a figure whose channels are made of several: the same number is not the same channel. */
  readonly pointedMixed: boolean
  readonly pinnedMethod: string | null
  readonly pinnedChannel: number | null
  /** Id of the method that differences are taken against. */
  readonly baseline: string
}

export const DEFAULT_HIGHLIGHT: HighlightSlice = {
  pointedMethod: null,
  pointedChannel: null,
  pointedMixed: false,
  pinnedMethod: null,
  pinnedChannel: null,
  baseline: BASELINE,
}

export interface HighlightActions {
  pointMethod(id: string | null): void
  /** `mixed`: in a figure whose channels are made of several. */
  pointChannel(channel: number | null, mixed?: boolean): void
  /** Pins a method, or takes the pin away where it is pinned already. */
  pinMethod(id: string): void
  /**
   * Pins a channel, or takes the pin away where it is pinned already. The Blocks view goes to its block, unless it is the
   * one under the pointer in a figure of mixed channels, and back with the pin where it has not been taken elsewhere.
   */
  pinChannel(channel: number): void
  /** Pins a channel of one evaluation token, and opens its block of X; takes the pin away where both are pinned already. */
  pinCell(channel: number, token: number): void
  clearPins(): void
  setBaseline(id: string): void
}

/** Whether two states have the same pins, wherever the pointer is. */
export function samePins(a: HighlightSlice, b: HighlightSlice): boolean {
  return a.pinnedMethod === b.pinnedMethod && a.pinnedChannel === b.pinnedChannel && a.baseline === b.baseline
}

/** The method to bring forward: the one under the pointer, else the pinned one. */
export function litMethod({ highlight }: Pick<AppState, 'highlight'>): string | null {
  return highlight.pointedMethod ?? highlight.pinnedMethod
}

/** How a method is marked where it stands: in its chip, its tile, its row. */
export function methodMark({ highlight }: Pick<AppState, 'highlight'>, id: string): 'pointed' | 'pinned' | undefined {
  if (highlight.pointedMethod === id) return 'pointed'
  return highlight.pinnedMethod === id ? 'pinned' : undefined
}

const isChosen = ({ operand, row, block }: BlocksSlice) =>
  operand !== DEFAULT_PIN.operand || row !== DEFAULT_PIN.row || block !== DEFAULT_PIN.block

/** Channels of the block that is open in the Blocks view, once one has been chosen there; null before. */
export function chosenSpan(state: AppState): ColumnSpan | null {
  const inDim = layerFacts(state)?.inDim
  const { blockSize } = state.setup
  if (inDim === undefined || !isChosen(state.blocks) || state.blocks.block * blockSize >= inDim) return null
  return blockSpan(state.blocks.block, blockSize, inDim)
}

/** The block of X that a picked cell of a map lies in: the open one, where it holds the pinned channel; else null. */
export function pickedBlock(state: AppState): { readonly token: number; readonly block: number } | null {
  const { operand, row, block } = state.blocks
  const { pinnedChannel } = state.highlight
  if (operand !== 'activations' || pinnedChannel === null) return null
  return Math.floor(pinnedChannel / state.setup.blockSize) === block ? { token: row, block } : null
}

/** Row of X of an evaluation token: calibration rows come first, and are the evaluation rows where there are no others. */
function rowOfToken(state: AppState, token: number): number {
  const facts = layerFacts(state)
  return token + (facts && !facts.sameRows ? facts.calibrationTokens : 0)
}

/** Moves the open block along with a pin; back to where it was before the first one, unless it is elsewhere by now. */
function blockMover({ get, patch }: Pick<StoreContext, 'get' | 'patch'>) {
  let moved: { readonly from: BlockPin; readonly to: BlockPin } | null = null
  const open = (): BlockPin => {
    const { operand, row, block } = get().blocks
    return { operand, row, block }
  }
  const isThere = ({ operand, row, block }: BlockPin) => {
    const now = open()
    return now.operand === operand && now.row === row && now.block === block
  }
  return {
    moveBlock: (change: Partial<BlockPin>) => {
      const now = open()
      moved = { from: moved && isThere(moved.to) ? moved.from : now, to: { ...now, ...change } }
      patch('blocks', change)
    },
    moveBack: () => {
      if (moved && isThere(moved.to)) patch('blocks', moved.from)
      moved = null
    },
  }
}

export function createHighlightActions({ get, patch }: Pick<StoreContext, 'get' | 'patch'>): HighlightActions {
  const blockOf = (channel: number) => Math.floor(channel / get().setup.blockSize)
  const { moveBlock, moveBack } = blockMover({ get, patch })
  const isMixed = (channel: number) => get().highlight.pointedMixed && get().highlight.pointedChannel === channel
  const pinChannel = (channel: number) => {
    // The block first: the address gets one entry for both.
    if (get().highlight.pinnedChannel === channel) {
      moveBack()
      return patch('highlight', { pinnedChannel: null })
    }
    if (!isMixed(channel)) moveBlock({ block: blockOf(channel) })
    patch('highlight', { pinnedChannel: channel })
  }
  return {
    pointMethod: (id) => {
      if (get().highlight.pointedMethod !== id) patch('highlight', { pointedMethod: id })
    },
    pointChannel: (channel, mixed = false) => {
      const { pointedChannel, pointedMixed } = get().highlight
      const next = channel !== null && mixed
      if (pointedChannel === channel && pointedMixed === next) return
      patch('highlight', { pointedChannel: channel, pointedMixed: next })
    },
    pinMethod: (id) => patch('highlight', { pinnedMethod: get().highlight.pinnedMethod === id ? null : id }),
    pinChannel,
    pinCell: (channel, token) => {
      const row = rowOfToken(get(), token)
      const { blocks, highlight } = get()
      const isPinned = highlight.pinnedChannel === channel
      const isRow = blocks.operand === 'activations' && blocks.row === row
      if (isMixed(channel) || (isPinned && isRow)) return pinChannel(channel)
      moveBlock({ operand: 'activations', row, block: blockOf(channel) })
      if (!isPinned) patch('highlight', { pinnedChannel: channel })
    },
    clearPins: () => {
      if (get().highlight.pinnedChannel !== null) moveBack()
      patch('highlight', { pinnedMethod: null, pinnedChannel: null })
    },
    setBaseline: (baseline) => patch('highlight', { baseline }),
  }
}
