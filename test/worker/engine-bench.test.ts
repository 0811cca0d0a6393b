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
    if (event.kind === 'row') void engine.cancel('bench-1')
  })
  expect(end).toEqual({ kind: 'cancelled' })
  // The first group is told as a whole: what any timing consists of at least.
  const rows = events.flatMap((event) => (event.kind === 'row' ? [event.row] : []))
  expect(rows.map(({ name }) => name)).toEqual([
    ...['empty submit', 'one dispatch', 'copyBufferToBuffer', 'read-back', 'read-back', 'upload'],
  ])
  expect(structuredClone(events)).toEqual(events)
  expect(rows.every((row) => row.kind === 'timed' && row.cpuMs === null)).toBe(true)
  const [first] = events
  expect(first).toMatchObject({ kind: 'progress' })
}, 240_000)
