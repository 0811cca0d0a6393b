/** The whole page over an engine that a test drives: opened, found by its hooks, pressed. */
import { act, render } from '@testing-library/react'
import { vi } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { type FakeEngine, VOCABULARY } from '../store/fake-engine'

/** Long enough for what the store puts off with `debounceMs: 0`. */
export const later = () => new Promise((resolve) => setTimeout(resolve, 5))

/** Draws the page with all methods on a link's `fragment` and returns its store. */
export async function openPage(engine: FakeEngine, fragment: string): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: { ...VOCABULARY, methods: METHOD_CATALOG },
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
  })
  return store
}

/** The element with this data-test. Throws without one. */
export function hook(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  if (!found) throw new Error(`nothing on the page is called ${name}`)
  return found
}

/** Whether an element has this data-test. */
export const has = (name: string) => document.querySelector(`[data-test="${name}"]`) !== null

/** Starts `work` and waits a moment for what follows from it. */
export const does = (work: () => unknown) =>
  act(async () => {
    work()
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
