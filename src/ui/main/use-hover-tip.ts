import { useState } from 'react'

/** After this long over the control, in ms. */
const OPEN_DELAY = 700

/**
 * A tooltip for a mouse that rests: none by touch or keyboard focus, gone when the control is used, back when the mouse
 * comes back. `tip` goes to the Tooltip, `target` to the control in it.
 */
export function useHoverTip() {
  const [used, setUsed] = useState(false)
  const use = () => setUsed(true)
  return {
    tip: { disabled: used, openDelay: OPEN_DELAY, events: { hover: true, focus: false, touch: false } },
    target: { onPointerDown: use, onKeyDown: use, onMouseEnter: () => setUsed(false) },
  }
}
