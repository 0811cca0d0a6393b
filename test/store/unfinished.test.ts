import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { tiles } from '../../src/store/selectors'
import { cancelledText, noTrainingText, unfinishedTrainings } from '../../src/store/unfinished'
import { FakeEngine, result, VOCABULARY } from './fake-engine'

let engine: FakeEngine

/** A page whose first run has started. */
async function opened() {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file.split('/')[1]),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink('')])
  await settle()
  return store
}

const statuses = (store: Awaited<ReturnType<typeof opened>>) =>
  Object.fromEntries(tiles(store.getState()).map(({ method, status }) => [method.id, status]))
const settle = () => vi.advanceTimersByTimeAsync(20)

/** Reports of FlatQuant's training, a step each. */
function learn(losses: readonly number[], start = true): void {
  if (start) engine.last.emit({ kind: 'started', method: 'flatquant', setting: 'W4A4' })
  losses.forEach((loss, done) => {
    const progress = { stage: 'FlatQuant', done, total: 120, loss }
    engine.last.emit({ kind: 'progress', method: 'flatquant', setting: 'W4A4', progress })
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => {
  vi.useRealTimers()
})

it('keeps the curve of the method that was learning until it runs again', async () => {
  const store = await opened()
  const curves = () => unfinishedTrainings(store.getState(), VOCABULARY)
  engine.last.emit({ kind: 'outcome', outcome: result('rtn') })
  learn([0.5, 0.3, 0.2])
  const curve = { method: 'flatquant', setting: 'W4A4', state: 'running', losses: [0.5, 0.3, 0.2], steps: 120 }
  expect(curves()).toEqual([curve])
  store.actions.cancel()
  await settle()
  expect(statuses(store)).toEqual({ rtn: 'live', quarot: 'waiting', flatquant: 'cancelled' })
  const { cancelled } = tiles(store.getState())[2]
  expect(cancelled && cancelledText(cancelled)).toBe('cancelled at step 2 of 120')
  const kept = { ...curve, state: 'cancelled' }
  expect(curves()).toEqual([kept])
  store.actions.setSeed(1)
  expect(curves()).toEqual([])
  store.actions.setSeed(0)
  expect(curves()).toEqual([kept])
  store.actions.run()
  expect(curves()).toEqual([])
  expect(statuses(store).flatquant).toBe('waiting')
})

it('keeps no curve of a run that a changed control replaced, nor of a method that does not learn', async () => {
  const store = await opened()
  learn([0.5])
  store.actions.setSeed(1)
  await settle()
  store.actions.setSeed(0)
  await settle()
  expect(unfinishedTrainings(store.getState(), VOCABULARY)).toEqual([])
  engine.last.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' })
  store.actions.cancel()
  await settle()
  expect(statuses(store).quarot).toBe('cancelled')
  expect(unfinishedTrainings(store.getState(), VOCABULARY)).toEqual([])
})

it('begins a new curve where a method trains again', async () => {
  const store = await opened()
  learn([0.5, 0.4])
  learn([0.3], false)
  expect(unfinishedTrainings(store.getState(), VOCABULARY)[0].losses).toEqual([0.3])
})

it('says in the Training view what it waits for', async () => {
  const store = await opened()
  const text = () => noTrainingText(store.getState(), VOCABULARY)
  expect(text()).toBe('Waiting for FlatQuant.')
  learn([])
  expect(text()).toBe('FlatQuant is preparing; its curve begins with the first step.')
  store.actions.cancel()
  await settle()
  expect(text()).toBe('No training of FlatQuant has taken a step.')
  store.actions.showMethod('flatquant', false)
  expect(text()).toBe('None of the chosen methods is learned. Learned are FlatQuant.')
})
