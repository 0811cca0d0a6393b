import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { gpuAdvice } from '../../store/gpu-advice'
import { countRequests } from '../../store/request-count'
import { adapterName, deviceKind, pageState } from '../../store/selectors'
import { byteText } from '../../store/tensor-rows'
import { useApp } from '../use-app'
import styles from './Status.module.css'

/** Adapter, what is kept, and the promise with its witness. */
export function StatusBar() {
  const name = useApp(adapterName)
  const kind = useApp(deviceKind)
  const limit = useApp((state) => state.device.adapter?.maxBufferBytes ?? null)
  const kept = useApp((state) => Object.keys(state.run.results).length)
  return (
    <footer className={styles.bar}>
      <span className={styles.adapter}>
        {name ?? (kind === 'none' ? 'No GPU' : 'Starting')}
        {limit !== null && ` · buffers to ${byteText(limit)}`}
      </span>
      {kind === 'software' && <SoftwareHint />}
      <span>
        {kept} {kept === 1 ? 'result' : 'results'} kept
      </span>
      <Requests />
      <Tooltip label="Your files are read inside this tab. Nothing is uploaded; the browser is told to refuse it.">
        <span className={styles.promise}>Nothing is uploaded</span>
      </Tooltip>
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

/** Counts from the moment the first comparison is on screen: the page, its code and its layer are loaded by then. */
function Requests() {
  const loaded = useApp((state) => pageState(state) === 'ready' || pageState(state) === 'error')
  const [since, setSince] = useState(false)
  const [count, setCount] = useState({ total: 0, elsewhere: 0 })
  useEffect(() => {
    if (loaded) setSince(true)
  }, [loaded])
  useEffect(() => (since ? countRequests((total, elsewhere) => setCount({ total, elsewhere })) : undefined), [since])
  const where = count.total === 0 ? '' : `, ${count.elsewhere} to other sites`
  return (
    <Tooltip label="Counted by the browser since the first comparison was complete. Requests to other sites are refused by the page's policy; only an address you open is read, by a worker that has no file.">
      <span data-test="requests">
        {count.total} {count.total === 1 ? 'request' : 'requests'} since load{where}
      </span>
    </Tooltip>
  )
}
