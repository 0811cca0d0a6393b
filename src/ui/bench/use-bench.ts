import { useEffect, useState } from 'react'
import type { BenchReport, BenchRow } from '../../experiment/bench/report'
import { useActions } from '../use-app'

/** Where the benchmark of the dialog stands; its rows are there as they come. */
export type BenchState = { readonly rows: readonly BenchRow[] } & (
  | { readonly kind: 'idle' | 'running' | 'stopped' }
  | { readonly kind: 'done'; readonly report: BenchReport }
  | { readonly kind: 'failed'; readonly message: string }
)

/** The benchmark of one dialog: it ends with the dialog. */
export function useBench() {
  const { runBench, cancelBench } = useActions()
  const [state, setState] = useState<BenchState>({ kind: 'idle', rows: [] })
  useEffect(() => cancelBench, [cancelBench])
  const start = async () => {
    setState({ kind: 'running', rows: [] })
    const end = await runBench(navigator.userAgent, (event) =>
      setState(({ rows }) =>
        event.kind === 'row'
          ? { kind: 'running', rows: [...rows, event.row] }
          : { kind: 'done', rows: event.report.rows, report: event.report },
      ),
    )
    if (end.kind === 'cancelled') setState(({ rows }) => ({ kind: 'stopped', rows }))
    if (end.kind === 'failed') setState(({ rows }) => ({ kind: 'failed', rows, message: end.error.message }))
  }
  return { state, start: () => void start(), stop: cancelBench }
}
