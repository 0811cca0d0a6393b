/** The benchmark as the page runs it. */
import type { ComparisonContext } from '../run-comparison'
import type { HostFacts } from './environment'
import { type BenchProgress, shortBench } from './options'
import type { BenchReport, BenchRow } from './report'
import { runBench } from './run-bench'

export type BenchEvent =
  | { readonly kind: 'row'; readonly row: BenchRow }
  | { readonly kind: 'progress'; readonly progress: BenchProgress }
  | { readonly kind: 'report'; readonly report: BenchReport }

/** Runs the short suite, by wall time: a page cannot read the processor's. Throws what runBench throws. */
export async function runShortBench(
  host: HostFacts,
  { gpu, signal, now }: ComparisonContext,
  onEvent: (event: BenchEvent) => void,
): Promise<void> {
  const request = shortBench(gpu.adapter.isSoftware)
  const onRow = (row: BenchRow) => onEvent({ kind: 'row', row })
  const onProgress = (progress: BenchProgress) => onEvent({ kind: 'progress', progress })
  const clock = { now, cpu: null }
  const report = await runBench({ ...request, gpu, clock, host, peers: [], signal, onRow, onProgress })
  onEvent({ kind: 'report', report })
}
