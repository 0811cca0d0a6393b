/** The benchmark as a page: one function for the program that opened it (src/cli/bench-browser.ts). */
import type { RunBenchPage } from '../src/cli/bench-browser'
import { reportError } from '../src/core/errors'
import type { Peer } from '../src/experiment/bench/peer'
import type { BenchRow } from '../src/experiment/bench/report'
import { runBench } from '../src/experiment/bench/run-bench'
import { openGpu } from '../src/gpu/device'
import { NO_MEMORY, tuneGpu } from '../src/gpu/tuning/tune'

/** What the program that opened the page offers it. */
interface Opener {
  /** CPU milliseconds of all processes of the browser. */
  readCpu(): Promise<number>
  reportRow(row: BenchRow): Promise<void>
  runBenchPage: RunBenchPage
}

/** By how much the CPU time of a process moves on Linux. */
const CPU_STEP_MS = 10

/** Offers runBenchPage; `openPeers` opens the libraries to compare with. */
export function exposeBench(openPeers: () => Promise<readonly Peer[]>): void {
  const opener = globalThis as unknown as Opener
  const clock = {
    now: () => performance.now(),
    cpu: { read: () => opener.readCpu(), stepMs: CPU_STEP_MS },
  }
  opener.runBenchPage = async (request, host) => {
    try {
      const opened = await openGpu(navigator.gpu)
      const gpu = await tuneGpu(opened, { now: clock.now, memory: NO_MEMORY, version: '' })
      const peers = await openPeers()
      const { signal } = new AbortController()
      const onRow = (row: BenchRow) => void opener.reportRow(row)
      return { ok: true, report: await runBench({ ...request, gpu, clock, host, peers, signal, onRow }) }
    } catch (error) {
      return { ok: false, error: reportError(error) }
    }
  }
}
