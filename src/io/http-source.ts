/** A file on a server, read by HTTP range requests (RFC 9110, section 14). */
import { FileError, isAbort } from '../core/errors'
import type { ByteSource, SliceOptions } from './byte-source'
import {
  brokenConnection,
  changedFile,
  encodedBody,
  parseUrl,
  redirectedToPage,
  refusedStatus,
  shownUrl,
  unreachable,
  withoutRanges,
  wrongRange,
} from './http-errors'
import { grouped } from './number-text'

/** How a server is spoken to. */
export interface HttpOptions extends SliceOptions {
  readonly fetch: typeof fetch
  /** Sent as a bearer token to the address itself; fetch drops it where a redirect leads to another origin. */
  readonly token?: string | undefined
  /** True in a page, where a server may answer without letting the page read it. */
  readonly corsApplies?: boolean
}

/**
 * Bytes of the first request: its answer tells the length of the file, and most headers fit, so that opening takes one
 * request or two.
 */
export const READ_AHEAD = 65_536

/** Where the file is and which version of it; every answer must be of the same. */
interface Remote extends Pick<HttpOptions, 'fetch' | 'token' | 'corsApplies'> {
  readonly url: URL
  readonly etag: string | null
  readonly modified: string | null
  readonly byteLength: number
}

type Range = { readonly start: number; readonly end: number }

/**
 * Opens the file at `address` with a request for its first bytes. Later reads cost one request each, and exactly their
 * bytes; one that breaks goes on once at the byte where it broke.
 *
 * Throws FileError: HT-01 no web address, HT-02 no answer, HT-03 forbidden to a page, HT-04 redirects, HT-05 … HT-07
 * refused, HT-08 no ranges, HT-09 another range, HT-10 the file has changed, HT-11 compressed, HT-12 broken twice; what
 * the signal throws when it is aborted.
 */
export async function openHttpSource(address: string, options: HttpOptions): Promise<ByteSource> {
  const url = parseUrl(address)
  const { fetch, token, corsApplies, signal } = options
  const first = { url, fetch, token, corsApplies, etag: null, modified: null, byteLength: Number.POSITIVE_INFINITY }
  const response = await request(first, { start: 0, end: READ_AHEAD }, signal)
  const name = fileNameOf(url)
  const remote = { ...first, ...versionOf(response), byteLength: await lengthOf(response, first, signal) }
  const head = await firstBytes(response, remote, options)
  const slice = (start: number, end: number, watch: SliceOptions = {}) => readRange(remote, head, { start, end }, watch)
  return { name, byteLength: remote.byteLength, slice }
}

/** The last part of the path, decoded; the host where there is none. */
function fileNameOf(url: URL): string {
  const last = url.pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(last) || url.host
  } catch {
    return last
  }
}

/** Sends one request. Throws FileError HT-02 … HT-07; redirects are followed each time, since signed targets expire. */
async function request(remote: Remote, { start, end }: Range, signal: AbortSignal | undefined): Promise<Response> {
  const { url, token } = remote
  const headers: Record<string, string> = { Range: `bytes=${start}-${end - 1}` }
  if (token !== undefined) headers.Authorization = `Bearer ${token}`
  let response: Response
  try {
    // A stored answer may be of another version than the rest of the file.
    response = await remote.fetch(url, { headers, signal: signal ?? null, cache: 'no-store', credentials: 'omit' })
  } catch (cause) {
    if (isAbort(cause) || signal?.aborted) throw cause
    throw unreachable(url, cause, await isForbidden(remote, signal))
  }
  const isPage = /^text\/html\b/i.test(response.headers.get('Content-Type') ?? '')
  const error =
    response.status === 416 || response.ok
      ? response.redirected && isPage
        ? redirectedToPage(url, response.url)
        : null
      : refusedStatus(url, response)
  if (!error) return response
  await response.body?.cancel()
  throw error
}

/** True when the server is there and only does not let this page see its answer. */
async function isForbidden({ fetch, url, corsApplies }: Remote, signal: AbortSignal | undefined): Promise<boolean> {
  if (!corsApplies) return false
  const init: RequestInit = { method: 'HEAD', mode: 'no-cors', credentials: 'omit', signal: signal ?? null }
  return fetch(url, init).then(
    () => true,
    () => false,
  )
}

function versionOf({ headers }: Response): Pick<Remote, 'etag' | 'modified'> {
  return { etag: headers.get('ETag'), modified: headers.get('Last-Modified') }
}

const CONTENT_RANGE = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/

/** The length of the file from the answer to the first request. Throws FileError HT-08, HT-09, HT-11. */
async function lengthOf(response: Response, remote: Remote, signal: AbortSignal | undefined): Promise<number> {
  const { url } = remote
  const refuse = async (error: FileError): Promise<never> => {
    await response.body?.cancel()
    throw error
  }
  const { headers, status } = response
  const encoding = headers.get('Content-Encoding')
  if (encoding && encoding !== 'identity') return refuse(encodedBody(url, encoding))
  const told = headers.get('Content-Range')
  const [, , , total] = CONTENT_RANGE.exec(told ?? '') ?? []
  if (status === 416) return Number(total) === 0 ? 0 : refuse(wrongRange(url, { start: 0, end: READ_AHEAD }, '416'))
  if (status === 206) {
    if (total !== undefined) return Number(total)
    const length = told === null ? await hiddenLength(remote, signal) : null
    if (length !== null) return length
    const found = told ?? 'no Content-Range (a page sees it only where the server exposes it)'
    return refuse(wrongRange(url, { start: 0, end: READ_AHEAD }, found))
  }
  // The whole file: as good as a range where it is no longer than one.
  const bytes = contentLength(headers)
  if (bytes !== null && bytes <= READ_AHEAD) return bytes
  return refuse(withoutRanges(url, bytes))
}

