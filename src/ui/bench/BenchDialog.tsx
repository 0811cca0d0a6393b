import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { BENCH_SCHEMA } from '../../experiment/bench/against'
import { InfoDialog } from '../status/InfoDialog'
import styles from '../status/InfoDialog.module.css'
import { useApp } from '../use-app'
import { BenchTable } from './BenchTable'
import { type BenchState, useBench } from './use-bench'

/** Times kernels on this GPU, and gives the numbers away as JSON. */
export function BenchDialog({ onClose }: { readonly onClose: () => void }) {
  const { state, start, stop } = useBench()
  const obstacle = useApp(({ device, run }) => {
    if (device.status !== 'ready') return 'No GPU is open.'
    return run.phase === 'idle' ? null : 'A comparison is running; wait until it is done.'
  })
  const { copy, copied } = useClipboard()
  const isRunning = state.kind === 'running'
  return (
    <InfoDialog title="Benchmark this GPU" hook="bench" onClose={onClose}>
      <p>
        Times each kernel beside a plain copy or a naive product, by wall time, in about half a minute. Results are
        checked first. Nothing leaves this page.
      </p>
      <div className={styles.buttons}>
        {isRunning ? (
          <Button size="xs" variant="default" data-test="bench-stop" onClick={stop}>
            Stop
          </Button>
        ) : (
          <Button size="xs" data-test="bench-start" disabled={obstacle !== null} onClick={start}>
            {state.kind === 'idle' ? 'Start' : 'Start again'}
          </Button>
        )}
        {state.kind === 'done' && (
          <Button
            size="xs"
            variant="default"
            data-test="bench-copy"
            onClick={() => copy(JSON.stringify({ schema: BENCH_SCHEMA, ...state.report }, null, 2))}
          >
            {copied ? 'Copied' : 'Copy JSON'}
          </Button>
        )}
        <span role="status" data-test="bench-status">
          {!isRunning && obstacle !== null ? obstacle : saying(state)}
        </span>
      </div>
      {state.rows.length > 0 && <BenchTable rows={state.rows} />}
    </InfoDialog>
  )
}

function saying(state: BenchState): string {
  switch (state.kind) {
    case 'idle':
      return ''
    case 'running':
      return state.rows.length === 0 ? 'Starting.' : `${state.rows.length} rows so far.`
    case 'done':
      return `${state.rows.length} rows.`
    case 'stopped':
      return 'Stopped: by you, or by something the page had to compute.'
    case 'failed':
      return state.message
    default:
      return state satisfies never
  }
}
