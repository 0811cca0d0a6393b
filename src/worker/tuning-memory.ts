/** Remembers which kernels are fastest on this device's adapter, in the browser's IndexedDB. */
import { createStore, get, set } from 'idb-keyval'
import type { TuningMemory } from '../gpu/tuning/tune'

/** "Forget everything" empties every database whose name begins with "mxscope". */
const DATABASE = 'mxscope-kernels'

/** Nothing is opened before it is asked for something. */
export function createTuningMemory(): TuningMemory {
  const store = createStore(DATABASE, 'choices')
  return {
    get: (key) => get<unknown>(key, store),
    set: (key, value) => set(key, value, store),
  }
}
