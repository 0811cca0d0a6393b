import { useSyncExternalStore } from 'react'
import type { Theme } from '../../figures/theme'

/** The theme that figures are built in while they are saved; null: that of the page. */
let override: Theme | null = null
const listeners = new Set<() => void>()

/** Has every figure of the page built in `theme`, to be saved; null gives them back. What is drawn on screen stays. */
export function setFigureTheme(theme: Theme | null): void {
  override = theme
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function useFigureTheme(): Theme | null {
  return useSyncExternalStore(subscribe, () => override)
}
