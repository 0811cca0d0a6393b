import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const SITE = 'https://example.test/some/folder/'
const LAYER = './layers/built-in.safetensors'

/** The caches of a browser, as far as the worker uses them; what is added is fetched. */
class Caches {
  readonly all = new Map<string, Map<string, Response>>()
  keys = async () => [...this.all.keys()]
  has = async (name: string) => this.all.has(name)
  delete = async (name: string) => this.all.delete(name)
  open = async (name: string) => {
    const kept = this.all.get(name) ?? new Map<string, Response>()
    this.all.set(name, kept)
    const add = async (request: Request | string) => {
      const url = typeof request === 'string' ? request : request.url
      const response = await fetch(url)
      if (!response.ok) throw new TypeError(url)
      kept.set(url, response)
    }
    return {
      add,
      addAll: (requests: readonly (Request | string)[]) => Promise.all(requests.map(add)),
      match: async (url: string) => kept.get(url)?.clone(),
      put: async (url: string, response: Response) => void kept.set(url, response),
      keys: async () => [...kept.keys()].map((url) => ({ url })),
    }
  }
}

let caches: Caches
let fetched: string[]
let tabs: number
let listeners: Record<string, (event: object) => void>

/** Starts the worker of `version`, as the build would have written it. */
async function start(version: string, files: readonly string[]): Promise<void> {
  vi.resetModules()
  vi.stubGlobal('__PRECACHE__', { version, files, layers: [LAYER] })
  listeners = {}
  vi.stubGlobal('self', {
    registration: { scope: SITE },
    clients: { claim: async () => undefined, matchAll: async () => Array(tabs).fill({}) },
    skipWaiting: async () => undefined,
    addEventListener: (type: string, listener: (event: object) => void) => {
      listeners[type] = listener
    },
  })
  await import('../../src/offline/service-worker')
}

async function send(type: string, event: object = {}): Promise<void> {
  let work: Promise<unknown> = Promise.resolve()
  listeners[type]({ ...event, waitUntil: (promise: Promise<unknown>) => (work = promise) })
  await work
}

/** What the worker answers; null where it leaves the request to the browser. */
async function ask(url: string, init: RequestInit & { navigate?: boolean } = {}): Promise<string | null> {
  let answer: Promise<Response> | null = null
  const request = new Request(new URL(url, SITE), init)
  const shown = { method: request.method, url: request.url, headers: request.headers }
  const mode = init.navigate ? 'navigate' : 'cors'
  listeners.fetch({ request: { ...shown, mode }, respondWith: (response: Promise<Response>) => (answer = response) })
  return answer === null ? null : await (await (answer as Promise<Response>)).text()
}

beforeEach(async () => {
  caches = new Caches()
  fetched = []
  tabs = 1
  vi.stubGlobal('caches', caches)
  vi.stubGlobal('fetch', async (request: Request | string) => {
    const { url } = typeof request === 'string' ? { url: request } : request
    fetched.push(url)
    return new Response(`network ${url.replace(SITE, '')}`)
  })
  await start('one', ['./assets/a.js'])
  await send('install')
  await send('activate')
  fetched = []
})
// Other files of this process see the same globals.
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the service worker', () => {
  it('answers for the page and its built files without the network', async () => {
    expect(await ask('./', { navigate: true })).toBe('network ')
    expect(await ask('./index.html', { navigate: true })).toBe('network ')
    expect(await ask('./assets/a.js?x=1')).toBe('network assets/a.js')
    expect(fetched).toEqual([])
  })

  it.each([
    ['another origin', 'https://elsewhere.test/assets/a.js', {}],
    ['another folder of the site', 'https://example.test/other/assets/a.js', {}],
    ['another method', './assets/a.js', { method: 'POST' }],
    ['a part of a file', './layers/x.safetensors', { headers: { range: 'bytes=0-7' } }],
    ['another page', './other.html', { navigate: true }],
    ['a file that was not built', './notes.txt', {}],
  ])('leaves %s to the browser', async (_what, url, init) => {
    expect(await ask(url, init)).toBeNull()
  })

  it('has the built-in layers from the start, and keeps another from its first use', async () => {
    expect(await ask(LAYER)).toBe('network layers/built-in.safetensors')
    expect(fetched).toEqual([])
    await ask('./layers/x.safetensors')
    await ask('./layers/x.safetensors')
    expect(fetched).toEqual([`${SITE}layers/x.safetensors`])
  })

  it('keeps nothing more after everything was forgotten', async () => {
    await caches.delete('mxscope-one')
    expect(await ask('./layers/x.safetensors')).toBe('network layers/x.safetensors')
    expect(await caches.keys()).toEqual([])
  })

  it('has the layers in a newer version too, which drops the files of the one before', async () => {
    caches.all.set('another-app', new Map())
    await start('two', ['./assets/b.js'])
    await send('install')
    await send('activate')
    expect(await caches.keys()).toEqual(['another-app', 'mxscope-two'])
    fetched = []
    expect(await ask(LAYER)).toBe('network layers/built-in.safetensors')
    expect(fetched).toEqual([])
  })

  it('keeps the files of the version before while another tab may ask for them', async () => {
    tabs = 2
    await start('two', ['./assets/b.js'])
    await send('install')
    await send('activate')
    fetched = []
    expect(await ask('./assets/a.js')).toBe('network assets/a.js')
    expect(fetched).toEqual([])
  })

  it('keeps all files of a version or does not take it', async () => {
    vi.stubGlobal('fetch', async (url: string) => new Response('', { status: url.endsWith('b.js') ? 404 : 200 }))
    await start('two', ['./assets/b.js'])
    await expect(send('install')).rejects.toThrow('assets/b.js')
  })

  it('takes a version although a layer is not on the site', async () => {
    vi.stubGlobal('fetch', async (request: Request | string) => {
      const { url } = typeof request === 'string' ? { url: request } : request
      return new Response('', { status: url.endsWith('.safetensors') ? 404 : 200 })
    })
    await start('two', ['./assets/b.js'])
    await expect(send('install')).resolves.toBeUndefined()
    expect(await ask('./assets/b.js')).toBe('')
  })
})
