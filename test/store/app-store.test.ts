import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MemoryPlan } from '../../src/experiment/memory-plan'
import { createAppStore } from '../../src/store/app-store'
import { banners } from '../../src/store/banners'
import { fragmentOf } from '../../src/store/link-actions'
import { runStepText } from '../../src/store/run-step'
import { deviceKind, pageState, panelOutcomes, runProgress, type TileStatus, tiles } from '../../src/store/selectors'
import type { RunEvent } from '../../src/worker/protocol'
import { ADAPTER, FakeEngine, failure, result, VOCABULARY } from './fake-engine'
import { tensor } from './fake-sources'

let engine: FakeEngine
let clock = 0

function makeStore() {
  return createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file.split('/')[1]),
    now: () => clock,
    debounceMs: 10,
  })
}

/** A page on which the built-in layer is open and its first run has started. */
async function opened(fragment = '') {
  const store = makeStore()
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await vi.advanceTimersByTimeAsync(20)
  return store
}

const statuses = (store: ReturnType<typeof makeStore>): Record<string, TileStatus> =>
  Object.fromEntries(tiles(store.getState()).map(({ method, status }) => [method.id, status]))
const settle = () => vi.advanceTimersByTimeAsync(20)
const dropped = (name: string) => [new File(['12345678 not a real header'], name)]

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
  clock = 0
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a cold open', () => {
  it('runs the default methods at W4A4 on the first built-in layer', async () => {
    const store = await opened()
    const { choice, request } = engine.last
    expect(choice.weight.tensor).toBe('q_proj.weight')
    expect(choice.activations).toMatchObject({ kind: 'captured', tensor: 'q_proj.input' })
    expect(choice.heldOutShare).toBe(0.5)
    expect(request.settings.map(({ id }) => id)).toEqual(['W4A4'])
    expect(request.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(request.preScale).toEqual({ factor: 0.75, variant: 'exact' })
    expect(pageState(store.getState())).toBe('computing')
    expect(deviceKind(store.getState())).toBe('webgpu')
  })

  it('takes each tile from waiting over running to live', async () => {
    const store = await opened()
    expect(statuses(store)).toEqual({ rtn: 'waiting', quarot: 'waiting', flatquant: 'waiting' })
    const cell = { method: 'rtn', setting: 'W4A4' }
    const steps: string[] = []
    const tell = (event: RunEvent) => {
      engine.last.emit(event)
      steps.push(runStepText(store.getState()))
    }
    expect(runStepText(store.getState())).toBe('Loading the layer')
    tell({ kind: 'plan', plan: { peakBytes: 1 } as MemoryPlan })
    for (const done of [false, true]) tell({ kind: 'compiling', ...cell, done })
    tell({ kind: 'started', ...cell })
    for (const done of [false, true]) tell({ kind: 'compiling', ...cell, done })
    expect(steps).toEqual([
      'Computing reference outputs',
      'Compiling kernels',
      'Computing reference outputs',
      'RTN under W4A4',
      'RTN under W4A4, compiling kernels',
      'RTN under W4A4',
    ])
    expect(statuses(store).rtn).toBe('running')
    const progress = { stage: 'step', done: 10, total: 120 }
    engine.last.emit({ kind: 'progress', method: 'rtn', setting: 'W4A4', progress: { ...progress, loss: 0.3 } })
    engine.last.emit({ kind: 'progress', method: 'rtn', setting: 'W4A4', progress: { ...progress, loss: 0.2 } })
    expect(store.getState().run.learning?.losses).toEqual([0.3, 0.2])
    engine.last.emit({ kind: 'outcome', outcome: result('rtn') })
    expect(runStepText(store.getState())).toBe('')
    engine.finish()
    await settle()
    expect(statuses(store)).toEqual({ rtn: 'live', quarot: 'live', flatquant: 'live' })
    expect(pageState(store.getState())).toBe('ready')
    expect(engine.runs).toHaveLength(1)
  })
})

