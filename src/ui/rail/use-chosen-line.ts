import { useEffect, useRef } from 'react'
import { type TensorLine, tensorKey } from '../../store/tensor-rows'
import { useApp } from '../use-app'

export interface LinesProps {
  readonly lines: readonly TensorLine[]
  /** The key that leads to the list, where no field has it. */
  readonly shortcut?: string | undefined
  /** Opens or closes the module of this key. */
  readonly onToggle: (moduleKey: string) => void
}

/** Calls `show` with the line of the chosen weight, once each time another one is chosen. */
export function useChosenLine(lines: readonly TensorLine[], show: (index: number) => void): void {
  const chosen = useApp(({ source }) => source.weight && tensorKey(source.weight))
  const shown = useRef<string | null>(null)
  useEffect(() => {
    const index = lines.findIndex(({ kind, key }) => kind === 'tensor' && key === chosen)
    if (index < 0 || shown.current === chosen) return
    shown.current = chosen
    show(index)
  })
}
