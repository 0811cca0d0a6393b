import { useEffect } from 'react'
import { useActions, useStateReader } from '../use-app'

/** Escape takes the pins away, unless it closes something or stops something that is on screen. */
export function useClearOnEscape(): void {
  const { clearPins } = useActions()
  const read = useStateReader()
  useEffect(() => {
    // On the window, behind every other listener of the page.
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return
      if (event.target instanceof Element && event.target.closest('input, select, textarea, [role="dialog"]')) return
      const { pinnedMethod, pinnedChannel } = read().highlight
      if (pinnedMethod !== null || pinnedChannel !== null) clearPins()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [clearPins, read])
}
