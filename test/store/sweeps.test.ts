import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import type { MethodResult } from '../../src/experiment/result'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { betterPreScales, betterValues } from '../../src/store/better-values'
import { fragmentOf } from '../../src/store/link-actions'
import { pageState } from '../../src/store/selectors'
import { drawnSweep, sweepChoices, sweepModel } from '../../src/store/sweeps'
import { W4A4 } from '../figures/fixtures'
import { FakeEngine, VOCABULARY } from './fake-engine'

const vocabulary = { ...VOCABULARY, methods: METHOD_CATALOG }
const ERRORS = { rtn: 0.2, smoothquant: 0.15, awq: 0.16, 'low-rank': 0.1 }

let engine: FakeEngine

/** A page on which a comparison has ended, unless `finished` is false. */
async function opened(fragment: string, finished = true): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  if (finished) {
    engine.finish(ERRORS)
    await settle()
  }
  return store
}

const settle = () => vi.advanceTimersByTimeAsync(30)
const modelOf = (store: AppStore) => {
  const model = sweepModel(store.getState(), vocabulary)
  if (!model) throw new Error('no parameter')
  return model
}
const phaseOf = (store: AppStore) => store.getState().sweeps.phase

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('what can be swept', () => {
  it('is every numeric option of a shown method, and the calibration tokens of all', async () => {
    const store = await opened('#m=rtn,smoothquant,-awq,low-rank')
    const choices = sweepChoices(store.getState()).map(({ key, methods }) => [key, methods])
    expect(choices).toEqual([
      ['alpha', ['smoothquant']],
      ['rank', ['low-rank']],
      ['tokens', ['smoothquant', 'low-rank']],
    ])
  })

  it('is nothing where no shown method has the parameter of the link', async () => {
    const store = await opened('#m=rtn&sw=alpha')
    expect(sweepModel(store.getState(), vocabulary)).toBeNull()
  })
})

