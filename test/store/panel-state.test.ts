import { beforeEach, expect, it } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { blockedView, firstResult, noTraining } from '../../src/store/panel-state'
import { SAVED } from '../../src/store/saved-layer'
import type { AppState } from '../../src/store/state'
import { VIEWS } from '../../src/store/views'
import { FakeEngine, failure, VOCABULARY } from './fake-engine'

let engine: FakeEngine
let store: AppStore
const later = () => new Promise((resolve) => setTimeout(resolve, 5))

async function open(fragment = '') {
  engine = new FakeEngine()
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await later()
}

const blocked = (change: Partial<AppState> = {}) => blockedView({ ...store.getState(), ...change }, VOCABULARY)

beforeEach(() => open())

it('blocks no view of an open layer with methods and a device', () => {
  for (const { id } of VIEWS) {
    store.actions.setView(id)
    expect(blocked(), id).toBeNull()
  }
})

it('says nothing while the page starts or a file is being read', () => {
  const { source, device, view } = store.getState()
  const none = { ...source, weight: null, files: [], active: null }
  expect(blocked({ source: { ...none, restoring: true } })).toBeNull()
  expect(blocked({ source: { ...none, reading: ['a.safetensors'] } })).toBeNull()
  expect(blocked({ source: none, device: { ...device, status: 'starting' } })).toBeNull()
  expect(blocked({ source: none })?.title).toBe('No layer is open')
  expect(blocked({ source: none, view: { ...view, view: 'formats' } })).toBeNull()
  expect(blocked({ source: none })?.steps).toEqual([
    { kind: 'open-file' },
    { kind: 'built-in', id: 'outliers', label: 'Demo layer' },
  ])
})

it('leads to the list where files are open and no weight is chosen', () => {
  const { source, figure5, view } = store.getState()
  const noWeight = { ...source, weight: null }
  expect(blocked({ source: noWeight })?.steps).toEqual([{ kind: 'choose-weight' }])
  // A matrix of the open files can be looked at without one.
  const look = { ...figure5, look: { ...figure5.look, subject: 'tensor' as const } }
  expect(blocked({ source: noWeight, figure5: look, view: { ...view, view: 'figure5' } })).toBeNull()
})

it('leads from saved results to the layer, in the views that look into it', () => {
  const { source, view } = store.getState()
  const results = { id: 1, fileName: 'results.json', version: '0.1.0', adapter: null, files: [], fragment: 'v=1' }
  const saved = {
    source: { ...source, active: SAVED, weight: null },
    saved: { results } as unknown as AppState['saved'],
  }
  for (const { id, label } of VIEWS) {
    const state = blocked({ ...saved, view: { ...view, view: id } })
    if (id !== 'blocks' && id !== 'figure5') expect(state, id).toBeNull()
    else {
      expect(state?.title).toBe(`The view ${label} looks into the layer itself, which is not open`)
      expect(state?.steps).toEqual([{ kind: 'open-saved-layer' }])
    }
  }
})

it('keeps results on screen when the device is lost, and blocks what has to be read anew', () => {
  engine.finish()
  const { device, view } = store.getState()
  const lost = { ...device, status: 'lost' as const }
  expect(blocked({ device: lost })).toBeNull()
  expect(blocked({ device: lost, view: { ...view, view: 'blocks' } })?.steps).toEqual([{ kind: 'start-device' }])
  expect(blocked({ device: lost, view: { ...view, view: 'formats' } })).toBeNull()
})

it('tells a run that goes on from one that was cancelled and one that stopped', async () => {
  expect(firstResult(store.getState())).toMatchObject({ kind: 'working', steps: [] })
  engine.last.emit({ kind: 'outcome', outcome: failure('quarot') })
  expect(firstResult(store.getState()).text).toBe('So far 1 failed: see the table.')
  await open()
  engine.last.end({ kind: 'cancelled' })
  await later()
  expect(firstResult(store.getState())).toMatchObject({ kind: 'empty', steps: [{ kind: 'run' }] })
  await open()
  engine.last.end({ kind: 'failed', error: { kind: 'input', code: 'IO-01', message: 'x: cannot be read.' } })
  await later()
  expect(firstResult(store.getState())).toMatchObject({
    kind: 'failed',
    title: 'Not computed',
    steps: [{ kind: 'run' }],
  })
})

it('offers a learned method to the Training view where none is chosen', async () => {
  expect(noTraining(store.getState(), VOCABULARY)).toMatchObject({ kind: 'working', steps: [] })
  await open('#m=rtn')
  expect(noTraining(store.getState(), VOCABULARY).steps).toEqual([
    { kind: 'add-method', id: 'flatquant', label: 'FlatQuant' },
  ])
})
