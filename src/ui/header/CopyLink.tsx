import { Button, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { Chain, Check } from '../icons'
import { useHoverTip } from '../main/use-hover-tip'
import styles from './Header.module.css'

const HELP = 'Link to this comparison. It holds settings, tensor names and file names. No values.'

/** Copies the address, which holds the whole comparison. Its tooltip stands beside it: below is the line it would cover. */
export function CopyLink() {
  const { copy, copied, error } = useClipboard({ timeout: 2000 })
  const { tip, target } = useHoverTip()
  const label = error ? 'Not copied' : copied ? 'Copied' : 'Copy link'
  return (
    <Tooltip label={HELP} position="left" {...tip}>
      <Button
        size="xs"
        variant="default"
        className={styles.button}
        data-test="copy-link"
        aria-keyshortcuts="s"
        aria-live="polite"
        aria-description={HELP}
        onClick={() => copy(location.href)}
        {...target}
      >
        <span className={styles.icon}>{copied ? <Check /> : <Chain />}</span>
        <span className={styles.word}>{label}</span>
      </Button>
    </Tooltip>
  )
}
