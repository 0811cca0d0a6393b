import { expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { gpuDetails } from '../../src/store/gpu-details'
import type { OfflineShell, OfflineSlice } from '../../src/store/offline'
import { FakeEngine, VOCABULARY } from './fake-engine'

function open(forget: () => Promise<void>, calls: string[] = []) {
  let report: (change: Partial<OfflineSlice>) => void = () => undefined
  const offline: OfflineShell = {
    watch: (callback) => {
      report = callback
    },
    startUpdate: () => calls.push('update'),
    forget: async () => {
      calls.push('forget')
      await forget()
    },
  }
  const store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    keptFiles: {
      list: async () => [{ name: 'a.safetensors', byteLength: 8 }],
      keep: async (files) => void calls.push(`keep ${files.length}`),
      open: async () => [],
    },
    offline,
    now: () => 0,
    debounceMs: 0,
  })
  return { store, calls, report: (change: Partial<OfflineSlice>) => report(change) }
}

const nothing = async () => undefined

it('says when the network goes and when a newer version waits, and starts it on request only', () => {
  const { store, calls, report } = open(nothing)
  expect(store.getState().offline).toEqual({ online: true, updateWaits: false, forgotten: null })
  report({ online: false })
  report({ updateWaits: true })
  expect(store.getState().offline).toMatchObject({ online: false, updateWaits: true })
  expect(calls).toEqual([])
  store.actions.startUpdate()
  expect(calls).toEqual(['update'])
})

it('forgets files, runs and what the browser keeps, on the device and on the page', async () => {
  const { store, calls } = open(nothing)
  await Promise.resolve()
  await store.actions.forgetEverything()
  expect(calls).toEqual(expect.arrayContaining(['forget', 'keep 0']))
  expect(store.getState().source.kept).toEqual([])
  expect(store.getState().history.runs ?? []).toEqual([])
  expect(store.getState().offline.forgotten).toBe('done')
})

it('says so where some of it stayed', async () => {
  const { store } = open(() => Promise.reject(new Error('blocked')))
  await store.actions.forgetEverything()
  expect(store.getState().offline.forgotten).toBe('partly')
})

it('names the adapter, what was granted, and the versions', async () => {
  const { store } = open(nothing)
  expect(gpuDetails(store.getState(), 'Browser 1')[0]).toEqual(['Adapter', 'Not open yet.'])
  await store.actions.openDevice()
  const details = Object.fromEntries(gpuDetails(store.getState(), 'Browser 1'))
  expect(details).toMatchObject({
    Adapter: 'Test adapter',
    Vendor: 'test',
    Kind: 'hardware',
    'Largest buffer': '2.1 GB',
    'Threads per group': '256',
    Features: 'shader-f16',
    Kernels: 'products by 8 x 8 registers, blocks by one thread, codes decoded once; default',
    Browser: 'Browser 1',
  })
  expect(details.MXScope).toMatch(/^\d+\.\d+\.\d+/)
})
