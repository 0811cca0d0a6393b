/** The list of open files: what each is, and what is wrong with it. */
import type { LinkNote } from './link-notes'
import { remember } from './remember'
import { visibleFiles } from './selection'
import type { OpenFile } from './state'
import { byteText } from './tensor-rows'

export interface FileLine {
  readonly id: string
  readonly name: string
  /** All there is to say about where it is. */
  readonly title: string
  /** "4 files, 291 tensors, 16 GB" */
  readonly amount: string
  readonly notes: readonly LinkNote[]
}

/** Notes of one file that are shown; the rest is counted. */
const NOTES_SHOWN = 3

const counted = (count: number, noun: string) => `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

/** The user's files as they stand on screen, and an index whose files are not open. */
export const fileLines = remember((files: readonly OpenFile[]): readonly FileLine[] => {
  const joined = new Set(files.flatMap(({ parts }) => parts))
  const indices = files.filter(({ id, kind }) => kind === 'index' && !joined.has(id))
  return [...visibleFiles({ files, active: 'user' }), ...indices].map((file) => lineOf(file))
})

function lineOf(file: OpenFile): FileLine {
  const { id, kind, name, url, tensors, byteLength, shards, refusals } = file
  const open = shards?.shards.filter(({ isOpen }) => isOpen).map((shard) => shard.name) ?? []
  const sizes = [counted(tensors.length, 'tensor'), byteText(byteLength)]
  const amount =
    kind === 'index'
      ? `names ${counted(shards?.shards.length ?? 0, 'file')}`
      : [...(kind === 'checkpoint' ? [counted(open.length, 'file')] : []), ...sizes].join(', ')
  const refused = refusals.map(({ name: tensor, error: { code, message } }) => ({
    code,
    message: message.includes(tensor) ? message : `"${tensor}": ${message}`,
  }))
  const all = [...(kind === 'index' ? [absentNote(file)] : []), ...(shards?.notes ?? []), ...refused]
  const left = all.length - NOTES_SHOWN
  const more =
    left > 0 ? [{ code: all[NOTES_SHOWN].code, message: `And ${left.toLocaleString('en-US')} more notes.` }] : []
  return {
    id,
    name,
    title: url ?? (open.length > 0 ? open.join(', ') : name),
    amount: url === null ? amount : `${amount}, ${new URL(url).host}`,
    notes: [...all.slice(0, NOTES_SHOWN), ...more],
  }
}

/** IX-03 of an index alone: the files it names are asked for. */
function absentNote({ shards }: OpenFile): LinkNote {
  const names = shards?.shards.map(({ name }) => name) ?? []
  const shown = names.slice(0, NOTES_SHOWN).join(', ')
  const more = names.length > NOTES_SHOWN ? ` and ${names.length - NOTES_SHOWN} more` : ''
  const total = shards?.tensorsTotal ?? 0
  return {
    code: 'IX-03',
    message: `Open the files it names to read their ${counted(total, 'tensor')}: ${shown}${more}.`,
  }
}
