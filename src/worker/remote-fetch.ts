/**
 * `fetch` across a port. The page's policy lets neither the page nor the engine worker, where the user's files are, ask
 * other origins; a worker of its own does (remote.ts), which is told addresses and byte ranges and never sees a file.
 */

/** GET and HEAD only: nothing but an address and headers leaves the page. */
type RemoteRequest =
  | {
      readonly kind: 'request'
      readonly id: number
      readonly url: string
      readonly method: string
      /** `no-cors` asks whether there is anybody: the answer cannot be read. */
      readonly mode: RequestMode
      readonly headers: readonly (readonly [string, string])[]
    }
  /** Asks for the next bytes of the body. */
  | { readonly kind: 'more'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }

type RemoteReply =
  | {
      readonly kind: 'head'
      readonly id: number
      readonly status: number
      readonly statusText: string
      readonly headers: readonly (readonly [string, string])[]
      readonly url: string
      readonly redirected: boolean
    }
  | { readonly kind: 'bytes'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }

type Port = Pick<MessagePort, 'postMessage' | 'onmessage'>

const METHODS = ['GET', 'HEAD']
/** The Response constructor takes no body with these. */
const BODILESS = [204, 205, 304]

/**
 * A `fetch` whose requests go out at the other end of `port`. Bytes come as they are read, not before. Rejects like
 * fetch: TypeError where no answer came, the signal's reason where it was aborted.
 */
export function createPortFetch(port: Port): typeof fetch {
  const receivers = new Map<number, (reply: RemoteReply) => void>()
  let requests = 0
  port.onmessage = ({ data }: MessageEvent<RemoteReply>) => receivers.get(data.id)?.(data)
  const send = (message: RemoteRequest) => port.postMessage(message)

  return (input, init) =>
    new Promise((resolve, reject) => {
      const { url, method, mode, headers, signal } = new Request(input, init)
      if (signal.aborted) return reject(signal.reason)
      const id = requests
      requests += 1
      let body: ReadableByteStreamController | null = null
      const settle = () => {
        receivers.delete(id)
        signal.removeEventListener('abort', abort)
      }
      const fail = (reason: unknown) => {
        settle()
        if (body) body.error(reason)
        else reject(reason)
      }
      const abort = () => {
        send({ kind: 'cancel', id })
        fail(signal.reason)
      }
      const stream = () =>
        new ReadableStream({
          type: 'bytes',
          start: (controller) => {
            body = controller
          },
          pull: () => send({ kind: 'more', id }),
          cancel: () => {
            settle()
            send({ kind: 'cancel', id })
          },
        })
      signal.addEventListener('abort', abort)
      receivers.set(id, (reply) => {
        if (reply.kind === 'bytes') body?.enqueue(reply.bytes)
        else if (reply.kind === 'failed') fail(new TypeError(reply.message))
        else if (reply.kind === 'end') {
          settle()
          body?.close()
        } else {
          const bodiless = method === 'HEAD' || mode === 'no-cors' || BODILESS.includes(reply.status)
          if (bodiless) settle()
          resolve(responseOf(reply, bodiless ? null : stream()))
        }
      })
      send({ kind: 'request', id, url, method, mode, headers: [...headers] })
    })
}

function responseOf(
  { status, statusText, headers, url, redirected }: Extract<RemoteReply, { kind: 'head' }>,
  body: ReadableStream | null,
): Response {
  // What an opaque answer looks like.
  if (status === 0) return Response.error()
  const response = new Response(body, { status, statusText, headers: headers.map(([name, value]) => [name, value]) })
  return Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } })
}

/** Answers the requests of createPortFetch at the other end, with `request` in the place of fetch. */
export function serveFetch(port: Port, request: typeof fetch): void {
  interface Going {
    readonly controller: AbortController
    reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null
  }
  const going = new Map<number, Going>()
  const reply = (message: RemoteReply, transfer: Transferable[] = []) => port.postMessage(message, transfer)
  const fail = (id: number, error: unknown) => {
    if (going.delete(id)) reply({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) })
  }

  const start = async ({ id, url, method, mode, headers }: Extract<RemoteRequest, { kind: 'request' }>) => {
    const own: Going = { controller: new AbortController(), reader: null }
    going.set(id, own)
    try {
      if (!METHODS.includes(method)) throw new TypeError(`expected ${METHODS.join(' or ')}, found ${method}`)
      const response = await request(url, {
        method,
        mode: mode === 'no-cors' ? mode : 'cors',
        headers: headers.map(([name, value]) => [name, value]),
        signal: own.controller.signal,
        // Nothing of the user goes along, and nothing is kept.
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
      })
      if (!going.has(id)) return
      own.reader = response.body?.getReader() ?? null
      const { status, statusText, redirected } = response
      reply({ kind: 'head', id, status, statusText, redirected, url: response.url, headers: [...response.headers] })
      if (method === 'HEAD' || mode === 'no-cors') going.delete(id)
    } catch (error) {
      fail(id, error)
    }
  }

  const more = async (id: number) => {
    const own = going.get(id)
    if (!own) return
    try {
      const next = await own.reader?.read()
      if (!going.has(id)) return
      if (next?.value) return reply({ kind: 'bytes', id, bytes: next.value }, [next.value.buffer])
      going.delete(id)
      reply({ kind: 'end', id })
    } catch (error) {
      fail(id, error)
    }
  }

  port.onmessage = ({ data }: MessageEvent<RemoteRequest>) => {
    if (data.kind === 'request') void start(data)
    else if (data.kind === 'more') void more(data.id)
    else {
      going.get(data.id)?.controller.abort()
      going.delete(data.id)
    }
  }
}
