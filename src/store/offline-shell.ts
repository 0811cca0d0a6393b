/** The browser's side of offline use: the service worker, the network events, and all that is kept on the device. */
import type { OfflineShell, OfflineSlice } from './offline'

/** Everything of this page on a device has a name that begins so; others on the same site are left alone. */
const PREFIX = 'mxscope'

type Report = (change: Partial<OfflineSlice>) => void

function watchNetwork(report: Report): void {
  const tell = () => report({ online: navigator.onLine })
  addEventListener('online', tell)
  addEventListener('offline', tell)
  tell()
}

/** Reports a version that waits behind the one in use; the very first one waits for nobody. */
function watchUpdates(registration: ServiceWorkerRegistration, report: Report): void {
  const check = () => {
    if (registration.waiting && registration.active) report({ updateWaits: true })
  }
  check()
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', check))
}

async function register(report: Report): Promise<ServiceWorkerRegistration> {
  const script = new URL('service-worker.js', document.baseURI)
  const registration = await navigator.serviceWorker.register(script, { updateViaCache: 'none' })
  watchUpdates(registration, report)
  return registration
}

async function emptyDatabase(name: string): Promise<void> {
  const done = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const database = await done(indexedDB.open(name))
  // Emptied rather than deleted: that would wait until every tab has closed it.
  const stores = [...database.objectStoreNames]
  if (stores.length > 0) {
    const change = database.transaction(stores, 'readwrite')
    await Promise.all(stores.map((store) => done(change.objectStore(store).clear())))
  }
  database.close()
}

async function forget(): Promise<void> {
  const unregister = async () => {
    const registration = await navigator.serviceWorker?.getRegistration(document.baseURI)
    await registration?.unregister()
  }
  const emptyDatabases = async () => {
    const names = (await indexedDB.databases()).flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name] : []))
    await Promise.all(names.map(emptyDatabase))
  }
  const dropCaches = async () => {
    const names = 'caches' in globalThis ? await caches.keys() : []
    await Promise.all(names.filter((name) => name.startsWith(PREFIX)).map((name) => caches.delete(name)))
  }
  const dropSettings = async () => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key)
  }
  const outcomes = await Promise.allSettled([unregister(), emptyDatabases(), dropCaches(), dropSettings()])
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

/** `whenLoaded`: after which the service worker may use the network; without it none is registered. */
export function createOfflineShell(whenLoaded: Promise<unknown> | null): OfflineShell {
  let registration: Promise<ServiceWorkerRegistration> | null = null
  return {
    watch: (report) => {
      watchNetwork(report)
      if (whenLoaded === null || !('serviceWorker' in navigator)) return
      registration = whenLoaded.then(() => register(report))
      // The page works all the same where the browser keeps nothing.
      registration.catch(() => undefined)
    },
    startUpdate: () => {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
      void registration?.then(({ waiting }) => waiting?.postMessage({ kind: 'activate' }))
    },
    forget,
  }
}
