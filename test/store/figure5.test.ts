import { beforeEach, describe, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { figure5Rows, loadedProfile, methodsApply, profiledTensors } from '../../src/store/figure5'
import { formatLook, parseLook } from '../../src/store/figure5-link'
import { fragmentOf } from '../../src/store/link-actions'
import { pageState } from '../../src/store/selectors'
import { FakeEngine, VOCABULARY } from './fake-engine'
import { tensor } from './fake-sources'

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})

const later = () => new Promise((resolve) => setTimeout(resolve, 2))

async function open(fragment = '#view=figure5') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await later()
  return store
}

/** The same with the comparison done. */
async function compared(fragment?: string) {
  const store = await open(fragment)
  engine.finish()
  await later()
  return store
}

type Store = Awaited<ReturnType<typeof open>>
const rows = (store: Store) => figure5Rows(store.getState(), VOCABULARY)
const states = (store: Store) => rows(store).map(({ method, status }) => `${method} ${status}`)

describe('the Figure 5 view', () => {
  it('shows what a comparison has measured without asking for more', async () => {
    const store = await compared()
    expect(engine.profileRuns).toEqual([])
    expect(states(store)).toEqual(['rtn live', 'quarot live', 'flatquant live'])
    const loaded = loadedProfile(store.getState())
    expect(loaded).toBe(rows(store)[0].profile)
    expect(rows(store).map(({ before }) => before === null)).toEqual([true, true, true])
    expect(rows(store).map(({ mixes }) => mixes)).toEqual([false, true, true])
  })

  it('asks for the rest once the comparison is done, and shows it as it comes', async () => {
    const store = await open('#view=figure5&f5=w')
    expect(engine.profileRuns).toEqual([])
    engine.finish()
    await later()
    const { request, emit } = engine.lastProfiles
    expect(request).toMatchObject({ methods: [{ id: 'rtn' }, { id: 'quarot' }, { id: 'flatquant' }], tensor: null })
    expect(pageState(store.getState())).toBe('computing')
    emit({ kind: 'started', method: 'rtn' })
    emit({ kind: 'progress', method: 'rtn', progress: { stage: 'step', done: 3, total: 9 } })
    expect(rows(store)[0]).toMatchObject({ status: 'running', text: 'Computing, step 3 of 9' })
    engine.finishProfiles()
    await later()
    expect(states(store)).toEqual(['rtn live', 'quarot live', 'flatquant live'])
    expect(rows(store)[1].before).toBe(loadedProfile(store.getState()))
    expect(pageState(store.getState())).toBe('ready')
  })

  it('has every side and stage of the layer after one run', async () => {
    const store = await compared('#view=figure5&f5=w')
    engine.finishProfiles()
    await later()
    const maxima = () => rows(store).map(({ profile }) => profile?.maxAbsolute)
    const transformed = maxima()
    for (const change of [
      { stage: 'quantized' as const },
      { subject: 'activations' as const },
      { subject: 'error' as const },
    ]) {
      store.actions.setFigure5(change)
      expect(states(store)).toEqual(['rtn live', 'quarot live', 'flatquant live'])
    }
    expect(maxima()).not.toEqual(transformed)
    expect(engine.profileRuns.length).toBe(1)
    // Errors stand before the baseline's; outputs are the same channels under every method.
    expect(rows(store).map(({ before }) => before === rows(store)[0].profile)).toEqual([false, true, true])
    expect(rows(store).some(({ mixes }) => mixes)).toBe(false)
    expect(loadedProfile(store.getState())).toBeNull()
  })

  it('computes the error of a hidden baseline for the others, without a row of its own', async () => {
    const store = await compared('#view=figure5&f5=y&m=-rtn,quarot')
    expect(engine.lastProfiles.request.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot'])
    engine.finishProfiles()
    await later()
    expect(states(store)).toEqual(['quarot live'])
    expect(rows(store)[0].before?.maxAbsolute).toBeLessThan(rows(store)[0].profile?.maxAbsolute ?? 0)
  })

  it('asks only for what a changed setting lacks, and goes on after the comparison', async () => {
    const store = await compared('#view=figure5&f5=w')
    const first = engine.lastProfiles
    store.actions.setSeed(5)
    await later()
    // The engine ends a run when the next begins.
    first.end({ kind: 'cancelled' })
    await later()
    expect(engine.profileRuns.length).toBe(1)
    engine.finish()
    await later()
    expect(engine.profileRuns.length).toBe(2)
    expect(engine.lastProfiles.request.seed).toBe(5)
    engine.finishProfiles()
    await later()
    expect(states(store)).toEqual(['rtn live', 'quarot live', 'flatquant live'])
  })

  it('stops when the view is left, and keeps what is there', async () => {
    const store = await compared('#view=figure5&f5=w')
    const { id, emit } = engine.lastProfiles
    emit({ kind: 'profiled', method: 'rtn', profiles: {} })
    store.actions.setView('distribution')
    expect(engine.cancelled).toContain(id)
    await later()
    store.actions.setView('figure5')
    expect(engine.lastProfiles.request.methods.map((method) => method.id)).toEqual(['quarot', 'flatquant'])
  })

  it('does not start again by itself what was stopped or has failed', async () => {
    const store = await compared('#view=figure5&f5=w')
    store.actions.cancelFigure5()
    await later()
    expect(engine.profileRuns.length).toBe(1)
    expect(rows(store)[0]).toMatchObject({ status: 'waiting', text: 'Not computed' })
    store.actions.retryFigure5()
    engine.lastProfiles.end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-03', message: 'out of GPU memory' } })
    await later()
    expect(engine.profileRuns.length).toBe(2)
    expect(store.getState().figure5.stopped?.end).toMatchObject({ kind: 'failed', error: { code: 'GP-03' } })
    store.actions.retryFigure5()
    engine.lastProfiles.end({ kind: 'done' })
    await later()
    expect(store.getState().figure5.stopped?.end).toMatchObject({ kind: 'failed', error: { kind: 'bug' } })
    expect(engine.profileRuns.length).toBe(3)
  })

  it('says which method failed and tries it alone again', async () => {
    const store = await compared('#view=figure5&f5=w')
    const { emit, end } = engine.lastProfiles
    emit({ kind: 'loaded', profiles: {} })
    emit({ kind: 'profiled', method: 'rtn', profiles: {} })
    emit({ kind: 'failed', method: 'quarot', error: { kind: 'input', code: 'MD-08', message: 'does not fit.' } })
    emit({ kind: 'profiled', method: 'flatquant', profiles: {} })
    end({ kind: 'done' })
    await later()
    expect(rows(store)[1]).toMatchObject({ status: 'failed', text: 'MD-08 does not fit.' })
    // Profiles without this stage: the setting leaves the operand as it is.
    expect(rows(store)[0]).toMatchObject({ status: 'live', profile: null, text: 'W stays as it is under W4A4' })
    store.actions.retryFigure5()
    expect(engine.lastProfiles.request.methods.map(({ id }) => id)).toEqual(['quarot'])
  })

  it('puts another tensor of that width through the transforms, and leaves a weight alone', async () => {
    const layer = [
      tensor('q_proj.weight', [64, 64]),
      tensor('q_proj.input', [32, 64]),
      tensor('k_proj.weight', [16, 64]),
    ]
    engine.listings['layers/a.safetensors'] = [...layer, tensor('norm.weight', [64]), tensor('ids', [4, 4], 'I64')]
    const store = await compared('#view=figure5&f5=tq_proj.input')
    expect(profiledTensors(store.getState()).map((each) => each.tensor)).toEqual(layer.map(({ name }) => name))
    expect(engine.lastProfiles.request).toMatchObject({ tensor: { tensor: 'q_proj.input' }, methods: [{}, {}, {}] })
    engine.finishProfiles()
    await later()
    expect(states(store)).toEqual(['rtn live', 'quarot live', 'flatquant live'])
    store.actions.setFigure5({ tensor: 'k_proj.weight' })
    expect(methodsApply(store.getState())).toBe(false)
    expect(engine.lastProfiles.request).toMatchObject({ tensor: { tensor: 'k_proj.weight' }, methods: [] })
    engine.finishProfiles()
    await later()
    expect(rows(store)).toEqual([])
    expect(loadedProfile(store.getState())?.count).toBe(16 * 24)
    const { length } = engine.profileRuns
    store.actions.setFigure5({ tensor: 'nothing' })
    await later()
    expect([engine.profileRuns.length, loadedProfile(store.getState())]).toEqual([length, null])
  })

  it('stands in the link, and is restored by it', async () => {
    const store = await compared()
    store.actions.setFigure5({ subject: 'weight', stage: 'quantized', axes: 'own', order: 'norm' })
    const fragment = fragmentOf(store.getState(), VOCABULARY)
    expect(fragment).toContain('f5=w,q,own,norm')
    const again = await open(`#${fragment}`)
    expect(again.getState().figure5.look).toEqual(store.getState().figure5.look)
  })

  it('reads a link part by part', () => {
    const rejected: string[] = []
    const read = (text: string) => parseLook(text, () => rejected.push(text))
    expect(formatLook(read('y,own'))).toBe('y,own')
    expect(read('ta%2Cb')).toMatchObject({ subject: 'tensor', tensor: 'a,b' })
    expect(rejected).toEqual([])
    expect(formatLook(read('w,zzz,c-1'))).toBe('w')
    expect(rejected.length).toBe(2)
  })
})
