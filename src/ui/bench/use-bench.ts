import { useEffect, useRef, useState } from 'react'
import type { BenchProgress } from '../../experiment/bench/options'
import type { BenchReport, BenchRow } from '../../experiment/bench/report'
import { useActions } from '../use-app'

/** How far a benchmark is, and since when, in ms of the page's clock. */
export interface BenchPace {
  readonly startedMs: number
  /** null before the first timing. */
  readonly progress: BenchProgress | null
  /** When the stage began that `progress` is of. */
  readonly stageMs: number
  readonly nowMs: number
}

/** Where the benchmark of the dialog stands; its rows are there as they come. */
export type BenchState = { readonly rows: readonly BenchRow[] } & (
  | { readonly kind: 'idle' }
  /** By its button, or by a run that the page had to start. */
  | { readonly kind: 'stopped'; readonly by: 'button' | 'page' }
  | { readonly kind: 'running'; readonly pace: BenchPace }
  | { readonly kind: 'done'; readonly report: BenchReport; readonly elapsedMs: number }
  | { readonly kind: 'failed'; readonly message: string }
)

const paceNow = (nowMs: number): BenchPace => ({ startedMs: nowMs, progress: null, stageMs: nowMs, nowMs })

function advance(pace: BenchPace, progress: BenchProgress, nowMs: number): BenchPace {
  const before = pace.progress
  const isNew = before !== null && (progress.group !== before.group || progress.stage !== before.stage)
  // A stage begins where the one before it had its last step.
  return { ...pace, progress, stageMs: isNew ? pace.nowMs : pace.stageMs, nowMs }
}

/** The benchmark of one dialog: it ends with the dialog. */
export function useBench() {
  const { runBench, cancelBench } = useActions()
  const [state, setState] = useState<BenchState>({ kind: 'idle', rows: [] })
  const isStopped = useRef(false)
  useEffect(() => cancelBench, [cancelBench])
  const start = async () => {
    isStopped.current = false
    let pace = paceNow(performance.now())
    setState({ kind: 'running', rows: [], pace })
    const end = await runBench(navigator.userAgent, (event) => {
      const nowMs = performance.now()
      if (event.kind === 'report') {
        const { report } = event
        return setState({ kind: 'done', rows: report.rows, report, elapsedMs: nowMs - pace.startedMs })
      }
      if (event.kind === 'progress') pace = advance(pace, event.progress, nowMs)
      const news = event.kind === 'row' ? [event.row] : []
      setState(({ rows }) => ({ kind: 'running', rows: [...rows, ...news], pace }))
    })
    const by = isStopped.current ? 'button' : 'page'
    if (end.kind === 'cancelled') setState(({ rows }) => ({ kind: 'stopped', by, rows }))
    if (end.kind === 'failed') setState(({ rows }) => ({ kind: 'failed', rows, message: end.error.message }))
  }
  const stop = () => {
    isStopped.current = true
    cancelBench()
  }
  return { state, start: () => void start(), stop }
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`

/** "Part 2 of 5, timing 57 of 164: about 40 s left of that, 23 s so far." */
export function paceText({ startedMs, progress, stageMs, nowMs }: BenchPace): string {
  if (progress === null) return 'Starting.'
  const { group, groups, stage, done, total } = progress
  const left = ((nowMs - stageMs) * (total - done)) / done
  const estimate = left > 0 ? `about ${seconds(left)} left of that, ` : ''
  return `Part ${group} of ${groups}, ${stage} ${done} of ${total}: ${estimate}${seconds(nowMs - startedMs)} so far.`
}
