import { Button } from '@mantine/core'
import { byteText } from '../../store/tensor-rows'
import type { ReadingProgress } from '../../worker/protocol'
import styles from './LayerSection.module.css'

interface TransferProps {
  readonly hook: string
  /** "model.safetensors" */
  readonly what: string
  /** null until the first bytes have come. */
  readonly progress: ReadingProgress | null
  readonly onCancel: () => void
}

/** Bytes that come from a server, and the way to stop them. */
export function Transfer({ hook, what, progress, onCancel }: TransferProps) {
  const bytes = progress ? `${byteText(progress.done)} of ${byteText(progress.total)}` : 'waiting for the server'
  const share = progress && progress.total > 0 ? progress.done / progress.total : 0
  return (
    <div className={styles.transfer} data-test={hook}>
      <span className={styles.name} title={what} role="status">
        Reading {what}
      </span>
      <span className={styles.amount}>{bytes}</span>
      <Button size="compact-xs" variant="default" onClick={onCancel}>
        Cancel
      </Button>
      <progress className={styles.bar} value={share} max={1} aria-label={`Reading ${what}`} />
    </div>
  )
}
