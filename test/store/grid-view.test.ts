import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SETTINGS } from '../../src/experiment/settings'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { gridCells, gridEstimate } from '../../src/store/grid-view'
import { FakeEngine, failure, VOCABULARY } from './fake-engine'

let engine: FakeEngine
let store: AppStore
const settle = () => vi.advanceTimersByTimeAsync(20)

const cells = () => gridCells(store.getState(), VOCABULARY)
const statuses = () => Object.fromEntries(cells().map(({ entry, status }) => [entry.id, status]))

async function open(fragment: string) {
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  engine.finish()
  await settle()
}

beforeEach(async () => {
  vi.useFakeTimers()
  engine = new FakeEngine()
  await open('#m=rtn&view=grid')
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the cells of the grid', () => {
  it('computes what is asked for and only that', async () => {
    expect(engine.runs).toHaveLength(1)
    expect(statuses()).toMatchObject({ rtn: 'live', quarot: 'missing', flatquant: 'missing' })
    store.actions.askCells(['quarot'])
    await settle()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot'])
    expect(statuses()).toMatchObject({ quarot: 'waiting', flatquant: 'missing' })
    engine.last.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' })
    expect(statuses().quarot).toBe('running')
    engine.finish()
    await settle()
    expect(statuses()).toMatchObject({ rtn: 'live', quarot: 'live', flatquant: 'missing' })
    // The comparison itself is what it was.
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['rtn'])
  })

  it('is asked again under another setting; what was computed is still there on the way back', async () => {
    store.actions.askCells(['quarot', 'flatquant'])
    await settle()
    engine.finish()
    await settle()
    const [w8a8, , w4a4] = SETTINGS
    store.actions.setSetting(w8a8)
    await settle()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['rtn'])
    engine.finish()
    await settle()
    expect(statuses()).toMatchObject({ rtn: 'live', quarot: 'missing', flatquant: 'missing' })
    const runs = engine.runs.length
    store.actions.setSetting(w4a4)
    await settle()
    expect(engine.runs).toHaveLength(runs)
    expect(statuses()).toMatchObject({ quarot: 'live', flatquant: 'live' })
  })

  it('keeps a failure with its reason until it is asked again', async () => {
    store.actions.askCells(['quarot'])
    await settle()
    engine.last.emit({ kind: 'outcome', outcome: failure('quarot', 'W4A4') })
    engine.last.end({ kind: 'done' })
    await settle()
    expect(statuses().quarot).toBe('failed')
    store.actions.retryCell('quarot')
    await settle()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot'])
    engine.finish()
    await settle()
    expect(statuses().quarot).toBe('live')
  })

  it('estimates what is missing from its row and column, and not where a row is unknown', () => {
    const [known, ...others] = cells()
    expect(gridEstimate(cells())).toBeNull()
    const alike = others.map((cell) => ({ ...cell, entry: { ...cell.entry, row: known.entry.row, column: 'other' } }))
    expect(gridEstimate([known, ...alike])).toBeCloseTo((alike.length * 420) / 1000)
    expect(gridEstimate([known])).toBe(0)
  })
})
