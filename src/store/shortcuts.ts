/** Which key does what, as the page acts on it and as the list of shortcuts shows it. */
import { findTensor, visibleFiles } from './selection'
import type { AppState, TensorRef } from './state'
import { tensorRows } from './tensor-rows'
import { VIEWS } from './views'

/** What a key does. `press`: the control that declares the key (`aria-keyshortcuts`) is pressed, a field or a list is focused. */
export type Effect =
  | { readonly kind: 'press' }
  | { readonly kind: 'view'; readonly id: (typeof VIEWS)[number]['id'] }
  | { readonly kind: 'run' | 'cancel' | 'pin' | 'shortcuts' }
  | { readonly kind: 'weight'; readonly step: 1 | -1 }

export interface Shortcut {
  /** As KeyboardEvent.key has it. */
  readonly key: string
  readonly does: string
  readonly effect: Effect
}

/** Digits reach the first ten views, 0 the last of them; letters the others. */
const DIGITS = '1234567890'
const NUMBERED = VIEWS.slice(0, DIGITS.length)

export const SHORTCUTS: readonly Shortcut[] = [
  { key: 'o', does: 'Open files', effect: { kind: 'press' } },
  { key: '/', does: 'Search tensors; of few, the first of the list', effect: { kind: 'press' } },
  { key: '[', does: 'Previous weight', effect: { kind: 'weight', step: -1 } },
  { key: ']', does: 'Next weight', effect: { kind: 'weight', step: 1 } },
  { key: 'r', does: 'Run what is missing', effect: { kind: 'run' } },
  { key: 'Escape', does: 'Cancel the run, close what is open', effect: { kind: 'cancel' } },
  ...NUMBERED.map(({ id, label }, at) => ({
    key: DIGITS[at],
    does: `View ${label}`,
    effect: { kind: 'view' as const, id },
  })),
  { key: 'b', does: 'Block inspector', effect: { kind: 'view', id: 'blocks' } },
  { key: 'l', does: 'View Training (loss)', effect: { kind: 'view', id: 'training' } },
  { key: 'w', does: 'View Rotation (why)', effect: { kind: 'view', id: 'rotation' } },
  { key: 'f', does: 'View Findings', effect: { kind: 'view', id: 'findings' } },
  { key: 'p', does: 'Pin the channel or the method under the pointer', effect: { kind: 'pin' } },
  { key: 'e', does: 'Export', effect: { kind: 'press' } },
  { key: 's', does: 'Copy the link', effect: { kind: 'press' } },
  { key: 't', does: 'Theme: as the system, light, dark', effect: { kind: 'press' } },
  { key: '?', does: 'This list', effect: { kind: 'shortcuts' } },
]

/** Keys that work inside parts of the page, told in the list only. */
export const LOCAL_KEYS: readonly Pick<Shortcut, 'key' | 'does'>[] = [
  { key: '← → ↑ ↓', does: 'Map of blocks: the neighbouring block. Bar of rows: the boundary. Tour: the next step' },
  { key: '← → Home End', does: 'Views: the neighbouring one, the first, the last' },
  { key: 'Alt+← Alt+→', does: 'Chip of a method: earlier or later among the others' },
  { key: 'Ctrl+Z', does: 'Take back the last loss: methods, pins, a layer, a run' },
  { key: 'Double click', does: 'A label: back to the default' },
  { key: 'Tab', does: 'Next control' },
]

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>

/** The shortcut of a pressed key; null where there is none, or where single keys are off (Escape always works). */
export function shortcutOf(event: Pressed, singleKeys: boolean): Shortcut | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null
  if (!singleKeys && event.key !== 'Escape') return null
  return SHORTCUTS.find(({ key }) => key === event.key) ?? null
}

/** The weight before or after the one on screen, in the order of the tensor list, from the last to the first again. */
export function neighbourWeight({ source }: Pick<AppState, 'source'>, step: 1 | -1): TensorRef | null {
  const files = visibleFiles(source)
  const weights = tensorRows(files).filter(
    ({ kind, obstacle, stack }) => kind === 'weights' && obstacle === null && stack === null,
  )
  const chosen = findTensor(files, source.weight)
  const at = weights.findIndex(({ fileId, tensor }) => fileId === chosen?.fileId && tensor === chosen.tensor)
  if (weights.length < 2) return null
  const next = weights[(at < 0 ? 0 : at + step + weights.length) % weights.length]
  return { fileId: next.fileId, tensor: next.tensor }
}
