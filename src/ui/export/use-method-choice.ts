import { useState } from 'react'
import { liveMethods, preferredMethod } from '../../store/export-content'
import { useApp } from '../use-app'

/** The method that is exported: the layer and the recipe are of the same one. */
export interface MethodChoiceState {
  readonly methods: readonly string[]
  /** null where no method has a result. */
  readonly method: string | null
  readonly setMethod: (id: string) => void
}

/** The one chosen, else the one that was lit or the best when the dialog was opened. */
export function useMethodChoice(): MethodChoiceState {
  const methods = useApp((state) => liveMethods(state).map(({ id }) => id))
  const preferred = useApp(preferredMethod)
  const [chosen, setMethod] = useState(preferred)
  const method = chosen !== null && methods.includes(chosen) ? chosen : preferred
  return { methods, method, setMethod }
}
