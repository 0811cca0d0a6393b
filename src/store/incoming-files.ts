/** Which of the files that were dropped or picked are opened: a folder of a model holds many that are not ours. */
import type { LinkNote } from './link-notes'

/** What a page can open, by name. */
const OURS = /\.(safetensors|npy)$|\.safetensors\.index\.json$|^config\.json$/i

/** Files that belong to a model and hold no tensors; they are left alone without a word. */
const COMPANIONS =
  /^(\.|tokenizer|special_tokens|added_tokens|vocab|merges|generation_config|preprocessor|chat_template|quantize_config|hf_quant_config|recipe|readme|licen[sc]e|notice|use_policy)|\.(md|txt|jinja|py|model)$/i

/** Names that are told; the rest is counted. */
const NAMED = 3

export interface SortedFiles {
  readonly ours: readonly File[]
  /** IO-04: what was left out; null when nothing is worth a word. */
  readonly note: LinkNote | null
}

/**
 * A single file is always tried, whatever it is called: its bytes decide. Of several those are opened whose names say
 * that they are ours, or, where none is, the first, so that it is said what it is.
 */
export function sortFiles(files: readonly File[]): SortedFiles {
  if (files.length < 2) return { ours: files, note: null }
  const named = files.filter(({ name }) => OURS.test(name))
  const tensors = named.filter(({ name }) => !/^config\.json$/i.test(name))
  const ours = tensors.length > 0 ? named : files.slice(0, 1)
  const left = files.filter((file) => !ours.includes(file) && !COMPANIONS.test(file.name) && !OURS.test(file.name))
  if (left.length === 0) return { ours, note: null }
  const names = left.slice(0, NAMED).map(({ name }) => `"${name}"`)
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : ''
  const message = `Not opened: ${names.join(', ')}${more}. Expected .safetensors, .npy or a .safetensors.index.json.`
  return { ours, note: { code: 'IO-04', message } }
}
