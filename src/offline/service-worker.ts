/**
 * The page without a network: keeps the built files and the built-in layers when a version is installed. Answers requests
 * of this site for these files and no other. It sees addresses; a file of the user is never one.
 */

/** What the build writes here (scripts/precache.ts): files and layers of this version, below the page's address. */
declare const __PRECACHE__: {
  readonly version: string
  readonly files: readonly string[]
  readonly layers: readonly string[]
}

/** The parts of the service worker's types that are used; the DOM library has none of them. */
interface LifeEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface FetchEvent extends LifeEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
interface Scope {
  readonly registration: { readonly scope: string }
  readonly clients: { claim(): Promise<void>; matchAll(query: object): Promise<readonly unknown[]> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: LifeEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
  addEventListener(type: 'message', listener: (event: LifeEvent & MessageEvent) => void): void
}

const scope = self as unknown as Scope
const { version, files, layers } = __PRECACHE__
const PREFIX = 'mxscope-'
const NAME = `${PREFIX}${version}`
/** Headers such as Vary say nothing about files that never change. */
const MATCH = { ignoreSearch: true, ignoreVary: true }

const address = (path: string) => new URL(path, scope.registration.scope).href
const PAGE = address('./')
const BUILT = new Set(files.map(address))
const isLayer = (url: string) => url.startsWith(address('./layers/'))

async function ours(): Promise<readonly string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX))
}

/** Keeps all files or none, and the layers that are there. */
async function install(): Promise<void> {
  const cache = await caches.open(NAME)
  await cache.addAll([new Request(PAGE, { cache: 'reload' }), ...BUILT])
  // A layer that is not on the site is no reason to refuse the version.
  for (const layer of layers) await cache.add(address(layer)).catch(() => undefined)
}

/** Another tab may still be of the version before, and ask for its files. */
async function activate(): Promise<void> {
  await scope.clients.claim()
  const tabs = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (tabs.length > 1) return
  for (const name of await ours()) if (name !== NAME) await caches.delete(name)
}

/** The kept answer of this version, else of one before it. */
async function kept(url: string): Promise<Response | undefined> {
  const names = await ours()
  for (const name of [NAME, ...names.filter((each) => each !== NAME)]) {
    if (!names.includes(name)) continue
    const found = await (await caches.open(name)).match(url, MATCH)
    if (found) return found
  }
  return undefined
}

async function answer(request: Request, url: string): Promise<Response> {
  const found = await kept(url)
  if (found) return found
  const response = await fetch(request)
  // Without the cache the user has had everything forgotten.
  if (isLayer(url) && response.status === 200 && (await caches.has(NAME))) {
    await (await caches.open(NAME)).put(url, response.clone())
  }
  return response
}

/** Where a request leads among the files of this version; null for all that is left to the browser. */
function target({ method, url, mode, headers }: Request): string | null {
  if (method !== 'GET' || headers.has('range')) return null
  const plain = url.replace(/[?#].*$/, '')
  if (mode === 'navigate') return plain === PAGE || plain === `${PAGE}index.html` ? PAGE : null
  const isOlder = plain.startsWith(address('./assets/'))
  return BUILT.has(plain) || isOlder || isLayer(plain) ? plain : null
}

scope.addEventListener('install', (event) => event.waitUntil(install()))
scope.addEventListener('activate', (event) => event.waitUntil(activate()))
scope.addEventListener('fetch', (event) => {
  const url = target(event.request)
  if (url !== null) event.respondWith(answer(event.request, url))
})
scope.addEventListener('message', (event) => {
  const { data } = event
  if (data?.kind === 'activate') event.waitUntil(scope.skipWaiting())
})

export {}
