/** What a test of components does with a page: finds elements by their `data-test`, presses, waits a moment. */
import { act } from '@testing-library/react'
import { vi } from 'vitest'

/** Long enough for what the store puts off with `debounceMs: 0`. */
export const later = () => new Promise((resolve) => setTimeout(resolve, 5))

/** Every element with this data-test, in the order of the page. */
export const hooks = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-test="${name}"]`)]

/** The element with this data-test. Throws without one. */
export function hook<E extends HTMLElement = HTMLElement>(name: string): E {
  const [found] = hooks(name)
  if (!found) throw new Error(`nothing on the page is called ${name}`)
  return found as E
}

/** Whether an element has this data-test. */
export const has = (name: string) => hooks(name).length > 0

/** Starts `work` and waits a moment for what follows from it. */
export const does = (work: () => unknown) =>
  act(async () => {
    await work()
    await later()
  })

/** Waits for a part that is loaded when it is opened. */
export function loaded(name: string): Promise<HTMLElement> {
  return vi.waitFor(
    async () => {
      await act(later)
      return hook(name)
    },
    { timeout: 30_000 },
  )
}
