import { createRoot } from 'react-dom/client'
import { METHOD_CATALOG } from './experiment/catalog'
import { KV_SETTINGS, SETTINGS } from './experiment/settings'
import { FORMATS } from './formats/registry'
import { BUILT_IN_LAYERS } from './io/built-in-layers'
import { bindAddressBar } from './store/address-bar'
import { createAppStore } from './store/app-store'
import { createDeviceMemory } from './store/device-memory'
import { fetchLayer } from './store/fetch-layer'
import { createHistoryStorage } from './store/history-storage'
import { createKeptFiles } from './store/kept-files'
import { createOfflineShell } from './store/offline-shell'
import { App } from './ui/App'
import { TILE_FIGURE } from './ui/main/figure-views'
import { loadPlotly } from './ui/plot/plotly-loader'
import { createEngineClient } from './worker/client'

// The drawing code is large and not part of the first paint: it loads beside the first run, with what keeps that run, so
// that nothing is left to ask for afterwards. A figure that still cannot have it says so in its place.
const drawing = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))).then(() =>
  Promise.all([TILE_FIGURE.load(), loadPlotly(), import('./store/history-desk'), import('./ui/status/PrivacyDialog')]),
)
drawing.catch(() => undefined)

const store = createAppStore(createEngineClient(), {
  vocabulary: {
    formats: FORMATS,
    settings: SETTINGS,
    kvSettings: KV_SETTINGS,
    methods: METHOD_CATALOG,
    builtIns: BUILT_IN_LAYERS,
  },
  fetchLayer,
  keptFiles: createKeptFiles(),
  history: { storage: createHistoryStorage(), date: () => Date.now() },
  // In development files change under their names, and nothing must keep them.
  offline: createOfflineShell(import.meta.env.PROD ? drawing : null),
  memory: createDeviceMemory(() => localStorage),
  now: () => performance.now(),
  debounceMs: 120,
})
bindAddressBar(store, window)
void store.actions.openDevice()
void store.actions.applyLink(location.hash)
// The recovery test provokes a device loss with this event; nothing in the page sends it.
document.addEventListener('mxscope:lose-device', () => void store.actions.loseDevice())

const root = document.getElementById('root')
if (root) createRoot(root).render(<App store={store} />)
