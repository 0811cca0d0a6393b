import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { banners } from '../../src/store/banners'
import { outcomeKey } from '../../src/store/result-keys'
import { analysedResults, missingText, scaleModels } from '../../src/store/scale-models'
import { runProgress, tiles } from '../../src/store/selectors'
import { FACTS, FakeEngine, failure, result, VOCABULARY } from './fake-engine'

let engine: FakeEngine
const settle = () => vi.advanceTimersByTimeAsync(20)

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}

const asked = () => engine.runs.map(({ request }) => request.scaleAnalysis)
const drawn = (store: AppStore) => analysedResults(scaleModels(store.getState()), 'live').map(({ method }) => method)

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the scale analysis', () => {
  it('is asked for when the Scales view is opened, and not before', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    expect(asked()).toEqual([false])
    expect(drawn(store)).toEqual([])
    store.actions.setView('scales')
    await settle()
    expect(asked()).toEqual([false, true])
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(runProgress(store.getState(), VOCABULARY)).toEqual({ done: 0, total: 3 })
    // What was computed without it stays on screen meanwhile.
    expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
    engine.finish()
    await settle()
    expect(drawn(store)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(engine.runs).toHaveLength(2)
  })

  it('serves the other views too: nothing is computed again', async () => {
    const store = await opened('#view=scales')
    engine.finish()
    await settle()
    store.actions.setView('distribution')
    store.actions.run()
    await settle()
    expect(asked()).toEqual([true])
    expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['live', 'live', 'live'])
  })

  it('replaces a run that goes on without it', async () => {
    const store = await opened()
    const [first] = engine.runs
    store.actions.setView('scales')
    await settle()
    expect(engine.cancelled).toEqual([first.id])
    expect(asked()).toEqual([false, true])
  })

  it('lets a run that was asked for it finish for another view', async () => {
    const store = await opened('#view=scales')
    store.actions.setView('distribution')
    store.actions.run()
    await settle()
    expect(engine.cancelled).toEqual([])
    engine.finish()
    await settle()
    expect(asked()).toEqual([true])
  })

  it('is missing from an engine that was asked for it: our own error, said once', async () => {
    const store = await opened('#view=scales')
    const { request, emit, end } = engine.last
    emit({ kind: 'layer', layer: FACTS })
    for (const { id } of request.methods) emit({ kind: 'outcome', outcome: result(id) })
    end({ kind: 'done' })
    await settle()
    expect(banners(store.getState())).toMatchObject([{ code: 'BUG' }])
    expect(engine.runs).toHaveLength(1)
  })

  it('stays on screen as stale until its successor comes, on the same layer only', async () => {
    const store = await opened('#view=scales')
    engine.finish()
    await settle()
    const statuses = () => scaleModels(store.getState()).map(({ status }) => status)
    store.actions.setBlockSize(64)
    await settle()
    expect(statuses()).toEqual(['stale', 'stale', 'stale'])
    expect(analysedResults(scaleModels(store.getState()), 'stale')).toHaveLength(3)
    engine.finish()
    await settle()
    expect(statuses()).toEqual(['live', 'live', 'live'])
    await store.actions.openBuiltIn('plain')
    await settle()
    expect(statuses()).toEqual(['waiting', 'waiting', 'waiting'])
  })

  it('says where each method stands', async () => {
    const store = await opened('#view=scales')
    expect(scaleModels(store.getState())[0]).toEqual({ method: 'rtn', status: 'waiting', text: 'Waiting' })
    engine.last.emit({ kind: 'started', method: 'rtn', setting: 'W4A4' })
    const progress = { stage: 'scales', done: 2, total: 20 }
    engine.last.emit({ kind: 'progress', method: 'rtn', setting: 'W4A4', progress })
    expect(scaleModels(store.getState())[0]).toEqual({
      method: 'rtn',
      status: 'running',
      text: 'Computing, scales 2 of 20',
    })
    engine.last.emit({ kind: 'outcome', outcome: failure('rtn') })
    expect(scaleModels(store.getState())[0]).toMatchObject({ status: 'failed', text: 'MD-01 width 1000 does not fit.' })
    expect(missingText(scaleModels(store.getState()))).toBe('No method is measured yet.')
  })
})

