import { useState } from 'react'

/** The method that is exported: the layer and the recipe are of the same one. */
export interface MethodChoiceState {
  readonly methods: readonly string[]
  /** null where no method has a result. */
  readonly method: string | null
  readonly setMethod: (id: string) => void
}

/** Of `methods`: the one chosen, else the last, which is rarely the baseline. */
export function useMethodChoice(methods: readonly string[]): MethodChoiceState {
  const [chosen, setMethod] = useState<string | null>(null)
  const method = chosen !== null && methods.includes(chosen) ? chosen : (methods.at(-1) ?? null)
  return { methods, method, setMethod }
}
