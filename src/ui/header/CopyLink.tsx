import { Button, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { useHoverTip } from '../main/use-hover-tip'

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
        data-test="copy-link"
        aria-live="polite"
        aria-description={HELP}
        onClick={() => copy(location.href)}
        {...target}
      >
        {label}
      </Button>
    </Tooltip>
  )
}
