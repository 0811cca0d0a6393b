import { openAsBlob } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { createEngine } from '../../src/worker/engine'
import type { RunEvent } from '../../src/worker/protocol'
import { VOCABULARY } from '../store/fake-engine'
import { testNavigatorGpu } from '../support/gpu'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

test('a device lost in the middle of a run costs the method that was cut, and no other', async () => {
  const gpu = await testNavigatorGpu()
  const engine = createEngine({ gpu: () => gpu, now: () => performance.now() })
  ends.push(() => engine.loseDevice())
  const events: RunEvent[] = []
  let hear: (event: RunEvent) => void = () => undefined
  const observed: typeof engine = {
    ...engine,
    run: (id, choice, request, onEvent) =>
      engine.run(id, choice, request, (event) => {
        events.push(event)
        onEvent(event)
        hear(event)
      }),
  }
  const path = new URL('../golden/layers/layer-a.safetensors', import.meta.url)
  const file = new File([await openAsBlob(path)], 'layer-a.safetensors')
  const environment = { vocabulary: VOCABULARY, fetchLayer: async () => file, now: () => 0, debounceMs: 0 }
  const store = createAppStore(observed, environment)
  const { actions } = store
  await actions.openFiles([file])
  actions.setTokens(64)
  actions.setMethods(['rtn', 'quarot', 'flatquant'])
  actions.setMethodOption('flatquant', 'steps', 15)
  const kinds = () => Object.values(store.getState().run.results).map(({ method, kind }) => `${method} ${kind}`)
  const lost = new Promise<void>((resolve) => {
    hear = (event) => {
      if (event.kind !== 'progress' || event.method !== 'flatquant') return
      hear = () => undefined
      void engine.loseDevice().then(resolve)
    }
  })
  // No run starts before there is a device.
  await actions.openDevice()
  await lost
  await vi.waitFor(() => expect(store.getState().device.status).toBe('lost'), { timeout: 20_000 })
  expect(store.getState().run.runId).toBeNull()
  expect(kinds()).toEqual(['rtn result', 'quarot result'])
  const kept = store.getState().run.results
  await actions.openDevice()
  await vi.waitFor(() => expect(kinds()).toHaveLength(3), { timeout: 50_000 })
  expect(kinds()[2]).toBe('flatquant result')
  for (const [key, outcome] of Object.entries(kept)) expect(store.getState().run.results[key]).toBe(outcome)
  const started = events.flatMap((event) => (event.kind === 'started' ? [event.method] : []))
  expect(started).toEqual(['rtn', 'quarot', 'flatquant', 'flatquant'])
})
