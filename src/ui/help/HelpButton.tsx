import { lazy, Suspense, useId, useRef, useState } from 'react'
import styles from './HelpButton.module.css'

/** Its code, and the texts, come when the first one is opened. */
const HelpPopover = lazy(async () => ({ default: (await import('./HelpPopover')).HelpPopover }))

interface HelpButtonProps {
  /** Completes its name: "About QuaRot". */
  readonly about: string
  /** What it explains, the first in full (help/topics.ts). */
  readonly topics: readonly string[]
}

/** A small "?" where a question arises: what this is, when one would change it, what it costs. */
export function HelpButton({ about, topics }: HelpButtonProps) {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()
  return (
    <>
      <button
        ref={button}
        type="button"
        className={styles.button}
        aria-label={`About ${about}`}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        data-test={`help-${topics[0]}`}
        onClick={() => setOpen(!open)}
      >
        <span aria-hidden className={styles.mark}>
          ?
        </span>
      </button>
      {open && (
        <Suspense fallback={null}>
          <HelpPopover id={id} about={about} topics={topics} anchor={button} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