describe('choices of the number format', () => {
  it('go into the request, every one of them', async () => {
    const store = await opened()
    const { actions } = store
    actions.setFormat('weightFormat', 'int4')
    actions.setFormatOption('weightFormat', 'group', '64')
    actions.setFormat('outputFormat', 'mxfp8_e4m3')
    actions.setScaleRule('best')
    actions.setPreScale({ factor: 0.8, variant: 'literal' })
    actions.setBlockSize(16)
    actions.setHeadDim(64)
    await settle()
    expect(engine.last.request).toMatchObject({
      settings: [
        {
          id: 'int4(group=64)/mxfp4/mxfp8_e4m3',
          weightFormat: 'int4(group=64)',
          activationFormat: 'mxfp4',
          outputFormat: 'mxfp8_e4m3',
        },
      ],
      scaleRule: 'best',
      preScale: { factor: 0.8, variant: 'literal' },
      blockSize: 16,
      headDim: 64,
    })
    actions.setPreScale({ on: false })
    await settle()
    expect(engine.last.request.preScale).toBeNull()
  })

  it('ask for the head size of a built-in layer where the user names none', async () => {
    const store = await opened('#set=w8a8kv8')
    expect(engine.last.request.headDim).toBe(32)
    store.actions.setHeadDim(64)
    await settle()
    expect(engine.last.request.headDim).toBe(64)
    store.actions.setHeadDim(null)
    await store.actions.openBuiltIn('plain')
    await settle()
    expect(engine.last.request.headDim).toBeNull()
  })

  it('are part of what tells results apart', async () => {
    const store = await opened('#set=w8a8kv8')
    engine.finish()
    await settle()
    const changes: readonly ((actions: AppStore['actions']) => void)[] = [
      (actions) => actions.setBlockSize(64),
      (actions) => actions.setPreScale({ factor: 0.9 }),
      (actions) => actions.setPreScale({ variant: 'literal' }),
      (actions) => actions.setHeadDim(64),
      (actions) => actions.setFormat('outputFormat', null),
    ]
    for (const [i, change] of changes.entries()) {
      change(store.actions)
      await settle()
      expect(engine.runs, String(change)).toHaveLength(i + 2)
      engine.finish()
      await settle()
    }
    // Without an output format, the size of a head means nothing.
    store.actions.setHeadDim(128)
    await settle()
    expect(engine.runs).toHaveLength(changes.length + 1)
  })

  it('the size of a head tells results of a rotation of heads apart, whatever the output', async () => {
    const store = await opened()
    const setting = { id: 'W4A4', weightFormat: 'mxfp4', activationFormat: 'mxfp4', outputFormat: null }
    const keyOf = (span: string) =>
      outcomeKey(store.getState(), 'layer', setting, { id: 'quarot', options: { span }, hidden: false })
    const [head, full] = [keyOf('head'), keyOf('full')]
    store.actions.setHeadDim(128)
    expect(keyOf('head')).not.toBe(head)
    expect(keyOf('full')).toBe(full)
  })

  it('a format chosen anew has its default options, and a pair with a name gets it', async () => {
    const store = await opened()
    const setting = () => store.getState().setup.setting
    store.actions.setFormat('activationFormat', 'nvfp4')
    store.actions.setFormatOption('activationFormat', 'four-over-six', 'mae')
    expect(setting().activationFormat).toBe('nvfp4(four-over-six=mae)')
    store.actions.setFormatOption('activationFormat', 'four-over-six', 'off')
    expect(setting().activationFormat).toBe('nvfp4')
    store.actions.setFormat('activationFormat', 'mxfp8_e4m3')
    expect(setting().id).toBe('W4A8')
  })
})
