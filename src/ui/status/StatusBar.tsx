import { Tooltip } from '@mantine/core'
import { gpuAdvice } from '../../store/gpu-advice'
import { adapterName, deviceKind } from '../../store/selectors'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import styles from './Status.module.css'
import { requestsText, useRequests } from './use-requests'
import { useStatusDialogs } from './use-status-dialogs'

/** Adapter, what is kept, and the promise with its witness. */
export function StatusBar() {
  const name = useApp(adapterName)
  const kind = useApp(deviceKind)
  const limit = useApp((state) => state.device.adapter?.maxBufferBytes ?? null)
  const requests = useRequests()
  const { open, dialog } = useStatusDialogs(requests)
  const kept = useApp((state) => Object.keys(state.run.results).length)
  return (
    <footer className={styles.bar}>
      <span className={styles.adapter}>
        <button type="button" className={styles.link} data-test="gpu-details" onClick={() => open('gpu')}>
          {name ?? (kind === 'none' ? 'No GPU' : 'Starting')}
          {limit !== null && ` · buffers to ${byteText(limit)}`}
        </button>
      </span>
      <Network />
      {kind === 'software' && <SoftwareHint />}
      <span>
        {kept} {kept === 1 ? 'result' : 'results'} kept
      </span>
      <Tooltip label="Counted by the browser since the first comparison was complete. Requests to other sites are refused by the page's policy; only an address you open is read, by a worker that has no file.">
        <span data-test="requests">{requestsText(requests)}</span>
      </Tooltip>
      <Tooltip label="Your files are read inside this tab. Nothing is uploaded; the browser is told to refuse it.">
        <button type="button" className={styles.promise} data-test="privacy-button" onClick={() => open('privacy')}>
          Nothing is uploaded
        </button>
      </Tooltip>
      {dialog}
    </footer>
  )
}

function SoftwareHint() {
  const { seen, steps } = gpuAdvice(navigator.userAgent)
  return (
    <Tooltip label={`${seen}: ${steps.join(' ')}`} maw={420}>
      <button type="button" className={styles.hint}>
        software GPU: how to use the real one
      </button>
    </Tooltip>
  )
}

/** That there is no network, and that a newer version waits. */
function Network() {
  const { online, updateWaits } = useApp((state) => state.offline)
  const { startUpdate } = useActions()
  return (
    <span role="status" className={styles.network}>
      {!online && (
        <span className={styles.mark} data-test="offline">
          offline
        </span>
      )}
      {updateWaits && (
        <button type="button" className={styles.hint} data-test="update" onClick={startUpdate}>
          New version, reload
        </button>
      )}
    </span>
  )
}
