import { Button, Tooltip } from '@mantine/core'
import { lazy, Suspense, useRef, useState } from 'react'
import { Clock } from '../icons'
import { useHoverTip } from '../main/use-hover-tip'
import styles from './RunsButton.module.css'

/** Its code comes when it is first opened. */
const RunsDrawer = lazy(async () => ({ default: (await import('./RunsDrawer')).RunsDrawer }))

const HELP = 'Finished comparisons of this browser: open, compare two, rename, delete.'

/** Opens and closes the list of runs. */
export function RunsButton() {
  const [open, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const { tip, target } = useHoverTip()
  const close = () => {
    setOpen(false)
    button.current?.focus()
  }
  return (
    <>
      <Tooltip label={HELP} position="left" {...tip}>
        <Button
          ref={button}
          size="xs"
          variant="default"
          className={styles.button}
          data-test="runs"
          aria-label="Runs"
          aria-haspopup="dialog"
          aria-expanded={open}
          aria-description={HELP}
          onClick={() => setOpen(!open)}
          {...target}
        >
          <span className={styles.icon}>
            <Clock />
          </span>
          <span className={styles.word}>Runs</span>
        </Button>
      </Tooltip>
      {open && (
        <Suspense fallback={null}>
          <RunsDrawer onClose={close} />
        </Suspense>
      )}
    </>
  )
}
