/** The benchmark as the page runs it. */
import type { ComparisonContext } from '../run-comparison'
import type { HostFacts } from './environment'
import { shortBench } from './options'
import type { BenchReport, BenchRow } from './report'
import { runBench } from './run-bench'

export type BenchEvent =
  | { readonly kind: 'row'; readonly row: BenchRow }
  | { readonly kind: 'report'; readonly report: BenchReport }

/** Runs the short suite, by wall time: a page cannot read the processor's. Throws what runBench throws. */
export async function runShortBench(
  host: HostFacts,
  { gpu, signal, now }: ComparisonContext,
  onEvent: (event: BenchEvent) => void,
): Promise<void> {
  const request = shortBench(gpu.adapter.isSoftware)
  const onRow = (row: BenchRow) => onEvent({ kind: 'row', row })
  const report = await runBench({ ...request, gpu, clock: { now, cpu: null }, host, peers: [], signal, onRow })
  onEvent({ kind: 'report', report })
}
