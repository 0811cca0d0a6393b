import { Button } from '@mantine/core'
import { useEffect, useState } from 'react'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import { Facts, InfoDialog } from './InfoDialog'
import styles from './InfoDialog.module.css'
import { type RequestCount, requestsText } from './use-requests'

interface PrivacyDialogProps {
  readonly requests: RequestCount
  readonly onClose: () => void
}

/** What leaves the machine, what the browser is told to refuse, and what is kept on the device. */
export function PrivacyDialog({ requests, onClose }: PrivacyDialogProps) {
  return (
    <InfoDialog title="Nothing is uploaded" hook="privacy" onClose={onClose}>
      <p>
        <strong>What leaves this machine: nothing.</strong> Files are read and computed on inside this tab.
      </p>
      <h3>What the browser is told to refuse</h3>
      <ul>
        <li>Connections to any other site, from the page and from the worker that holds the weights.</li>
        <li>Scripts, fonts, frames and images from elsewhere, and sending forms.</li>
      </ul>
      <p>
        When you open an address or a repository, a second worker that has no file asks that server for byte ranges. The
        counter counts them: <span data-test="privacy-requests">{requestsText(requests)}</span>.
      </p>
      <h3>What is kept on this device</h3>
      <Kept />
      <Forget />
    </InfoDialog>
  )
}

function Kept() {
  const files = useApp((state) => state.source.kept.length)
  const runs = useApp((state) => state.history.runs?.length ?? 0)
  const bytes = useStorage()
  return (
    <Facts
      facts={[
        ['Settings, theme', 'In the address of the page. Nothing is stored.'],
        ['Table', 'Which columns you chose, and the model of the Paper column.'],
        [
          'Files',
          files === 0
            ? 'None.'
            : `What leads to ${files} ${files === 1 ? 'file' : 'files'} of the last visit, where you opened ${files === 1 ? 'it' : 'them'} by picking or dropping. No contents.`,
        ],
        ['Runs', runs === 0 ? 'None.' : `${runs} finished: settings, numbers and curves. No weights.`],
        ['Kernels', 'Which are fastest on this GPU, once measured.'],
        ['The page', 'Its own files and the built-in layers used, so that it works offline.'],
        [
          'In all',
          bytes === null ? 'This browser does not say.' : `${byteText(bytes)} for this site, as the browser counts.`,
        ],
      ]}
    />
  )
}

/** Bytes that the browser keeps for this site; null where it does not say. */
function useStorage(): number | null {
  const forgotten = useApp((state) => state.offline.forgotten)
  const [bytes, setBytes] = useState<number | null>(null)
  // Asked again when something was forgotten.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer depends on what was forgotten
  useEffect(() => {
    void navigator.storage?.estimate?.().then(
      ({ usage }) => setBytes(usage ?? null),
      () => undefined,
    )
  }, [forgotten])
  return bytes
}

function Forget() {
  const forgotten = useApp((state) => state.offline.forgotten)
  const { forgetEverything } = useActions()
  const said = {
    done: 'Cleared. The next visit starts with nothing, and needs the network once.',
    partly: 'Not all of it could be cleared. The browser’s own settings for this site can.',
  }
  return (
    <div className={styles.buttons}>
      <Button size="xs" variant="default" data-test="forget-everything" onClick={() => void forgetEverything()}>
        Forget everything
      </Button>
      <span role="status">{forgotten && said[forgotten]}</span>
    </div>
  )
}
