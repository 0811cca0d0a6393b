import type { AppStore } from './app-store'
import { samePins } from './highlight'
import { fragmentOf, stepOf } from './link-actions'

/** Browsers refuse more than about a hundred entries in thirty seconds; a dragged slider would make sixty a second. */
const REPLACE_INTERVAL_MS = 350

/** Writes fragments: choices at once, replacements at most every REPLACE_INTERVAL_MS, the last one always. */
function createWriter({ history, location, performance, setTimeout, clearTimeout }: Window) {
  let waiting: { readonly timer: number; readonly write: () => void } | null = null
  let lastReplaced = -Infinity
  const urlOf = (fragment: string) => (fragment === '' ? location.pathname + location.search : `#${fragment}`)
  const replace = (fragment: string) => {
    lastReplaced = performance.now()
    history.replaceState(null, '', urlOf(fragment))
  }
  const drop = () => {
    if (waiting) clearTimeout(waiting.timer)
    waiting = null
  }
  return {
    push(fragment: string) {
      waiting?.write()
      drop()
      history.pushState(null, '', urlOf(fragment))
    },
    replace(fragment: string) {
      drop()
      const rest = lastReplaced + REPLACE_INTERVAL_MS - performance.now()
      if (rest <= 0) return replace(fragment)
      const write = () => replace(fragment)
      const timer = setTimeout(() => {
        waiting = null
        write()
      }, rest)
      waiting = { timer, write }
    },
    /** Forgets a replacement that waits. */
    drop,
  }
}

/**
 * Keeps the fragment of the address and the store the same. A choice (layer, tensor, setting, method, view) pushes an
 * entry, so that Back undoes it; a number that is typed or dragged, and a link being put on screen, replace the entry.
 * Returns what stops it.
 */
export function bindAddressBar(store: AppStore, window: Window): () => void {
  const { location } = window
  const writer = createWriter(window)
  let step = stepOf(store.getState(), store.vocabulary)
  let written = location.hash.replace(/^#/, '')
  const unsubscribe = store.subscribe((state, before) => {
    const { source, setup, view, blocks, formats, rotation, figure5, sweeps } = state
    const isSame = source === before.source && setup === before.setup && view === before.view
    const isStudy = rotation.controls === before.rotation.controls && figure5.look === before.figure5.look
    const isSweep = sweeps.parameter === before.sweeps.parameter
    const isPinned = samePins(state.highlight, before.highlight)
    if (isSame && isStudy && isSweep && isPinned && blocks === before.blocks && formats === before.formats) return
    if (source.restoring) return
    // Before the first layer is there, the address still says what it should become.
    if (source.active === null && source.pendingLink === null) return
    const next = stepOf(state, store.vocabulary)
    const chosen = next !== step && !before.source.restoring
    step = next
    const fragment = fragmentOf(state, store.vocabulary)
    if (fragment === written) return
    written = fragment
    if (chosen) writer.push(fragment)
    else writer.replace(fragment)
  })
  const onNavigation = () => {
    writer.drop()
    written = location.hash.replace(/^#/, '')
    if (written !== fragmentOf(store.getState(), store.vocabulary)) void store.actions.applyLink(location.hash)
  }
  window.addEventListener('popstate', onNavigation)
  return () => {
    unsubscribe()
    writer.drop()
    window.removeEventListener('popstate', onNavigation)
  }
}
