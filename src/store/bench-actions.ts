import { COMMIT } from '../core/version'
import type { BenchEvent } from '../experiment/bench/short-bench'
import type { RunEnd } from '../worker/protocol'
import type { StoreContext } from './context'

export interface BenchActions {
  /**
   * Times kernels on the open device; `browser` is what the report says of it. Nothing of it is kept: rows and report go
   * to `onEvent`. It ends a run that goes on, and a run that starts ends it, as `cancelled`.
   */
  runBench(browser: string, onEvent: (event: BenchEvent) => void): Promise<RunEnd>
  cancelBench(): void
}

export function createBenchActions({ engine }: Pick<StoreContext, 'engine'>): BenchActions {
  let runs = 0
  let current: string | null = null
  return {
    runBench: async (browser, onEvent) => {
      runs += 1
      const id = `bench-${runs}`
      current = id
      try {
        return await engine.runBench(
          id,
          { runtime: browser, commit: COMMIT === '' ? null : COMMIT, load: null },
          onEvent,
        )
      } finally {
        if (current === id) current = null
      }
    },
    cancelBench: () => {
      if (current !== null) void engine.cancel(current)
    },
  }
}
