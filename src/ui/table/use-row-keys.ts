import { type KeyboardEvent, type RefObject, useState } from 'react'

/** Marks what takes the focus of a row. */
export const ROW_BUTTON = 'data-row-button'

/** Where a key leads from row `at` of `count`; null for a key that leads nowhere. */
function target(key: string, at: number, count: number): number | null {
  if (key === 'ArrowDown') return Math.min(at + 1, count - 1)
  if (key === 'ArrowUp') return Math.max(at - 1, 0)
  if (key === 'Home') return 0
  return key === 'End' ? count - 1 : null
}

export interface RowKeys {
  /** The row that Tab leads to. */
  readonly current: string | null
  readonly setCurrent: (id: string) => void
  readonly onKeyDown: (event: KeyboardEvent) => void
}

/** One row is a stop of the Tab key; arrow keys, Home and End lead to the others. */
export function useRowKeys(rows: RefObject<HTMLElement | null>, ids: readonly string[]): RowKeys {
  const [chosen, setCurrent] = useState<string | null>(null)
  const current = chosen !== null && ids.includes(chosen) ? chosen : (ids[0] ?? null)
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(rows.current?.querySelectorAll<HTMLElement>(`[${ROW_BUTTON}]`) ?? [])]
    const at = event.target instanceof HTMLElement ? buttons.indexOf(event.target) : -1
    const to = at < 0 ? null : target(event.key, at, buttons.length)
    if (to === null) return
    event.preventDefault()
    buttons[to].focus()
  }
  return { current, setCurrent, onKeyDown }
}
