/** The whole page over an engine that a test drives. */
import { act, render } from '@testing-library/react'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { type FakeEngine, VOCABULARY } from '../store/fake-engine'
import { later } from './hooks'

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
