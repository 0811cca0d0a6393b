import { Button, Tooltip } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'

/** Copies the address, which holds the whole comparison. */
export function CopyLink() {
  const { copy, copied, error } = useClipboard({ timeout: 2000 })
  const label = error ? 'Not copied' : copied ? 'Copied' : 'Copy link'
  return (
    <Tooltip label="Link to this comparison. It holds settings, tensor names and file names. No values.">
      <Button size="xs" variant="default" data-test="copy-link" aria-live="polite" onClick={() => copy(location.href)}>
        {label}
      </Button>
    </Tooltip>
  )
}
