import { type PointerEvent, useRef, useState } from 'react'

/** A pointer that moves less than this, in px, presses. */
const SLACK = 6

/** A chip that is dragged, and the place among all chips before which it would go. */
export interface ChipDrag {
  readonly id: string
  readonly before: number
}

const chipsOf = (list: Element) => [...list.querySelectorAll<HTMLElement>('[data-chip]')]

/** How many chips lie before a point, as one reads. */
function chipsBefore(list: Element, { clientX, clientY }: PointerEvent): number {
  return chipsOf(list).filter((chip) => {
    const { left, top, width, bottom } = chip.getBoundingClientRect()
    return clientY > bottom || (clientY >= top && clientX > left + width / 2)
  }).length
}

/**
 * Chips put in another order with a mouse or a pen; a finger scrolls the page instead. `list` goes to the element around
 * the chips, which bear their ids as `data-chip`; `onMove` gets the place among the other chips.
 */
export function useChipDrag(onMove: (id: string, to: number) => void) {
  const start = useRef<{ readonly id: string; readonly x: number; readonly y: number } | null>(null)
  const [drag, setDrag] = useState<ChipDrag | null>(null)
  const end = () => {
    start.current = null
    setDrag(null)
  }
  const list = {
    onPointerDown: ({ target, button, pointerType, clientX: x, clientY: y }: PointerEvent) => {
      const id = target instanceof Element ? target.closest<HTMLElement>('[data-chip]')?.dataset.chip : undefined
      start.current = id === undefined || button !== 0 || pointerType === 'touch' ? null : { id, x, y }
    },
    onPointerMove: (event: PointerEvent) => {
      const from = start.current
      if (from === null) return
      if (drag === null && Math.hypot(event.clientX - from.x, event.clientY - from.y) < SLACK) return
      // From here on the button under the pointer is not pressed by letting go.
      event.currentTarget.setPointerCapture(event.pointerId)
      setDrag({ id: from.id, before: chipsBefore(event.currentTarget, event) })
    },
    onPointerUp: (event: PointerEvent) => {
      if (drag !== null) {
        const from = chipsOf(event.currentTarget).findIndex(({ dataset }) => dataset.chip === drag.id)
        onMove(drag.id, drag.before > from ? drag.before - 1 : drag.before)
      }
      end()
    },
    onPointerCancel: end,
  }
  return { drag, list }
}
