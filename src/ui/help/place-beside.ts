/** Room between the popover, its anchor and the edges of the window. */
const GAP = 8

/** Narrower windows show the popover as a sheet, which the style sheet places. */
const SHEET_BELOW = 768

/** Puts `popover` to the right of `anchor`, else to its left, else above or below it, and always inside the window. */
export function placeBeside(popover: HTMLElement, anchor: HTMLElement): void {
  const { innerWidth, innerHeight } = window
  if (innerWidth < SHEET_BELOW) return
  const { left, right, top, bottom } = anchor.getBoundingClientRect()
  const { width, height } = popover.getBoundingClientRect()
  const inside = (at: number, size: number, room: number) => Math.max(GAP, Math.min(at, room - size - GAP))
  const fitsRight = right + GAP + width + GAP <= innerWidth
  const fitsLeft = left - GAP - width >= GAP
  const x = fitsRight ? right + GAP : fitsLeft ? left - GAP - width : inside(left, width, innerWidth)
  const beside = fitsRight || fitsLeft
  const below = bottom + GAP + height + GAP <= innerHeight ? bottom + GAP : top - GAP - height
  popover.style.left = `${x}px`
  popover.style.top = `${inside(beside ? top - GAP : below, height, innerHeight)}px`
}
