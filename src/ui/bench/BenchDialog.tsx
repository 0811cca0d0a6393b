import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { BENCH_SCHEMA } from '../../experiment/bench/against'
import { shortBench } from '../../experiment/bench/options'
import { formatBenchHeader, formatBenchMarkdown } from '../../experiment/bench/report'
import { adapterName } from '../../store/selectors'
import { InfoDialog } from '../status/InfoDialog'
import styles from '../status/InfoDialog.module.css'
import { useApp } from '../use-app'
import { BenchTable } from './BenchTable'
import { type BenchState, paceText, useBench } from './use-bench'

/** Times kernels on this GPU, and gives the numbers away as JSON and as a table. */
export function BenchDialog({ onClose }: { readonly onClose: () => void }) {
  const { state, start, stop } = useBench()
  const obstacle = useApp(({ device, run }) => {
    if (device.status !== 'ready') return 'No GPU is open.'
    return run.phase === 'idle' ? null : 'A comparison is running; wait until it is done.'
  })
  const isRunning = state.kind === 'running'
  return (
    <InfoDialog title="Benchmark this GPU" hook="bench" size="wide" onClose={onClose}>
      <p>
        Times quantizers, rotations, reductions and f32 products beside a plain copy or a naive product, by wall time,
        in about half a minute where nothing else runs. Results are checked first. Packed products, GPTQ and training
        are in <code>mxscope bench</code>. Nothing leaves this page.
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
        <CopyButtons state={state} />
        <span role="status" data-test="bench-status">
          {!isRunning && obstacle !== null ? obstacle : saying(state)}
        </span>
      </div>
      {state.rows.length > 0 && (
        <>
          <Reading />
          <BenchTable rows={state.rows} />
        </>
      )}
    </InfoDialog>
  )
}

/** The whole report as JSON; what there is of its rows as a table, also of one that was stopped. */
function CopyButtons({ state }: { readonly state: BenchState }) {
  const json = useClipboard()
  const table = useClipboard()
  const adapter = useApp(adapterName)
  const heads = () =>
    state.kind === 'done'
      ? formatBenchHeader(state.report)
      : [`adapter: ${adapter}`, 'ended before all rows were timed']
  return (
    <>
      {state.kind === 'done' && (
        <Button
          size="xs"
          variant="default"
          data-test="bench-copy"
          onClick={() => json.copy(JSON.stringify({ schema: BENCH_SCHEMA, ...state.report }, null, 2))}
        >
          {json.copied ? 'Copied' : 'Copy JSON'}
        </Button>
      )}
      {state.kind !== 'running' && state.rows.length > 0 && (
        <Button
          size="xs"
          variant="default"
          data-test="bench-copy-table"
          onClick={() => table.copy(formatBenchMarkdown(heads(), state.rows))}
        >
          {table.copied ? 'Copied' : 'Copy table'}
        </Button>
      )}
    </>
  )
}

/** How its columns are to be read. */
function Reading() {
  const rounds = useApp(({ device }) => shortBench(device.adapter?.isSoftware ?? false).rounds)
  return (
    <p className={styles.small} data-test="bench-reading">
      Each × is the median of {rounds} ratios, one per round, so not the quotient of the times shown. GB/s counts the
      bytes read and written.
    </p>
  )
}

function saying(state: BenchState): string {
  switch (state.kind) {
    case 'idle':
      return ''
    case 'running':
      return paceText(state.pace)
    case 'done':
      return `${state.rows.length} rows in ${Math.ceil(state.elapsedMs / 1000)} s.`
    case 'stopped':
      return state.by === 'button' ? 'Stopped by you.' : 'Stopped: the page had something else to compute.'
    case 'failed':
      return state.message
    default:
      return state satisfies never
  }
}
