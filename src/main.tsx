import { createRoot } from 'react-dom/client'
import { METHOD_CATALOG } from './experiment/catalog'
import { KV_SETTINGS, SETTINGS } from './experiment/settings'
import { FORMATS } from './formats/registry'
import { BUILT_IN_LAYERS } from './io/built-in-layers'
import { bindAddressBar } from './store/address-bar'
import { createAppStore } from './store/app-store'
import { fetchLayer } from './store/fetch-layer'
import { createKeptFiles } from './store/kept-files'
import { App } from './ui/App'
import { loadPlotly } from './ui/plot/plotly-loader'
import { createEngineClient } from './worker/client'

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
// The drawing code is large and not part of the first paint: it loads beside the first run. A figure that still cannot
// have it says so in its place.
requestAnimationFrame(() => setTimeout(() => void loadPlotly().catch(() => undefined)))
