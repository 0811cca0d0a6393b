/** Model repositories of the Hugging Face Hub: which files they have, and where. */
import { FileError, InputError } from '../core/errors'
import { refusedStatus, shownUrl, unreachable } from './http-errors'
import type { HttpOptions } from './http-source'
import { grouped, quoted } from './number-text'

export const HUB_URL = 'https://huggingface.co'

/** A repository at a revision, or one file of it. */
export interface RepositoryName {
  /** "org/name" */
  readonly id: string
  /** A branch, tag or commit. */
  readonly revision: string
  /** A file inside it; null for the repository itself. */
  readonly path: string | null
}

/** A file of a repository that can be opened. `index` and `config` are the JSON files that go with weights. */
export interface RepositoryFile {
  /** Inside the repository: "model-00001-of-00004.safetensors". */
  readonly path: string
  readonly kind: 'safetensors' | 'npy' | 'index' | 'config'
  readonly byteLength: number
  readonly url: string
}

/** Files in natural order of their paths. */
export interface RepositoryListing {
  readonly id: string
  readonly revision: string
  readonly files: readonly RepositoryFile[]
}

/** Entries of a repository that are looked at; beyond that it is no model. */
const MAX_ENTRIES = 50_000

const ID = /^[\w-][\w.-]{0,95}(\/[\w-][\w.-]{0,95})?$/
const REVISION = /^[\w-][\w./-]{0,199}$/

/**
 * What `text` names: "org/name", "org/name@revision", or an address of the Hub, of a repository or of a file in it; null
 * for anything else. An id without a slash must be announced as one, "hf:gpt2".
 */
export function parseRepository(text: string): RepositoryName | null {
  const trimmed = text.trim()
  const address = URL.canParse(trimmed) ? new URL(trimmed) : null
  if (address && (address.host === 'huggingface.co' || address.host === 'hf.co')) return fromAddress(address)
  const announced = trimmed.startsWith('hf:')
  const [id, revision = 'main', ...rest] = (announced ? trimmed.slice(3) : trimmed).split('@')
  const isName = ID.test(id) && REVISION.test(revision) && rest.length === 0 && !`${id}/${revision}`.includes('..')
  return isName && (announced || id.includes('/')) ? { id, revision, path: null } : null
}

/** huggingface.co/org/name[/tree/revision], /blob or /resolve/revision/path; data sets and spaces are not models. */
function fromAddress({ pathname }: URL): RepositoryName | null {
  const words = pathname.split('/').filter((word) => word !== '')
  if (['datasets', 'spaces', 'docs', 'papers', 'api', 'models', 'collections'].includes(words[0] ?? '')) return null
  const at = words.findIndex((word, i) => i > 0 && ['tree', 'blob', 'resolve'].includes(word))
  const id = words.slice(0, at < 0 ? 2 : at).join('/')
  const decoded = words.slice(at < 0 ? words.length : at + 1).map(decodedWord)
  const [revision = 'main', ...path] = decoded
  if (!ID.test(id) || !REVISION.test(revision) || [...path, id, revision].some((word) => word.includes('..')))
    return null
  const isFile = at >= 0 && words[at] !== 'tree' && path.length > 0
  return { id, revision, path: isFile ? path.join('/') : null }
}

function decodedWord(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}

/** Where a file of a repository is read from. */
export function fileUrl({ id, revision }: Pick<RepositoryName, 'id' | 'revision'>, path: string, hubUrl = HUB_URL) {
  const encoded = path.split('/').map(encodeURIComponent).join('/')
  return `${hubUrl}/${id}/resolve/${encodeURIComponent(revision)}/${encoded}`
}

/**
 * The weights, indices and configs of a repository, folders included. Throws InputError HB-01 for text that names none,
 * FileError HB-02 when there is no such repository or it is private, HB-03 when it has nothing to open, and HT-02 … HT-07
 * of the requests.
 */
export async function listRepository(
  text: string,
  options: HttpOptions & { readonly hubUrl?: string },
): Promise<RepositoryListing> {
  const name = parseRepository(text)
  if (!name) {
    const expected = 'expected org/name, org/name@revision or an address of huggingface.co'
    throw new InputError('HB-01', `repository: ${expected}, found ${quoted(text)}.`)
  }
  const { id, revision } = name
  const hubUrl = options.hubUrl ?? HUB_URL
  const { listFiles } = await import('@huggingface/hub')
  const files: RepositoryFile[] = []
  let entries = 0
  const listing = listFiles({
    repo: { type: 'model', name: id },
    revision: encodeURIComponent(revision),
    recursive: true,
    hubUrl,
    fetch: hubFetch(name, hubUrl, options),
    ...(options.token === undefined ? {} : { accessToken: options.token }),
  })
  for await (const { type, path, size } of listing) {
    if (++entries > MAX_ENTRIES) {
      throw new FileError('HB-03', `${id}: expected at most ${grouped(MAX_ENTRIES)} files, found more.`)
    }
    const kind = type === 'file' ? kindOf(path) : null
    if (kind) files.push({ path, kind, byteLength: size, url: fileUrl(name, path, hubUrl) })
  }
  if (!files.some(({ kind }) => kind === 'safetensors' || kind === 'npy')) {
    const found = `found ${entries === 1 ? 'one file' : `${grouped(entries)} files`} of other kinds`
    throw new FileError('HB-03', `${id}@${revision}: expected a .safetensors or .npy file, ${found}.`)
  }
  const order = new Intl.Collator('en', { numeric: true })
  return { id, revision, files: files.sort((a, b) => order.compare(a.path, b.path)) }
}

function kindOf(path: string): RepositoryFile['kind'] | null {
  if (/\.safetensors$/i.test(path)) return 'safetensors'
  if (/\.npy$/i.test(path)) return 'npy'
  if (/\.safetensors\.index\.json$/i.test(path)) return 'index'
  return /(^|\/)config\.json$/i.test(path) ? 'config' : null
}

/** fetch for the Hub's client: our errors, our signal, and no request with a token to another origin. */
function hubFetch({ id, revision }: RepositoryName, hubUrl: string, options: HttpOptions): typeof fetch {
  const { fetch, signal } = options
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.origin !== new URL(hubUrl).origin) {
      throw new FileError('HT-04', `${shownUrl(url)}: expected the list to go on at ${hubUrl}.`)
    }
    const response = await fetch(url, { ...init, credentials: 'omit', signal: signal ?? null }).catch(
      (cause: unknown) => {
        throw signal?.aborted ? cause : unreachable(url, cause, false)
      },
    )
    if (response.ok) return response
    await response.body?.cancel()
    // The Hub does not tell the private from the absent.
    if (response.status === 401 || response.status === 404) {
      const message = 'no such repository or revision, or it is private or gated and needs an access token'
      throw new FileError('HB-02', `${id}@${revision}: ${message} (${response.status}).`)
    }
    throw refusedStatus(url, response)
  }
}
