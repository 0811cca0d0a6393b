/** What can go wrong between here and a server, each with its own code and what to do about it. */
import { FileError } from '../core/errors'
import { byteAt, grouped, quoted, shortened, sizeText } from './number-text'

/** The address as messages show it: without query and fragment, where signatures and tokens stand. */
export function shownUrl(url: URL): string {
  return shortened(`${url.origin}${url.pathname}`)
}

/** HT-01 for text that is no address this program reads from. */
export function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  if (isWeb && url.username === '' && url.password === '') return url
  if (isWeb) throw new FileError('HT-01', `address ${quoted(shownUrl(url))}: expected no name and password in it.`)
  const found = url ? `found ${url.protocol}//` : 'found no address'
  throw new FileError('HT-01', `address ${quoted(text)}: expected http:// or https://, ${found}.`)
}

/** HT-02 no answer, HT-03 an answer this page may not read (of a file that is not there too), HT-04 redirects without end. */
export function unreachable(url: URL, cause: unknown, isForbidden: boolean): FileError {
  const shown = shownUrl(url)
  if (isForbidden) {
    const message = 'the server does not allow other pages to read it (CORS), or the file does not exist'
    return new FileError(
      'HT-03',
      `${shown}: ${message}. Check the address, or download the file and open it from there.`,
      { cause },
    )
  }
  const reason = reasonOf(cause)
  if (reason.includes('redirect'))
    return new FileError('HT-04', `${shown}: redirects lead nowhere (${reason}).`, { cause })
  const aside = reason === '' ? '' : ` (${reason})`
  return new FileError('HT-02', `${shown}: no answer${aside}. Check the address and the connection.`, { cause })
}

/** The system's own word for it, where there is one: ECONNREFUSED. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return ''
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}

/** HT-04 when a redirect ends at a page: usually a form to sign in. */
export function redirectedToPage(url: URL, target: string): FileError {
  const where = URL.canParse(target) ? shownUrl(new URL(target)) : 'another address'
  return new FileError('HT-04', `${shownUrl(url)}: expected the file, was redirected to a web page at ${where}.`)
}

/** HT-05 not allowed, HT-06 not there, HT-07 any other refusal. */
export function refusedStatus(url: URL, { status, statusText }: Response): FileError {
  const shown = shownUrl(url)
  const found = `${status}${statusText ? ` ${statusText}` : ''}`
  if (status === 401 || status === 403) {
    const message = `reading is not allowed (${found}). Private and gated files need an access token`
    return new FileError('HT-05', `${shown}: ${message}; a signed address may have expired.`)
  }
  if (status === 404 || status === 410) return new FileError('HT-06', `${shown}: no such file (${found}).`)
  const advice = status === 429 ? 'too many requests' : status >= 500 ? 'a fault of the server' : 'the server refuses'
  return new FileError('HT-07', `${shown}: expected the bytes, found ${found}: ${advice}. Try again later.`)
}

/** HT-08: the server sends whole files only. */
export function withoutRanges(url: URL, byteLength: number | null): FileError {
  const size = byteLength === null ? 'the whole file' : `the whole file, ${sizeText(byteLength)}`
  const message = `expected a part of the file (206), the server sends ${size}. It does not support range requests`
  return new FileError('HT-08', `${shownUrl(url)}: ${message}; download the file and open it from there.`)
}

/** HT-09: the answer is not the range that was asked for. */
export function wrongRange(url: URL, { start, end }: { start: number; end: number }, found: string): FileError {
  const expected = `expected bytes ${grouped(start)}–${grouped(end - 1)}`
  return new FileError('HT-09', `${shownUrl(url)}: ${expected}, found ${shortened(found)}.`)
}

/** HT-10: another version of the file. */
export function changedFile(url: URL, what: string, before: string, now: string): FileError {
  const change = `${what} was ${shortened(before)}, is ${shortened(now)}`
  return new FileError('HT-10', `${shownUrl(url)}: the file has changed since it was opened: ${change}. Open it again.`)
}

/** HT-11: ranges of a compressed stream are no ranges of the file. */
export function encodedBody(url: URL, encoding: string): FileError {
  const message = `expected the bytes as they are, found Content-Encoding ${quoted(encoding)}`
  return new FileError('HT-11', `${shownUrl(url)}: ${message}. Download the file and open it from there.`)
}

/** HT-12: the connection broke twice. */
export function brokenConnection(url: URL, at: number, end: number, cause: unknown): FileError {
  const message = `the connection broke at ${byteAt(at)}, ${sizeText(end - at)} before the end, and again after that`
  return new FileError('HT-12', `${shownUrl(url)}: ${message}. Try again.`, { cause })
}
