import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { fragmentOf, stepOf } from '../../src/store/link-actions'
import { causesModel, pairModel } from '../../src/store/rotation-causes'
import { STUDY_FORMATS, studyModel } from '../../src/store/rotation-view'
import { pageState } from '../../src/store/selectors'
import { FakeEngine, VOCABULARY } from './fake-engine'

const vocabulary = { ...VOCABULARY, methods: METHOD_CATALOG }
const STUDY = '#m=rtn&view=rotation&ro=synthetic'
const LAYER = '#m=rtn&view=rotation'

let engine: FakeEngine

const settle = () => vi.advanceTimersByTimeAsync(30)

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
    engine.finish({ rtn: 0.2 })
    await settle()
  }
  return store
}

const modelOf = (store: AppStore) => studyModel(store.getState(), vocabulary)
const phaseOf = (store: AppStore) => store.getState().rotation.phase

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the study of the synthetic layer', () => {
  it('starts by itself once the comparison has ended, with the strength on screen first', async () => {
    const store = await opened(`${STUDY},k16,a0.25,t3,w512,s7`, false)
    expect(engine.studies).toHaveLength(0)
    expect(phaseOf(store)).toBe('waiting')
    engine.finish({ rtn: 0.2 })
    await settle()
    const { request } = engine.lastStudy
    expect(request.strengths).toEqual([16, 1, 2, 4, 8, 32, 64, 128])
    expect(request.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot', 'block-hadamard'])
    expect(request).toMatchObject({ formats: STUDY_FORMATS, seed: 7, preScale: { factor: 0.75 } })
    expect(request.layer).toMatchObject({ inDim: 512, correlation: 0.25, tailDegrees: 3, clustered: false })
    expect(pageState(store.getState())).toBe('computing')
    engine.studyPoints(10)
    expect(modelOf(store)).toMatchObject({ done: 10, total: 72, stale: false })
    engine.studyPoints()
    await settle()
    expect(modelOf(store)).toMatchObject({ done: 72 })
    expect(pageState(store.getState())).toBe('ready')
    expect(engine.studies).toHaveLength(1)
  })

  it('does not start on another view', async () => {
    await opened('#m=rtn')
    expect(engine.studies).toHaveLength(0)
  })

  it('is replaced when a control changes, keeps what it had, and is back at once', async () => {
    const store = await opened(STUDY)
    engine.studyPoints()
    await settle()
    store.actions.setRotation({ correlation: 0 })
    expect(modelOf(store)).toMatchObject({ stale: true, done: 0 })
    await settle()
    engine.studyPoints(4)
    expect(modelOf(store)).toMatchObject({ stale: false, done: 4 })
    store.actions.setRotation({ correlation: 0.5 })
    await settle()
    expect(engine.cancelled).toEqual(['study-2'])
    expect(modelOf(store)).toMatchObject({ stale: false, done: 72 })
    expect(phaseOf(store)).toBe('idle')
    expect(engine.studies).toHaveLength(2)
    store.actions.setRotation({ correlation: 0 })
    await settle()
    // The rest of the strength that was begun, and those after it.
    expect(engine.lastStudy.request.strengths).toHaveLength(8)
    expect(modelOf(store).done).toBe(4)
  })

  it('marks another strength without computing anything', async () => {
    const store = await opened(STUDY)
    engine.studyPoints()
    await settle()
    store.actions.setRotation({ strength: 4 })
    await settle()
    expect(engine.studies).toHaveLength(1)
    expect(modelOf(store)).toMatchObject({ strength: 4, done: 72 })
  })

  it('asks for one method more when a learned one is switched on', async () => {
    const store = await opened(STUDY)
    engine.studyPoints()
    await settle()
    store.actions.setRotation({ learned: ['flatquant'] })
    await settle()
    expect(engine.lastStudy.request.methods).toEqual([{ id: 'flatquant', options: {} }])
    expect(modelOf(store)).toMatchObject({ done: 72, total: 96, stale: false })
    // With other steps it is another study.
    store.actions.setRotation({ steps: 40 })
    await settle()
    await settle()
    expect(engine.lastStudy.request.methods.at(-1)).toEqual({ id: 'flatquant', options: { steps: 40 } })
    expect(modelOf(store).stale).toBe(true)
    expect(fragmentOf(store.getState(), vocabulary)).toContain('ro=synthetic,flatquant,n40')
  })

  it('stops when it is cancelled, and goes on only when asked', async () => {
    const store = await opened(STUDY)
    engine.studyPoints(9)
    store.actions.cancelStudy()
    await settle()
    expect(engine.cancelled).toEqual(['study-1'])
    expect(phaseOf(store)).toBe('idle')
    await settle()
    expect(engine.studies).toHaveLength(1)
    store.actions.runStudy()
    await settle()
    expect(engine.lastStudy.request.strengths).toHaveLength(7)
    expect(modelOf(store).done).toBe(9)
  })

  it('gives way to a comparison and goes on after it', async () => {
    const store = await opened(STUDY)
    engine.studyPoints(9)
    store.actions.toggleMethod('quarot')
    await settle()
    // The engine ends a run when another one starts.
    engine.lastStudy.end({ kind: 'cancelled' })
    await settle()
    expect(phaseOf(store)).toBe('waiting')
    expect(engine.studies).toHaveLength(1)
    engine.finish({ quarot: 0.2 })
    await settle()
    expect(engine.studies).toHaveLength(2)
  })

  it('ends with the view', async () => {
    const store = await opened(STUDY)
    store.actions.setView('error')
    expect(engine.cancelled).toEqual(['study-1'])
    expect(phaseOf(store)).toBe('idle')
  })

  it('does not try again by itself after a failure', async () => {
    const store = await opened(STUDY)
    const error = { kind: 'gpu', code: 'GP-03', message: 'out of memory.' } as const
    engine.lastStudy.end({ kind: 'failed', error })
    await settle()
    expect(store.getState().rotation.stopped?.end).toEqual({ kind: 'failed', error })
    expect(engine.studies).toHaveLength(1)
    store.actions.runStudy()
    await settle()
    expect(engine.studies).toHaveLength(2)
    engine.lastStudy.end({ kind: 'done' })
    await settle()
    expect(store.getState().rotation.stopped?.end).toMatchObject({ error: { code: 'BUG' } })
  })
})

