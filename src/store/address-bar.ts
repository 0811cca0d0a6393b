import type { AppStore } from './app-store'
import { fragmentOf, stepOf } from './link-actions'

/**
 * Keeps the fragment of the address and the store the same. A choice (layer, tensor, setting, method, view) pushes an
 * entry, so that Back undoes it; a number that is typed or dragged, and a link being put on screen, replace the entry.
 * Returns what stops it.
 */
export function bindAddressBar(store: AppStore, window: Window): () => void {
  const { location, history } = window
  let step = stepOf(store.getState(), store.vocabulary)
  const unsubscribe = store.subscribe((state, before) => {
    const { source, setup, view, blocks, formats } = state
    const isSame = source === before.source && setup === before.setup && view === before.view
    if (isSame && blocks === before.blocks && formats === before.formats) return
    if (source.restoring) return
    // Before the first layer is there, the address still says what it should become.
    if (source.active === null && source.pendingLink === null) return
    const next = stepOf(state, store.vocabulary)
    const chosen = next !== step && !before.source.restoring
    step = next
    const fragment = fragmentOf(state, store.vocabulary)
    if (fragment === location.hash.replace(/^#/, '')) return
    const url = fragment === '' ? location.pathname + location.search : `#${fragment}`
    if (chosen) history.pushState(null, '', url)
    else history.replaceState(null, '', url)
  })
  const onNavigation = () => {
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
