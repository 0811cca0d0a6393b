import { Button, Tooltip } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'
import { Share } from '../icons'
import { useHoverTip } from '../main/use-hover-tip'
import styles from './ExportButton.module.css'

/** Its code comes when it is first opened. */
const ExportDialog = lazy(async () => ({ default: (await import('./ExportDialog')).ExportDialog }))

const HELP = 'The quantized layer, a recipe, results, figures or a report as files (key e).'

/** Opens the export dialog, as the key e does. */
export function ExportButton() {
  const [open, setOpen] = useState(false)
  const { tip, target } = useHoverTip()
  return (
    <>
      <Tooltip label={HELP} position="left" {...tip}>
        <Button
          size="xs"
          variant="default"
          className={styles.button}
          data-test="export"
          aria-keyshortcuts="e"
          aria-haspopup="dialog"
          aria-label="Export"
          aria-description={HELP}
          onClick={() => setOpen(true)}
          {...target}
        >
          <span className={styles.icon}>
            <Share />
          </span>
          <span className={styles.word}>Export</span>
        </Button>
      </Tooltip>
      {open && (
        <Suspense fallback={null}>
          <ExportDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  )
}
