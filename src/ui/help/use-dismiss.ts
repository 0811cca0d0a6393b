import { type RefObject, useEffect } from 'react'

/**
 * Closes what is open at Escape, which gives the focus back to its anchor, at a press elsewhere, and when the focus goes
 * elsewhere. The anchor itself is left alone: it closes by its own click.
 */
export function useDismiss(
  open: RefObject<HTMLElement | null>,
  anchor: RefObject<HTMLElement | null>,
  onClose: () => void,
): void {
  useEffect(() => {
    const isInside = (target: EventTarget | null) =>
      target instanceof Node && [open, anchor].some(({ current }) => current?.contains(target))
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      // What it stands in, and the run, have Escape the next time.
      event.preventDefault()
      event.stopPropagation()
      onClose()
      anchor.current?.focus()
    }
    const onPointerDown = ({ target }: PointerEvent) => {
      if (!isInside(target)) onClose()
    }
    const onFocusIn = ({ target }: FocusEvent) => {
      if (!isInside(target)) onClose()
    }
    document.addEventListener('keydown', onKeyDown, true)
    document.addEventListener('pointerdown', onPointerDown, true)
    document.addEventListener('focusin', onFocusIn)
    return () => {
      document.removeEventListener('keydown', onKeyDown, true)
      document.removeEventListener('pointerdown', onPointerDown, true)
      document.removeEventListener('focusin', onFocusIn)
    }
  }, [open, anchor, onClose])
}