describe('the causes on the loaded layer', () => {
  const causesOf = (store: AppStore) => causesModel(store.getState(), vocabulary)

  it('are asked for five seeds of the setting, then of the other format of the pair, and kept', async () => {
    const store = await opened(`${LAYER}&seed=3`)
    expect(engine.questions).toEqual([])
    store.actions.loadCauses()
    await settle()
    expect(engine.questions.map(({ seed }) => seed)).toEqual([3, 4, 5, 6, 7, 3, 4, 5, 6, 7])
    expect(engine.questions.map(({ weightFormat }) => weightFormat)).toEqual([
      ...Array(5).fill('mxfp4'),
      ...Array(5).fill('int4'),
    ])
    expect(pairModel(store.getState(), vocabulary, 'int4')).toMatchObject({ seeds: 5, error: null })
    expect(pairModel(store.getState(), vocabulary, 'int4').ratios).toHaveLength(5)
    expect(engine.questions[0]).toMatchObject({ weightFormat: 'mxfp4', method: { id: 'quarot' }, headDim: 32 })
    const { causes, ratios, seeds } = causesOf(store)
    expect(causes?.seed).toBe(3)
    expect(seeds).toBe(5)
    expect(ratios.map((ratio) => ratio.toFixed(3))).toEqual(['1.115', '1.120', '1.125', '1.130', '1.135'])
    store.actions.loadCauses()
    await settle()
    expect(engine.questions).toHaveLength(10)
    store.actions.setRotation({ rotation: 'block-hadamard' })
    expect(causesOf(store).causes).toBeNull()
    store.actions.loadCauses()
    await settle()
    // It has no random choice: one question for each format.
    expect(engine.questions.slice(10).map(({ weightFormat }) => weightFormat)).toEqual(['mxfp4', 'int4'])
    expect(causesOf(store).seeds).toBe(1)
  })

  it('say what kept them from being measured, and are asked again on request', async () => {
    const store = await opened(LAYER)
    engine.causesError = { kind: 'gpu', code: 'GP-04', message: 'GPU device lost.' }
    store.actions.loadCauses()
    await settle()
    // One of each format.
    expect(engine.questions).toHaveLength(2)
    expect(causesOf(store).error?.code).toBe('GP-04')
    expect(pairModel(store.getState(), vocabulary, 'int4').error).toBe('GPU device lost.')
    engine.causesError = null
    store.actions.retryCauses()
    await settle()
    expect(causesOf(store)).toMatchObject({ error: null, seeds: 5 })
    expect(engine.questions).toHaveLength(12)
  })

  it('of a learned rotation come from a run: with progress, cancelled on request, never for another layer', async () => {
    const store = await opened(`${LAYER}&rr=spinquant`)
    store.actions.loadCauses()
    await settle()
    // The pair is of QuaRot, which needs no training.
    expect(new Set(engine.questions.map(({ method }) => method.id))).toEqual(new Set(['quarot']))
    expect(engine.explanations).toEqual([])
    expect(pageState(store.getState())).toBe('ready')
    store.actions.trainRotation()
    expect(pageState(store.getState())).toBe('computing')
    engine.lastExplanation.emit({ kind: 'progress', progress: { stage: 'training', done: 3, total: 9, loss: 0.5 } })
    expect(store.getState().rotation.training?.progress).toMatchObject({ done: 3, total: 9 })
    store.actions.cancelTraining()
    await settle()
    expect(engine.cancelled).toEqual(['explanation-1'])
    expect(store.getState().rotation.training).toBeNull()
    expect(causesOf(store)).toMatchObject({ causes: null, error: null })
    store.actions.trainRotation()
    engine.finishExplanation()
    await settle()
    expect(causesOf(store).causes?.method.id).toBe('spinquant')
    expect(pageState(store.getState())).toBe('ready')
    // Another seed is another question: not begun by itself, and one that goes on ends with it.
    store.actions.setSeed(8)
    store.actions.loadCauses()
    await settle()
    engine.finish({ rtn: 0.2 })
    await settle()
    expect(engine.explanations).toHaveLength(2)
    store.actions.trainRotation()
    store.actions.setView('error')
    expect(store.getState().rotation.training).toBeNull()
    expect(engine.cancelled).toContain('explanation-3')
  })

  it('of a learned rotation say what its run failed with, and are trained again on request', async () => {
    const store = await opened(`${LAYER}&rr=spinquant`)
    store.actions.trainRotation()
    engine.lastExplanation.end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-03', message: 'out of memory.' } })
    await settle()
    expect(causesOf(store).error?.code).toBe('GP-03')
    store.actions.retryCauses()
    engine.lastExplanation.end({ kind: 'done' })
    await settle()
    expect(engine.explanations).toHaveLength(2)
    expect(causesOf(store).error?.code).toBe('BUG')
  })

  it('are nothing where nothing is rounded', async () => {
    const store = await opened(`${LAYER}&set=custom&wf=16&af=16`)
    store.actions.loadCauses()
    await settle()
    expect(engine.questions).toEqual([])
  })
})

it('is in the link; typed and dragged numbers make no step of the history', async () => {
  const store = await opened(STUDY)
  const step = () => stepOf(store.getState(), vocabulary)
  const before = step()
  store.actions.setRotation({ strength: 8, correlation: 0.25, outlierChannels: 4, degrees: 5, seed: 9 })
  expect(step()).toBe(before)
  expect(fragmentOf(store.getState(), vocabulary)).toBe('v=1&m=rtn&view=rotation&ro=synthetic,k8,o4,a0.25,t5,s9')
  store.actions.setRotation({ part: 'layer', rotation: 'block-hadamard' })
  expect(step()).not.toBe(before)
  expect(fragmentOf(store.getState(), vocabulary)).toBe(
    'v=1&m=rtn&view=rotation&ro=k8,o4,a0.25,t5,s9&rr=block-hadamard',
  )
})
