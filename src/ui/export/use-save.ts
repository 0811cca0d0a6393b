import { useState } from 'react'
import { reportError } from '../../core/errors'
import { saveFile } from './save-file'

export interface Saving {
  readonly busy: boolean
  /** What became of the last file; null before the first. */
  readonly said: { readonly isError: boolean; readonly text: string } | null
  readonly save: (name: string, make: () => Promise<Blob> | Blob) => void
}

/** Saves one file at a time and says what became of it. */
export function useSave(): Saving {
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState<Saving['said']>(null)
  const save = (name: string, make: () => Promise<Blob> | Blob) => {
    setBusy(true)
    setSaid(null)
    saveFile(name, make)
      .then(
        (outcome) => setSaid(outcome === 'saved' ? { isError: false, text: `Saved ${name}` } : null),
        (error) => setSaid({ isError: true, text: `${name} was not saved: ${reportError(error).message}` }),
      )
      .finally(() => setBusy(false))
  }
  return { busy, said, save }
}