describe('a changed control', () => {
  it('replaces the run, and drops what the old one still reports', async () => {
    const store = await opened()
    const old = engine.last
    store.actions.setSeed(7)
    await settle()
    expect(engine.cancelled).toEqual([old.id])
    expect(engine.last.request.seed).toBe(7)
    old.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' })
    expect(store.getState().run.current).toBeNull()
    old.emit({ kind: 'outcome', outcome: { ...failure('rtn'), seed: 0 } })
    expect(statuses(store).rtn).toBe('waiting')
  })

  it('waits for the next change before it starts', async () => {
    const store = await opened()
    for (const seed of [1, 12, 123]) store.actions.setSeed(seed)
    await settle()
    expect(engine.runs.map(({ request }) => request.seed)).toEqual([0, 123])
  })

  it('keeps old results on screen as stale until their successors arrive', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    store.actions.setSetting(VOCABULARY.settings[0])
    await settle()
    expect(statuses(store)).toEqual({ rtn: 'stale', quarot: 'stale', flatquant: 'stale' })
    expect(tiles(store.getState())[0].outcome?.setting).toBe('W4A4')
    engine.finish()
    await settle()
    expect(tiles(store.getState())[0].outcome?.setting).toBe('W8A8')
  })

  it('computes nothing twice: going back is instant', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    store.actions.setSetting(VOCABULARY.settings[0])
    await settle()
    engine.finish()
    await settle()
    store.actions.setSetting(VOCABULARY.settings[2])
    expect(statuses(store).rtn).toBe('live')
    await settle()
    expect(engine.runs).toHaveLength(2)
    expect(pageState(store.getState())).toBe('ready')
  })

  it('computes only the method whose option changed', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    store.actions.setMethodOption('flatquant', 'steps', 60)
    await settle()
    expect(engine.last.request.methods).toEqual([{ id: 'flatquant', options: { steps: 60 } }])
    store.actions.setMethodOption('flatquant', 'steps', 120)
    expect(store.getState().setup.methods[2].options).toEqual({})
  })
})

describe('methods', () => {
  it('always computes the baseline, shown or not', async () => {
    const store = await opened()
    store.actions.toggleMethod('rtn')
    store.actions.toggleMethod('quarot')
    await settle()
    expect(statuses(store)).toEqual({ flatquant: 'waiting' })
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['rtn', 'flatquant'])
    store.actions.toggleMethod('quarot')
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot', 'flatquant'])
  })

  it('shows a failed method with its reason, and retries it alone', async () => {
    const store = await opened()
    engine.last.emit({ kind: 'outcome', outcome: failure('quarot') })
    engine.finish({ rtn: 0.2, quarot: 0.3, flatquant: 0.1 })
    engine.last.emit({ kind: 'outcome', outcome: failure('quarot') })
    await settle()
    store.actions.retry('quarot')
    await settle()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot'])
    engine.last.emit({ kind: 'outcome', outcome: failure('quarot') })
    engine.last.end({ kind: 'done' })
    await settle()
    expect(statuses(store)).toEqual({ rtn: 'live', quarot: 'failed', flatquant: 'live' })
    expect(engine.runs).toHaveLength(2)
  })
})

describe('the error view', () => {
  it('computes the other settings for the same methods, in one run', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    store.actions.setView('error')
    await settle()
    expect(engine.last.request.settings.map(({ id }) => id)).toEqual(['W8A8', 'W4A8', 'W4A16'])
    expect(runProgress(store.getState(), VOCABULARY)).toEqual({ done: 3, total: 12 })
    engine.finish()
    await settle()
    expect(panelOutcomes(store.getState(), VOCABULARY)).toHaveLength(12)
  })

  it('lets a run that is still wanted go on', async () => {
    const store = await opened()
    store.actions.setView('error')
    await settle()
    expect(engine.runs).toHaveLength(1)
    expect(engine.cancelled).toEqual([])
    engine.finish()
    await settle()
    expect(engine.runs).toHaveLength(2)
  })
})

describe('cancel', () => {
  it('keeps what is finished and does not start again by itself', async () => {
    const store = await opened()
    engine.last.emit({ kind: 'outcome', outcome: failure('rtn') })
    store.actions.cancel()
    expect(store.getState().run.phase).toBe('cancelling')
    await settle()
    expect(store.getState().run.end).toEqual({ kind: 'cancelled' })
    expect(statuses(store)).toEqual({ rtn: 'failed', quarot: 'waiting', flatquant: 'waiting' })
    expect(engine.runs).toHaveLength(1)
    store.actions.run()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot', 'flatquant'])
  })

  it('is not mistaken for a run that may go on', async () => {
    const store = await opened()
    store.actions.cancel()
    store.actions.run()
    await settle()
    expect(engine.runs).toHaveLength(2)
  })
})

