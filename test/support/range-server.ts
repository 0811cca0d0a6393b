/** A real HTTP server on this machine that answers range requests, and misbehaves as it is told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A request as the server saw it. */
export interface SeenRequest {
  readonly path: string
  readonly range: string | null
  readonly authorization: string | null
}

/** What is wrong with one address. `count` is the number of requests to it so far, this one included. */
export type Fault = (request: IncomingMessage, response: ServerResponse, context: FaultContext) => boolean

interface FaultContext {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

export interface RangeServer {
  readonly origin: string
  readonly seen: SeenRequest[]
  /** Puts `bytes` at `path`; `fault` answers first and returns true where it has. */
  serve(path: string, bytes: Uint8Array, fault?: Fault): string
  close(): Promise<void>
}

export async function startRangeServer(): Promise<RangeServer> {
  const files = new Map<string, { bytes: Buffer; fault: Fault | undefined; count: number }>()
  const seen: SeenRequest[] = []
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0])
    const { range, authorization } = request.headers
    seen.push({ path, range: range ?? null, authorization: authorization ?? null })
    const file = files.get(path)
    if (!file) return void response.writeHead(404).end('not here')
    file.count++
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    const start = Number(first ?? 0)
    const end = Math.min(Number(last ?? file.bytes.length - 1) + 1, file.bytes.length)
    if (file.fault?.(request, response, { bytes: file.bytes, start, end, count: file.count })) return
    if (first === undefined)
      return void response.writeHead(200, { 'Content-Length': file.bytes.length }).end(file.bytes)
    if (start >= file.bytes.length) {
      return void response.writeHead(416, { 'Content-Range': `bytes */${file.bytes.length}` }).end()
    }
    response.writeHead(206, partHeaders({ bytes: file.bytes, start, end })).end(file.bytes.subarray(start, end))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    seen,
    serve: (path, bytes, fault) => {
      files.set(path, { bytes: Buffer.from(bytes), fault, count: 0 })
      return `${origin}${path}`
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** The headers of a right answer. */
export function partHeaders({ bytes, start, end }: Pick<FaultContext, 'bytes' | 'start' | 'end'>, etag = '"v1"') {
  const range = `bytes ${start}-${end - 1}/${bytes.length}`
  return { 'Content-Range': range, 'Content-Length': end - start, ETag: etag }
}

/** Answers every request with `status`. */
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Fault =>
  (_request, response) => {
    response.writeHead(code, headers).end(body)
    return true
  }

/** Sends the whole file whatever is asked. */
export const ignoresRanges: Fault = (_request, response, { bytes }) => {
  response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes)
  return true
}

/** Cuts the connection `after` bytes into the answer, from request `from` to request `to`. */
export const cuts =
  ({ from, to, after }: { from: number; to: number; after: number }): Fault =>
  (_request, response, context) => {
    if (context.count < from || context.count > to) return false
    const { bytes, start, end } = context
    response.writeHead(206, partHeaders(context))
    response.write(bytes.subarray(start, Math.min(start + after, end)), () => setTimeout(() => response.destroy(), 20))
    return true
  }

/** Another version of the file from request `from` on. */
export const changesETag =
  (from: number): Fault =>
  (_request, response, context) => {
    if (context.count < from) return false
    response.writeHead(206, partHeaders(context, '"v2"')).end(context.bytes.subarray(context.start, context.end))
    return true
  }

/** Answers with the Content-Range `header`, from request `from` on. */
export const claimsRange =
  (header: string | null, from = 1): Fault =>
  (_request, response, { bytes, start, end, count }) => {
    if (count < from) return false
    response.writeHead(206, header === null ? {} : { 'Content-Range': header }).end(bytes.subarray(start, end))
    return true
  }

/** Ranges of the compressed stream. */
export const gzips: Fault = (_request, response, { bytes, start, end }) => {
  const packed = gzipSync(bytes.subarray(start, end))
  const headers = { ...partHeaders({ bytes, start, end }), 'Content-Length': packed.length, 'Content-Encoding': 'gzip' }
  response.writeHead(206, headers).end(packed)
  return true
}

/** Sends the first bytes and then nothing, until the other side goes away. */
export const stalls: Fault = (_request, response, context) => {
  if (context.count < 2) return false
  response.writeHead(206, partHeaders(context))
  response.write(context.bytes.subarray(context.start, context.start + 1000))
  return true
}
