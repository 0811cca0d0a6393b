import { Button } from '@mantine/core'
import { useId } from 'react'
import { byteText } from '../../store/tensor-rows'
import styles from './export.module.css'
import { useSave } from './use-save'

interface ExportLineProps {
  /** Name of the file. */
  readonly name: string
  readonly hook: string
  readonly contains: string
  readonly without?: string
  /** In bytes; null where it is known only once the file is made. */
  readonly size?: number | null
  readonly make: () => Promise<Blob> | Blob
  /** Why there is nothing to save; null where there is. */
  readonly obstacle?: string | null
  readonly button?: string
}

/** One file: its name, what it holds and what not, its size, and the button that saves it. */
export function ExportLine({ name, hook, contains, without, size, make, obstacle = null, button }: ExportLineProps) {
  const { busy, said, save } = useSave()
  const about = useId()
  return (
    <div className={styles.line}>
      <div className={styles.about} id={about}>
        <p className={styles.name}>
          {name}
          {size !== undefined && size !== null && <span className={styles.size}>{byteText(size)}</span>}
        </p>
        <p>{contains}</p>
        {without && <p className={styles.without}>Not in it: {without}</p>}
        {obstacle !== null && <p className={styles.obstacle}>{obstacle}</p>}
        {said && (
          <p role={said.isError ? 'alert' : 'status'} className={styles.said} data-error={said.isError}>
            {said.text}
          </p>
        )}
      </div>
      <Button
        size="xs"
        variant="default"
        className={styles.save}
        data-test={`export-${hook}`}
        aria-describedby={about}
        disabled={busy || obstacle !== null}
        onClick={() => save(name, make)}
      >
        {busy ? 'Saving' : (button ?? `Save ${name.split('.').at(-1)?.toUpperCase()}`)}
      </Button>
    </div>
  )
}