describe('files', () => {
  it('keeps the old layer when a file is refused, and says why', async () => {
    const store = await opened()
    engine.listings['bad.safetensors'] = { kind: 'file', code: 'ST-05', message: 'byte 8: expected 0x7B "{".' }
    await store.actions.openFiles(dropped('bad.safetensors'))
    const { source } = store.getState()
    expect(source.problems).toMatchObject([{ name: 'bad.safetensors', error: { code: 'ST-05' } }])
    expect(source.active).toBe('outliers')
    expect(engine.runs).toHaveLength(1)
  })

  it('opens a dropped layer in place of the built-in one', async () => {
    const store = await opened()
    engine.listings['mine.safetensors'] = [tensor('up_proj.weight', [96, 64]), tensor('up_proj.input', [8, 64])]
    await store.actions.openFiles(dropped('mine.safetensors'))
    await settle()
    expect(engine.last.choice.weight.tensor).toBe('up_proj.weight')
    expect(engine.last.choice.activations).toMatchObject({ kind: 'captured', tensor: 'up_proj.input' })
  })

  it('takes a file of activations for the layer that is open, even when that has some of its own', async () => {
    const store = await opened()
    engine.listings['w.safetensors'] = [tensor('up_proj.weight', [96, 64]), tensor('up_proj.input', [8, 64])]
    engine.listings['x.safetensors'] = [tensor('acts', [512, 64])]
    await store.actions.openFiles(dropped('w.safetensors'))
    await store.actions.openFiles(dropped('x.safetensors'))
    await settle()
    expect(engine.last.choice.weight.tensor).toBe('up_proj.weight')
    expect(engine.last.choice.activations).toMatchObject({ kind: 'captured', tensor: 'acts' })
  })

  it('falls back to synthetic activations, seeded by the setup, when nothing fits', async () => {
    const store = await opened('#seed=5')
    engine.listings['w.safetensors'] = [tensor('up_proj.weight', [96, 64]), tensor('other.input', [8, 32])]
    await store.actions.openFiles(dropped('w.safetensors'))
    await settle()
    expect(engine.last.choice.activations).toMatchObject({ kind: 'synthetic', spec: { seed: 5, tokens: 512 } })
  })

  it('returns to the built-in layer when the last own file is closed', async () => {
    const store = await opened()
    await store.actions.openFiles(dropped('mine.safetensors'))
    const own = store.getState().source.files.find(({ builtIn }) => builtIn === null)
    store.actions.closeFile(own?.id ?? '')
    expect(store.getState().source.active).toBe('outliers')
    expect(store.getState().source.weight?.tensor).toBe('q_proj.weight')
  })

  it('limits the rows on a software adapter for large layers only', async () => {
    engine.device = { ok: true, value: { ...ADAPTER, isSoftware: true } }
    const store = await opened()
    expect(engine.last.choice.tokens).toBeNull()
    engine.listings['big.safetensors'] = [tensor('w.weight', [2048, 1024]), tensor('w.input', [4096, 1024])]
    await store.actions.openFiles(dropped('big.safetensors'))
    await settle()
    expect(engine.last.choice.tokens).toBe(256)
    store.actions.setTokens(4096)
    await settle()
    expect(engine.last.choice.tokens).toBe(4096)
  })
})

