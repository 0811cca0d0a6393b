/** What the page says about a link it could not follow to the letter, by code (docs/errors.md). */
import type { OpenFile } from './state'
import type { LinkSource } from './url'

/** A calm remark about a link. `code` is its anchor in docs/errors.md. */
export interface LinkNote {
  readonly code: string
  readonly message: string
}

export type FileSource = Extract<LinkSource, { kind: 'file' }>

const fileText = ({ name, byteLength, headerHash }: Pick<FileSource, 'name' | 'byteLength' | 'headerHash'>) =>
  `"${name}" (${byteLength.toLocaleString('en-US')} bytes, header ${headerHash || 'not recorded'})`

/** LK-01: the link on screen was made with files that are not open. */
export function waitingNote(wanted: readonly FileSource[]): LinkNote {
  const named = wanted.map((file) => {
    const { name, byteLength, url } = file
    return url === null
      ? fileText(file)
      : `"${name}" at ${new URL(url).host} (${byteLength.toLocaleString('en-US')} bytes)`
  })
  const that = wanted.length > 1 ? 'those files' : 'that file'
  return {
    code: 'LK-01',
    message: `This link was made with ${named.join(' and ')}. Open ${that} to restore it; nothing is computed until then.`,
  }
}

/** LK-02 for every file that bears the name a link gives but has another header. */
export function otherFileNotes(pairs: readonly { wanted: FileSource; file: OpenFile }[]): readonly LinkNote[] {
  return pairs
    .filter(({ wanted, file }) => isOther(wanted.headerHash, file.headerHash))
    .map(({ wanted, file }) => ({
      code: 'LK-02',
      message: `"${file.name}" is open, but it is another file than the link was made with: expected header ${wanted.headerHash}, found ${file.headerHash}. Settings are applied, results may differ.`,
    }))
}

/** LK-04: other files were opened than those the link was made with. */
export function insteadNote(wanted: readonly FileSource[], opened: readonly OpenFile[]): LinkNote {
  const linked = wanted.map(fileText).join(' and ')
  const message = `The link was made with ${linked}; this is ${opened.map(fileText).join(' and ')}. The link's settings are applied; its numbers were of another file.`
  return { code: 'LK-04', message }
}

/** LK-03: keys of a link that are not known or hold values that do not exist here; empty when there are none. */
export function ignoredNotes(keys: readonly string[]): readonly LinkNote[] {
  if (keys.length === 0) return []
  const named = [...new Set(keys)].join(', ')
  const message = `Parts of this link are not known here and were ignored: ${named}. The page's own choice is used instead.`
  return [{ code: 'LK-03', message }]
}

const isOther = (wanted: string, found: string) => wanted !== '' && found !== '' && wanted !== found

/** The open file a link means: of its address, else of that name and header, else of that header, else of that name. Null when none is. */
export function findWanted(files: readonly OpenFile[], wanted: FileSource): OpenFile | null {
  const own = files.filter(({ builtIn }) => builtIn === null)
  const named = own.filter(({ name }) => name === wanted.name)
  const sameHeader = ({ headerHash }: OpenFile) => headerHash !== '' && headerHash === wanted.headerHash
  const sameAddress = ({ url }: OpenFile) => url !== null && url === wanted.url
  return own.find(sameAddress) ?? named.find(sameHeader) ?? own.find(sameHeader) ?? named.at(-1) ?? null
}
