import { expect, test } from 'vitest'
import type { BenchEvent } from '../../src/experiment/bench/short-bench'
import { createEngine } from '../../src/worker/engine'

/** Dawn crashes when its objects are garbage-collected, so they stay reachable. */
const keep = globalThis as unknown as { mxscopeDawn?: unknown[] }

test('the benchmark of the page reports rows that can cross to it, and ends when it is cancelled', async () => {
  const { create, globals } = await import('webgpu')
  Object.assign(globalThis, globals)
  const gpu = create([]) as GPU
  keep.mxscopeDawn = [...(keep.mxscopeDawn ?? []), gpu]
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  const events: BenchEvent[] = []
  const end = await engine.runBench('bench-1', { runtime: 'test', commit: null, load: null }, (event) => {
    events.push(event)
    void engine.cancel('bench-1')
  })
  expect(end).toEqual({ kind: 'cancelled' })
  // The first group is told as a whole: what any timing consists of at least.
  expect(events.map((event) => event.kind === 'row' && event.row.name)).toEqual([
    ...['empty submit', 'one dispatch', 'copyBufferToBuffer', 'read-back', 'read-back', 'upload'],
  ])
  expect(structuredClone(events)).toEqual(events)
  expect(events.every((event) => event.kind === 'row' && event.row.kind === 'timed' && event.row.cpuMs === null)).toBe(
    true,
  )
}, 240_000)