describe('the device', () => {
  it('is asked for again when the browser offers none', async () => {
    engine.device = { ok: false, error: { kind: 'unsupported', code: 'GP-01', message: 'none' } }
    const store = await opened()
    expect(deviceKind(store.getState())).toBe('none')
    expect(pageState(store.getState())).toBe('error')
    expect(banners(store.getState())).toMatchObject([{ code: 'GP-01', action: 'advice' }])
    expect(store.getState().source.weight?.tensor).toBe('q_proj.weight')
    engine.device = { ok: true, value: ADAPTER }
    await store.actions.openDevice()
    await settle()
    expect(banners(store.getState())).toEqual([])
    expect(engine.runs).toHaveLength(1)
  })

  it('waits for Start again after a loss it was asked for, and keeps the results', async () => {
    const store = await opened()
    engine.finish()
    await settle()
    await store.actions.loseDevice()
    expect(banners(store.getState())).toMatchObject([{ code: 'GP-04', action: 'start-again' }])
    expect(statuses(store).rtn).toBe('live')
    await store.actions.openDevice()
    await settle()
    expect(pageState(store.getState())).toBe('ready')
  })

  it('opens itself again once after an unexplained loss, not twice in a minute', async () => {
    const store = await opened()
    const lost = { kind: 'gpu' as const, code: 'GP-04', message: 'GPU device lost: "unknown", "driver reset".' }
    clock = 1_000
    engine.lose(lost)
    engine.last.end({ kind: 'failed', error: lost })
    await settle()
    expect(store.getState().device).toMatchObject({ status: 'ready', recovered: true })
    expect(engine.runs).toHaveLength(2)
    clock = 30_000
    engine.lose(lost)
    await settle()
    expect(store.getState().device.status).toBe('lost')
  })

  it('goes on with the method that was cut, even where the engine has not yet said that its run ended', async () => {
    const store = await opened()
    store.actions.setMethods(['rtn', 'quarot'])
    await settle()
    const cut = engine.last
    cut.emit({ kind: 'outcome', outcome: result('rtn') })
    cut.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' })
    const runs = engine.runs.length
    engine.lose({ kind: 'gpu', code: 'GP-04', message: 'GPU device lost: "unknown", "driver reset".' })
    expect(store.getState().run).toMatchObject({ runId: null, current: null })
    await settle()
    expect(engine.runs).toHaveLength(runs + 1)
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['quarot'])
    expect(statuses(store).rtn).toBe('live')
    // What the old run still says is nobody's.
    cut.emit({ kind: 'outcome', outcome: failure('quarot') })
    cut.end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-04', message: 'lost' } })
    await settle()
    expect(store.getState().run.runId).not.toBeNull()
    expect(statuses(store).quarot).not.toBe('failed')
  })

  it('does what an error proposes where memory runs out', async () => {
    const store = await opened()
    const proposal = { kind: 'tokens', tokens: 16 } as const
    engine.last.end({ kind: 'failed', error: { kind: 'gpu', code: 'GP-03', message: 'out of GPU memory', proposal } })
    await settle()
    expect(banners(store.getState())).toMatchObject([{ code: 'GP-03', action: proposal }])
    store.actions.accept(proposal)
    await settle()
    expect(banners(store.getState())).toEqual([])
    expect(engine.last.choice.tokens).toBe(16)
    store.actions.chooseActivations({ kind: 'synthetic' })
    store.actions.accept({ kind: 'tokens', tokens: 32 })
    await settle()
    expect(engine.last.choice.activations).toMatchObject({ kind: 'synthetic', spec: { tokens: 32 } })
  })

  it('knows what a run takes on the GPU, from its plan until the next one begins', async () => {
    const store = await opened()
    expect(store.getState().run.memory).toBeNull()
    const plan = { peakBytes: 212e6, limitBytes: 2 ** 30, pieces: null } as MemoryPlan
    engine.last.emit({ kind: 'plan', plan })
    expect(store.getState().run.memory).toBe(plan)
    store.actions.setTokens(16)
    await settle()
    expect(store.getState().run.memory).toBeNull()
  })

  it('calls a run that ends without its results our own error', async () => {
    const store = await opened()
    engine.last.end({ kind: 'done' })
    await settle()
    expect(banners(store.getState())).toMatchObject([{ code: 'BUG', action: 'report' }])
    expect(engine.runs).toHaveLength(1)
  })
})

describe('a link', () => {
  const change = async () => {
    const store = await opened('#src=demo:plain&set=w4a8&seed=3&m=rtn,flatquant(steps=60)&view=channels&th=dark')
    return store
  }

  it('restores layer, setting, methods and view, and stays the same', async () => {
    const store = await change()
    expect(store.getState().source.active).toBe('plain')
    expect(engine.last.request.settings[0].id).toBe('W4A8')
    expect(engine.last.request.methods).toEqual([
      { id: 'rtn', options: {} },
      { id: 'flatquant', options: { steps: 60 } },
    ])
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe(
      'v=1&src=demo:plain&set=w4a8&seed=3&m=rtn,flatquant(steps=60)&view=channels&th=dark',
    )
  })

  it('restores synthetic activations where captured ones are at hand', async () => {
    await opened('#a=syn,t64,o2x9')
    expect(engine.last.choice.activations).toMatchObject({
      kind: 'synthetic',
      spec: { tokens: 64, outlierChannels: 2 },
    })
  })

  it('asks for the file it was made with, and applies its choice when that file comes', async () => {
    const link = 'v=1&src=file:mine.safetensors,26,&w=b.weight&a=syn,t64,o2x9&set=w8a8'
    const store = await opened(`#${link}`)
    expect(store.getState().source.pendingLink?.weight).toBe('b.weight')
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe(link)
    engine.listings['mine.safetensors'] = [tensor('a.weight', [64, 64]), tensor('b.weight', [64, 64])]
    await store.actions.openFiles(dropped('mine.safetensors'))
    await settle()
    expect(store.getState().source.pendingLink).toBeNull()
    expect(engine.last.choice.weight.tensor).toBe('b.weight')
    expect(engine.last.choice.activations).toMatchObject({ kind: 'synthetic', spec: { tokens: 64, outlierGain: 9 } })
  })
})
