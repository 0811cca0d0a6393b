import { Button, CloseButton } from '@mantine/core'
import { waitingNote } from '../../store/link-notes'
import { awaitedFiles } from '../../store/link-restore'
import { useActions, useApp } from '../use-app'
import styles from './LayerSection.module.css'

/** LK-01: the link on screen was made with files that are not open. Nothing is asked of a server without a click. */
export function LinkRequest() {
  const waiting = useApp((state) => state.source.pendingLink !== null)
  const awaited = useApp((state) => awaitedFiles(state.source))
  const { dismissLink, openUrls } = useActions()
  if (!waiting) return null
  const { code, message } = waitingNote(awaited)
  const urls = awaited.flatMap(({ url }) => url ?? [])
  const hosts = [...new Set(urls.map((url) => new URL(url).host))]
  return (
    <div className={styles.problem} data-test={`banner-${code}`}>
      <strong>{code}</strong> {message}
      {urls.length > 0 && (
        <Button size="compact-xs" variant="default" data-test="open-linked" onClick={() => void openUrls(urls)}>
          Open from {hosts.join(' and ')}
        </Button>
      )}
      <CloseButton className={styles.close} size="xs" aria-label="Do not wait for the file" onClick={dismissLink} />
    </div>
  )
}
