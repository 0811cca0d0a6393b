import type { KeyboardEvent } from 'react'

const STEPS: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
}

/** Arrow keys go to the next toggle of the same cell, else to the first or last one of the cell beside it. */
export function moveFocus(event: KeyboardEvent<HTMLTableElement>): void {
  const { target, currentTarget, key } = event
  const step = STEPS[key]
  if (!step || !(target instanceof HTMLButtonElement)) return
  const [cell, line] = [target.closest('td'), target.closest('tr')]
  if (!cell || !line) return
  event.preventDefault()
  const [down, right] = step
  const own = [...cell.querySelectorAll('button')]
  const inside = down === 0 ? undefined : own[own.indexOf(target) + down]
  const row = currentTarget.rows[line.rowIndex + down]
  const beside = [...(row?.cells[cell.cellIndex + right]?.querySelectorAll('button') ?? [])]
  const next = inside ?? (down < 0 ? beside.at(-1) : beside[0])
  next?.focus()
}
