import { methodMark } from '../store/highlight'
import { useActions, useApp } from './use-app'
import './method-target.css'

/** What an element takes that stands for a method, such as its chip, its tile or its row. */
export interface MethodTarget {
  readonly 'data-method-mark': 'pointed' | 'pinned' | undefined
  readonly onPointerEnter: () => void
  readonly onPointerLeave: () => void
  readonly onFocus: () => void
  readonly onBlur: () => void
}

/** Has a method shown everywhere while the pointer or the focus is in an element; null: the element stands for none. */
export function useMethodTarget(id: string | null): MethodTarget {
  const mark = useApp((state) => (id === null ? undefined : methodMark(state, id)))
  const { pointMethod } = useActions()
  const enter = () => pointMethod(id)
  const leave = () => pointMethod(null)
  return {
    'data-method-mark': mark,
    onPointerEnter: enter,
    onPointerLeave: leave,
    onFocus: enter,
    // Where the focus moves on inside of the element, it comes back at once.
    onBlur: leave,
  }
}
