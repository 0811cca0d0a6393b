/** The Blocks view: a map of one operand's blocks, and one block of it under two formats. */
import type { ErrorReport } from '../core/errors'
import { blockSpan, type ColumnSpan } from '../experiment/block-span'
import type { BlockMap, Operand, TensorRow } from '../experiment/tensor-blocks'
import { parseFormat } from '../formats/format-text'
import type { Answer } from '../worker/protocol'
import { type BlockPin, DEFAULT_PIN } from './block-pin'
import type { StoreContext } from './context'
import { layerChoice, layerKey } from './result-keys'
import type { AppState } from './state'

/** Something the engine is asked for, under the key it was asked with. */
export type Asked<T> =
  | { readonly kind: 'loading'; readonly key: string }
  | { readonly kind: 'ready'; readonly key: string; readonly value: T }
  | { readonly kind: 'failed'; readonly key: string; readonly error: ErrorReport }

export interface BlocksSlice extends BlockPin {
  /** The two formats compared, with their options; null: the operand's format in the setting, and NVFP4. */
  readonly formats: readonly [string | null, string | null]
  /** Factor of the pre-scale tried here, 1 for none; null: that of the setting. */
  readonly preScale: number | null
  /** Whether a phone shows the block over the map. */
  readonly sheet: boolean
  readonly map: Asked<BlockMap> | null
  readonly values: Asked<TensorRow> | null
}

export const DEFAULT_BLOCKS: BlocksSlice = {
  ...DEFAULT_PIN,
  formats: [null, null],
  preScale: null,
  sheet: false,
  map: null,
  values: null,
}

/** What a block is opened beside its own format in. */
const COMPANION = 'nvfp4'
/** In place of an operand that stays as loaded. */
const STAND_IN = 'mxfp4'

export interface BlocksActions {
  setOperand(operand: Operand): void
  /** Opens a block; what is beyond the last is the last, once the map is there. */
  selectBlock(row: number, block: number): void
  setBlockFormat(side: 0 | 1, text: string): void
  /** null: as in the setting. */
  setBlockPreScale(factor: number | null): void
  setSheet(open: boolean): void
  /** Asks the engine for the map and the row on screen where they are not there yet. */
  loadBlocks(): void
  /** Asks again for what failed. */
  retryBlocks(): void
}

/** Keys of the map and the row on screen; null while there is no layer or no device to read it with. */
export function blockKeys(state: AppState): { readonly map: string; readonly values: string } | null {
  const layer = layerKey(state)
  const { source, device, setup, blocks } = state
  if (layer === null || device.status !== 'ready' || source.pendingLink !== null || source.restoring) return null
  return {
    map: JSON.stringify([layer, blocks.operand, setup.blockSize]),
    values: JSON.stringify([layer, blocks.operand, blocks.row]),
  }
}

/** The answer to `key`, or nothing yet. */
function current<T>(asked: Asked<T> | null, key: string | undefined): Asked<T> | null {
  return asked !== null && asked.key === key ? asked : null
}

/** The map on screen, once it is read. */
export function shownMap(state: AppState): BlockMap | null {
  const map = current(state.blocks.map, blockKeys(state)?.map)
  return map?.kind === 'ready' ? map.value : null
}

/** The row on screen, once it is read. */
export function shownValues(state: AppState): TensorRow | null {
  const values = current(state.blocks.values, blockKeys(state)?.values)
  return values?.kind === 'ready' ? values.value : null
}

/** What kept the map or the row from being read; null when nothing did. */
export function blocksError(state: AppState): ErrorReport | null {
  const keys = blockKeys(state)
  const asked = [current(state.blocks.map, keys?.map), current(state.blocks.values, keys?.values)]
  return asked.flatMap((each) => (each?.kind === 'failed' ? [each.error] : []))[0] ?? null
}

/** The block on screen, kept within the operand. */
export interface ShownBlock {
  readonly row: number
  readonly block: number
  readonly blocks: number
  readonly columns: ColumnSpan
}

export function shownBlock(state: AppState): ShownBlock | null {
  const values = shownValues(state)
  if (!values) return null
  const inDim = values.values.length
  const { blockSize } = state.setup
  const blocks = Math.ceil(inDim / blockSize)
  const block = Math.min(state.blocks.block, blocks - 1)
  return { row: values.row, block, blocks, columns: blockSpan(block, blockSize, inDim) }
}

/** The two formats compared, as text. */
export function comparedFormats({ blocks, setup }: AppState): readonly [string, string] {
  const { weightFormat, activationFormat } = setup.setting
  const own = (blocks.operand === 'weight' ? weightFormat : activationFormat) ?? STAND_IN
  const first = blocks.formats[0] ?? own
  return [first, blocks.formats[1] ?? (parseFormat(first).format.id === COMPANION ? STAND_IN : COMPANION)]
}

export function createBlocksActions(context: StoreContext): BlocksActions {
  const { engine, get, patch } = context

  /** Asks under `key` and keeps the answer unless something else is on screen by then. */
  const ask = async <T>(
    key: string,
    question: () => Promise<Answer<T>>,
    keep: (asked: Asked<T>) => void,
    isCurrent: () => boolean,
  ) => {
    keep({ kind: 'loading', key })
    const answer = await question().catch((error: unknown): Answer<T> => {
      return { ok: false, error: { kind: 'bug', code: 'BUG', message: String(error) } }
    })
    if (!isCurrent()) return
    keep(answer.ok ? { kind: 'ready', key, value: answer.value } : { kind: 'failed', key, error: answer.error })
  }

  const loadBlocks = () => {
    const state = get()
    const keys = blockKeys(state)
    const choice = layerChoice(state)
    if (!keys || !choice) return
    const { operand, row, map, values } = state.blocks
    const { blockSize } = state.setup
    if (map?.key !== keys.map) {
      void ask(
        keys.map,
        () => engine.mapBlocks(choice, { operand, blockSize }),
        (asked) => patch('blocks', { map: asked }),
        () => get().blocks.map?.key === keys.map,
      )
    }
    if (values?.key !== keys.values) {
      void ask(
        keys.values,
        () => engine.readRow(choice, { operand, row }),
        (asked) => patch('blocks', { values: asked }),
        () => get().blocks.values?.key === keys.values,
      )
    }
  }

  return {
    setOperand: (operand) => patch('blocks', { operand }),
    selectBlock: (row, block) => patch('blocks', { row, block, sheet: true }),
    setBlockFormat: (side, text) => {
      const [first, second] = comparedFormats(get())
      patch('blocks', { formats: side === 0 ? [text, second] : [first, text] })
    },
    setBlockPreScale: (preScale) => patch('blocks', { preScale }),
    setSheet: (sheet) => patch('blocks', { sheet }),
    loadBlocks,
    retryBlocks: () => {
      const { map, values } = get().blocks
      patch('blocks', {
        map: map?.kind === 'failed' ? null : map,
        values: values?.kind === 'failed' ? null : values,
      })
      loadBlocks()
    },
  }
}
