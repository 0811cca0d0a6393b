import { beforeEach, describe, expect, it } from 'vitest'
import type { TensorStatistics } from '../../src/experiment/tensor-statistics'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { fragmentOf } from '../../src/store/link-actions'
import { layerChoice } from '../../src/store/result-keys'
import { edgeRange, movedEdge, rowSplit } from '../../src/store/row-range'
import { tensorFacts } from '../../src/store/tensor-facts'
import { FakeEngine, VOCABULARY } from './fake-engine'

let engine: FakeEngine

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}

beforeEach(() => {
  engine = new FakeEngine()
})

describe('the rows', () => {
  const rows = (store: AppStore) => {
    const split = rowSplit(store.getState())
    if (split === null) throw new Error('no rows')
    return split
  }

  it('are all of the tensor at first, the later half held out', async () => {
    const store = await opened()
    expect(rows(store)).toEqual({ total: 32, start: 0, split: 16, end: 32, isFixed: false })
  })

  it('move by each boundary, as far as it may go', async () => {
    const store = await opened()
    const move = (edge: 'start' | 'split' | 'end', row: number) =>
      store.actions.setRows(movedEdge(rows(store), edge, row))
    move('start', 8)
    expect(rows(store)).toMatchObject({ start: 8, split: 20, end: 32 })
    move('end', 28)
    expect(rows(store)).toMatchObject({ start: 8, split: 18, end: 28 })
    move('split', 25)
    expect(rows(store)).toMatchObject({ start: 8, split: 25, end: 28 })
    expect(layerChoice(store.getState())).toMatchObject({ firstToken: 8, tokens: 20, heldOutShare: 0.15 })
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe('v=1&eval=0.15&rows=8-28')
    move('split', 0)
    expect(rows(store).split).toBe(edgeRange(rows(store), 'split')[0])
    expect(store.getState().source.heldOutShare).toBeLessThanOrEqual(0.8)
    move('split', 28)
    expect(rows(store)).toMatchObject({ split: 28, end: 28 })
    expect(store.getState().source.heldOutShare).toBe(0)
    move('end', 99)
    expect(store.getState().source.tokens).toBeNull()
    move('start', 99)
    expect(rows(store)).toMatchObject({ start: 30, end: 32 })
  })

  it('put where a long tensor is split stay exactly there', async () => {
    const long = { total: 100_000, start: 0, split: 50_000, end: 100_000, isFixed: false }
    for (const row of [20_001, 33_333, 77_777, 99_999]) {
      const { heldOutShare } = movedEdge(long, 'split', row) as { heldOutShare: number }
      expect(100_000 - Math.round(heldOutShare * 100_000)).toBe(row)
    }
  })

  it('of generated activations are all used', async () => {
    const store = await opened('#a=syn,t64,o2x9&rows=8-16')
    expect(rows(store)).toEqual({ total: 64, start: 0, split: 32, end: 64, isFixed: true })
    expect(layerChoice(store.getState())).toMatchObject({ firstToken: 0, tokens: null })
  })
})

describe('details of a tensor', () => {
  const STATISTICS: TensorStatistics = {
    elements: 4096,
    minimum: -0.5,
    maximum: 1.25,
    mean: 0.00001234,
    standardDeviation: 0.02,
    kurtosis: 3.2,
    channelMax: Float32Array.of(0.25, 1.25, 0.5),
    nonFinite: { nan: 2, positiveInfinity: 1, negativeInfinity: 0, firstIndex: 77 },
  }
  const details = (store: AppStore) => Object.values(store.getState().source.details)

  it('are computed when they are opened, and an answer that comes too late is dropped', async () => {
    const store = await opened()
    const ref = { fileId: 'file-1', tensor: 'q_proj.weight' }
    store.actions.toggleDetails(ref)
    expect(details(store)).toEqual([{ kind: 'reading' }])
    store.actions.toggleDetails(ref)
    expect(details(store)).toEqual([])
    expect(engine.cancelled).toContain('description-1')
    engine.descriptions[0].answer({ ok: true, value: STATISTICS })
    await settle()
    expect(details(store)).toEqual([])
    store.actions.toggleDetails(ref)
    engine.descriptions[1].answer({ ok: true, value: STATISTICS })
    await settle()
    expect(details(store)).toEqual([{ kind: 'ready', statistics: STATISTICS }])
  })

  it('say why there are none', async () => {
    const store = await opened()
    store.actions.toggleDetails({ fileId: 'file-1', tensor: 'q_proj.weight' })
    const error = { kind: 'gpu', code: 'GP-04', message: 'lost' } as const
    engine.descriptions[0].answer({ ok: false, error })
    await settle()
    expect(details(store)).toEqual([{ kind: 'failed', error }])
  })

  it('are short text', () => {
    expect(tensorFacts(STATISTICS).map(({ label, value }) => `${label} ${value}`)).toEqual([
      'Minimum −0.5000',
      'Maximum 1.250',
      'Mean 1.234e−5',
      'Std 0.02000',
      'Kurtosis 3.200',
      'Elements 4,096',
      'Largest channel 1: max |x| 1.250',
      'Not finite 2 NaN, 1 Inf, first at 77',
    ])
  })
})
