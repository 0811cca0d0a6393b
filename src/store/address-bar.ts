import type { AppStore } from './app-store'
import { fragmentOf } from './link-actions'

/**
 * Keeps the fragment of the address and the store the same: a changed control replaces the entry, another view pushes
 * one, so that Back works. Returns what stops it.
 */
export function bindAddressBar(store: AppStore, window: Window): () => void {
  const { location, history } = window
  let view = store.getState().view.view
  const unsubscribe = store.subscribe((state) => {
    // Before the first layer is there, the address still says what it should become.
    if (state.source.active === null) return
    const fragment = fragmentOf(state, store.vocabulary)
    if (fragment === location.hash.replace(/^#/, '')) return
    const url = fragment === '' ? location.pathname + location.search : `#${fragment}`
    if (state.view.view === view) history.replaceState(null, '', url)
    else history.pushState(null, '', url)
    view = state.view.view
  })
  const onNavigation = () => {
    view = store.getState().view.view
    if (location.hash.replace(/^#/, '') !== fragmentOf(store.getState(), store.vocabulary)) {
      void store.actions.applyLink(location.hash)
    }
  }
  window.addEventListener('popstate', onNavigation)
  return () => {
    unsubscribe()
    window.removeEventListener('popstate', onNavigation)
  }
}
