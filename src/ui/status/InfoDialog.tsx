import { CloseButton } from '@mantine/core'
import { type ReactNode, useEffect, useId, useRef } from 'react'
import styles from './InfoDialog.module.css'

interface InfoDialogProps {
  readonly title: string
  readonly hook: string
  /** `wide`: as wide as a table needs. */
  readonly size?: 'wide'
  readonly onClose: () => void
  readonly children: ReactNode
}

/** A sheet over the page that says something and goes with Escape. */
export function InfoDialog({ title, hook, size, onClose, children }: InfoDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      data-test={hook}
      data-size={size}
      aria-labelledby={id}
      // One of a dialog inside it is not its own, though React tells of both.
      onClose={({ target, currentTarget }) => target === currentTarget && onClose()}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        <CloseButton aria-label="Close" data-test={`${hook}-close`} onClick={() => dialog.current?.close()} />
      </div>
      <div className={styles.body}>{children}</div>
    </dialog>
  )
}

/** Names with what belongs to each. */
export function Facts({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