describe('a sweep', () => {
  it('asks for one method after the other and keeps the points as they come', async () => {
    const store = await opened('#m=rtn,smoothquant(alpha=0.35),scaled-hadamard&sw=alpha', false)
    engine.finish({ ...ERRORS, 'scaled-hadamard': 0.1 })
    await settle()
    store.actions.runSweep()
    const { request } = engine.lastSweep
    expect(request.method).toEqual({ id: 'smoothquant', options: { alpha: 0.35 } })
    expect(request.parameter).toBe('alpha')
    expect(request.setting.id).toBe('W4A4')
    // The value in use is among them.
    expect(request.values).toEqual([0, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    expect(pageState(store.getState())).toBe('computing')
    engine.sweepPoints(3)
    expect(modelOf(store)).toMatchObject({ done: 3, total: 23, running: 'smoothquant', stale: null })
    engine.sweepPoints()
    await settle()
    expect(engine.lastSweep.request.method.id).toBe('scaled-hadamard')
    engine.sweepPoints()
    await settle()
    expect(modelOf(store)).toMatchObject({ done: 23, total: 23, running: null })
    expect(phaseOf(store)).toBe('idle')
    expect(pageState(store.getState())).toBe('ready')
    expect(drawnSweep(modelOf(store)).lines.map(({ inUse }) => inUse)).toEqual([0.35, 0.3])
  })

  it('computes nothing twice, and only the methods that are new', async () => {
    const store = await opened('#m=rtn,smoothquant&sw=alpha')
    store.actions.runSweep()
    engine.sweepPoints()
    await settle()
    store.actions.runSweep()
    await settle()
    expect(engine.sweeps).toHaveLength(1)
    // Another value of the swept option changes what is in use, not what was computed.
    store.actions.setMethodOption('smoothquant', 'alpha', 0.7)
    expect(modelOf(store)).toMatchObject({ stale: null, inUse: [0.7], done: 11 })
  })

  it('waits for the comparison, gives way to the next one, and goes on where it was', async () => {
    const store = await opened('#m=rtn,smoothquant&view=sweeps&sw=alpha', false)
    expect(phaseOf(store)).toBe('waiting')
    expect(engine.sweeps).toHaveLength(0)
    engine.finish(ERRORS)
    await settle()
    expect(engine.sweeps).toHaveLength(1)
    engine.sweepPoints(4)
    store.actions.toggleMethod('awq')
    await settle()
    // The engine ends a run when another one starts.
    engine.lastSweep.end({ kind: 'cancelled' })
    await settle()
    expect(phaseOf(store)).toBe('waiting')
    engine.finish(ERRORS)
    await settle()
    expect(engine.sweeps).toHaveLength(2)
    expect(engine.lastSweep.request.values).toEqual([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    engine.sweepPoints()
    await settle()
    expect(modelOf(store).lines[0].points).toHaveLength(11)
    expect(phaseOf(store)).toBe('idle')
  })

  it('is stale under another setting, stops, and is not mixed with what is computed then', async () => {
    const store = await opened('#m=rtn,smoothquant&sw=alpha')
    store.actions.runSweep()
    engine.sweepPoints(2)
    store.actions.setSetting(VOCABULARY.settings[0])
    expect(engine.cancelled).toContain('sweep-1')
    await settle()
    engine.finish(ERRORS)
    await settle()
    expect(engine.sweeps).toHaveLength(1)
    expect(phaseOf(store)).toBe('idle')
    expect(modelOf(store)).toMatchObject({ stale: 'Demo layer, W4A4', done: 0 })
    expect(modelOf(store).lines[0].points).toHaveLength(2)
    store.actions.runSweep()
    engine.sweepPoints(1)
    expect(modelOf(store)).toMatchObject({ stale: null, done: 1 })
    expect(modelOf(store).lines[0].points).toHaveLength(1)
    // What the sweep before still tells belongs to its own setting.
    expect(engine.lastSweep.request.setting.id).toBe('W8A8')
  })

  it('can be cancelled and continued; a value that failed is tried again', async () => {
    const store = await opened('#m=rtn,smoothquant&sw=alpha')
    store.actions.runSweep()
    const error = { kind: 'input', code: 'MD-01', message: 'no' } as const
    engine.lastSweep.emit({ kind: 'point', point: { value: 0, calibration: null, evaluation: null, error } })
    store.actions.cancelSweep()
    expect(phaseOf(store)).toBe('cancelling')
    await settle()
    expect(store.getState().sweeps).toMatchObject({ phase: 'idle', end: { kind: 'cancelled' } })
    expect(modelOf(store).done).toBe(1)
    store.actions.runSweep()
    expect(engine.lastSweep.request.values).toHaveLength(11)
  })

  it('says why it failed', async () => {
    const store = await opened('#m=rtn,smoothquant&sw=alpha')
    store.actions.runSweep()
    const error = { kind: 'gpu', code: 'GP-04', message: 'lost' } as const
    engine.lastSweep.end({ kind: 'failed', error })
    await settle()
    expect(store.getState().sweeps).toMatchObject({ phase: 'idle', end: { kind: 'failed', error } })
    store.actions.runSweep()
    engine.lastSweep.end({ kind: 'done' })
    await settle()
    expect(store.getState().sweeps.end).toMatchObject({ kind: 'failed', error: { code: 'BUG' } })
  })

  it('over tokens takes the calibration rows there are', async () => {
    const store = await opened('#m=rtn,smoothquant&sw=tokens')
    store.actions.runSweep()
    expect(engine.lastSweep.request.method.id).toBe('smoothquant')
    expect(engine.lastSweep.request.values).toEqual([16])
    engine.sweepPoints()
    // How many rows there are is no option of a method.
    expect(betterValues(modelOf(store))).toEqual([])
  })

  it('over ranks ends at the smaller side of the weight, where a larger rank in use comes to', async () => {
    const store = await opened('#m=rtn,low-rank(rank=200)&sw=rank')
    store.actions.runSweep()
    expect(engine.lastSweep.request.values).toEqual([0, 4, 8, 16, 32, 64])
    engine.sweepPoints()
    await settle()
    expect(modelOf(store)).toMatchObject({ inUse: [64], done: 6, total: 6 })
  })

  it('offers the best value where a reader sees that it beats the one in use', async () => {
    const store = await opened('#m=rtn,smoothquant(alpha=0.9)&sw=alpha')
    store.actions.runSweep()
    engine.sweepPoints()
    await settle()
    // Errors of 0.14 at 0.9 and 0.1 at 0.5.
    expect(betterValues(modelOf(store))).toEqual([{ method: 'smoothquant', value: 0.5, gainDb: 2.9 }])
    store.actions.setMethodOption('smoothquant', 'alpha', 0.5)
    expect(betterValues(modelOf(store))).toEqual([])
    store.actions.setSetting(VOCABULARY.settings[0])
    expect(modelOf(store).stale).not.toBeNull()
    expect(betterValues(modelOf(store))).toEqual([])
  })

  it('has its parameter in the link', async () => {
    const store = await opened('#m=rtn,smoothquant&view=sweeps')
    expect(fragmentOf(store.getState(), vocabulary)).not.toContain('sw=')
    store.actions.runSweep()
    expect(fragmentOf(store.getState(), vocabulary)).toBe('v=1&m=rtn,smoothquant&view=sweeps&sw=alpha')
  })
})

describe('factors of the pre-scale that beat the one in use', () => {
  const [rtn, quarot, flatquant] = W4A4
  const swept = (result: MethodResult, outputSqnrDb: readonly number[], change: Partial<MethodResult> = {}) => {
    if (!result.scaleAnalysis) throw new Error('the fixture has an analysis')
    const preScaleSweep = { variant: 'exact' as const, values: [0.5, 0.75, 1], outputSqnrDb }
    return { ...result, ...change, scaleAnalysis: { ...result.scaleAnalysis, preScaleSweep } }
  }

  it('are offered once for the methods they are best for, most methods first', () => {
    const results = [swept(rtn, [15, 14, 13]), swept(quarot, [10, 11, 12]), swept(flatquant, [10, 11, 12])]
    expect(betterPreScales(results)).toEqual([
      { factor: 1, variant: 'exact', methods: ['QuaRot', 'FlatQuant'] },
      { factor: 0.5, variant: 'exact', methods: ['RTN'] },
    ])
  })

  it('are none where the one in use is as good as a reader sees, or nothing was swept', () => {
    expect(betterPreScales([swept(rtn, [14.01, 14, 13]), swept(quarot, [14, 14, Number.NaN])])).toEqual([])
    expect(betterPreScales([{ ...rtn, scaleAnalysis: null }])).toEqual([])
    const off = swept(rtn, [12, 13, 14], { preScale: null })
    expect(betterPreScales([off])).toEqual([])
    const exact = swept(rtn, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 14])
    expect(betterPreScales([exact])).toEqual([])
    expect(betterPreScales([swept(rtn, [Number.POSITIVE_INFINITY, 13, 14])])).toHaveLength(1)
  })
})