function contentLength(headers: Headers): number | null {
  const text = headers.get('Content-Length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

/**
 * The length as the answer to HEAD tells it, in a page that is not shown Content-Range: Content-Length is shown to every
 * page that may read the file. null where it is not told.
 */
async function hiddenLength(
  { fetch, url, token, corsApplies }: Remote,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  if (!corsApplies) return null
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const init: RequestInit = { method: 'HEAD', headers, signal: signal ?? null, credentials: 'omit' }
  const response = await fetch(url, init).catch((cause: unknown) => {
    if (isAbort(cause) || signal?.aborted) throw cause
    return null
  })
  return response?.ok && !response.headers.get('Content-Encoding') ? contentLength(response.headers) : null
}

async function firstBytes(response: Response, remote: Remote, options: HttpOptions): Promise<Uint8Array> {
  const { byteLength } = remote
  const range = { start: 0, end: Math.min(READ_AHEAD, byteLength) }
  if (response.status === 206) checkRange(response, remote, range)
  const bytes = new Uint8Array(range.end)
  if (response.status === 416) return bytes
  const total = { bytes, filled: 0 }
  const broke = await receive(response, remote, { range, total, options })
  if (broke) await resume(remote, { range, total, options }, broke)
  return bytes
}

/** Bytes [start, end): from the first request where it had them, the rest asked for. */
async function readRange(remote: Remote, head: Uint8Array, range: Range, options: SliceOptions): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(range.end - range.start)
  const known = head.subarray(Math.min(range.start, head.length), Math.min(range.end, head.length))
  bytes.set(known)
  const reading = { range, total: { bytes, filled: known.length }, options }
  if (known.length === bytes.length) return bytes.buffer
  const broke = await attempt(remote, reading)
  if (broke) await resume(remote, reading, broke)
  return bytes.buffer
}

/** A read that may go on after a break: `filled` of its bytes have come. */
interface ReadingRange {
  readonly range: Range
  readonly total: { readonly bytes: Uint8Array; filled: number }
  readonly options: SliceOptions
}

/** Asks for what has not come yet. Returns why it broke, or null when all is there. */
async function attempt(remote: Remote, reading: ReadingRange): Promise<{ cause: unknown } | null> {
  const { range, total, options } = reading
  const rest = { start: range.start + total.filled, end: range.end }
  const response = await request(remote, rest, options.signal)
  checkRange(response, remote, rest)
  return receive(response, remote, reading)
}

/** The second and last try. Throws FileError HT-12 when it breaks too. */
async function resume(remote: Remote, reading: ReadingRange, first: { cause: unknown }): Promise<void> {
  const { range, total } = reading
  const broke = await attempt(remote, reading).catch((cause: unknown) => {
    if (cause instanceof FileError && cause.code === 'HT-02') return { cause }
    throw cause
  })
  if (broke) throw brokenConnection(remote.url, range.start + total.filled, range.end, broke.cause ?? first.cause)
}

/** Throws FileError unless the answer is this range of this version of the file: HT-08 … HT-11. */
function checkRange(response: Response, remote: Remote, { start, end }: Range): void {
  const { url, byteLength } = remote
  const { headers, status } = response
  const refuse = (error: FileError): never => {
    void response.body?.cancel()
    throw error
  }
  const now = versionOf(response)
  if (remote.etag !== null && now.etag !== null && now.etag !== remote.etag) {
    refuse(changedFile(url, 'its ETag', remote.etag, now.etag))
  }
  if (remote.etag === null && remote.modified !== null && now.modified !== null && now.modified !== remote.modified) {
    refuse(changedFile(url, 'its date', remote.modified, now.modified))
  }
  const encoding = headers.get('Content-Encoding')
  if (encoding && encoding !== 'identity') refuse(encodedBody(url, encoding))
  if (status === 200) refuse(withoutRanges(url, null))
  const told = headers.get('Content-Range')
  const [, from, to, total] = CONTENT_RANGE.exec(told ?? '') ?? []
  if (total !== undefined && Number(total) !== byteLength) {
    refuse(changedFile(url, 'its length', grouped(byteLength), grouped(total)))
  }
  // Where a page is not shown the range, the length of the answer has to do.
  const isHidden = told === null && remote.corsApplies === true && contentLength(headers) === end - start
  const isAsked = isHidden || (Number(from) === start && Number(to) === end - 1)
  if (status !== 206 || !isAsked)
    refuse(wrongRange(url, { start, end }, told ?? `status ${status} without Content-Range`))
}

/**
 * Fills in the body as it comes. Returns why the connection broke, null when the range is complete. Throws FileError
 * HT-09 for a body longer than the range.
 */
async function receive(
  response: Response,
  remote: Remote,
  { range, total, options }: ReadingRange,
): Promise<{ cause: unknown } | null> {
  const reader = response.body?.getReader()
  if (!reader) return { cause: new Error('no body') }
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (total.filled + value.length > total.bytes.length) {
        void reader.cancel()
        throw wrongRange(remote.url, range, `${grouped(total.filled + value.length)} bytes or more`)
      }
      total.bytes.set(value, total.filled)
      total.filled += value.length
      options.onBytes?.(total.filled)
    }
  } catch (cause) {
    if (cause instanceof FileError || isAbort(cause) || options.signal?.aborted) throw cause
    return { cause }
  }
  return total.filled === total.bytes.length ? null : { cause: new Error(`${shownUrl(remote.url)}: early end`) }
}
