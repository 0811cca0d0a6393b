import { beforeEach, describe, expect, it } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import type { DeviceMemory } from '../../src/store/device-memory'
import { createDeviceMemory } from '../../src/store/device-memory'
import { fragmentOf } from '../../src/store/link-actions'
import { neighbourWeight, SHORTCUTS, shortcutOf } from '../../src/store/shortcuts'
import { TOUR_STEPS, tourFragment, tourText } from '../../src/store/tour'
import { parseLink, readLink } from '../../src/store/url'
import { VIEWS } from '../../src/store/views'
import { FakeEngine, VOCABULARY as FEW_METHODS } from './fake-engine'
import { tensor } from './fake-sources'

const VOCABULARY = { ...FEW_METHODS, methods: METHOD_CATALOG }
const ERRORS = { rtn: 0.2, quarot: 0.28, flatquant: 0.1, gptq: 0.17 }

let engine: FakeEngine
let memory: DeviceMemory & { readonly kept: Map<string, string> }

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (name) => new File([name], name),
    memory,
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}

/** Puts a step on screen as the card does, and finishes what it computes. */
async function show(store: AppStore, at: number, finish = true): Promise<string | null> {
  const step = TOUR_STEPS[at]
  await store.actions.showTourStep(at, tourFragment(step, store.getState().view, VOCABULARY))
  await settle()
  for (let runs = 0; finish && store.getState().run.phase !== 'idle' && runs < 5; runs++) {
    engine.finish(ERRORS)
    await settle()
  }
  return tourText(step, store.getState(), VOCABULARY)
}

const said = (store: AppStore, at: number) => tourText(TOUR_STEPS[at], store.getState(), VOCABULARY)

beforeEach(() => {
  engine = new FakeEngine()
  engine.listings['own.safetensors'] = [
    tensor('a.q_proj.weight', [64, 64]),
    tensor('a.q_proj.input', [40, 64]),
    tensor('a.v_proj.weight', [64, 64]),
  ]
  const kept = new Map<string, string>()
  memory = { kept, read: (key) => kept.get(key) ?? null, write: (key, value) => void kept.set(key, value) }
})

describe('a step', () => {
  it('is a link that the page understands, and keeps the theme', () => {
    for (const step of TOUR_STEPS) {
      const fragment = tourFragment(step, { theme: 'dark', unknown: [] }, VOCABULARY)
      const { link, ignored } = readLink(fragment, VOCABULARY)
      expect(ignored, step.id).toEqual([])
      expect(link.theme).toBe('dark')
      expect(link.sources).toEqual([{ kind: 'demo', id: 'outliers' }])
    }
  })

  it('says in at most 60 words what the results on screen say, and nothing while they are missing', async () => {
    const store = await opened()
    store.actions.startTour()
    expect(await show(store, 0, false)).toBeNull()
    engine.finish(ERRORS)
    await settle()
    const texts = [said(store, 0)]
    for (let at = 1; at < TOUR_STEPS.length; at++) texts.push(await show(store, at))
    for (const [at, text] of texts.entries()) {
      expect(text, TOUR_STEPS[at].id).not.toBeNull()
      expect(text?.split(/\s+/).length, TOUR_STEPS[at].id).toBeLessThanOrEqual(60)
      expect(text).not.toMatch(/NaN|undefined|null|!/)
    }
    const [layer, outliers, rotation, scales, winners] = texts
    expect(layer).toContain('64 × 64 weights, fed with 32 rows')
    expect(layer).toContain('14.0 dB SQNR: a relative error of 0.2000')
    expect(outliers).toMatch(/^\d+ of \d+ channels/)
    expect(rotation).toContain('goes from 14.0 to 11.1 dB: under MXFP4 the rotation loses 2.9 dB to RTN')
    // Counts 2, 20, 0, 30 and 9 of 64 blocks, before and after: the figure's caption has five as well.
    expect(scales).toContain('use 5 exponents, after it 5')
    expect(scales).not.toContain('Quiet blocks lost')
    expect(winners).toContain('(FlatQuant) has 20.0 dB, error compensation (GPTQ) 15.4 dB: +6.0 and +1.4 dB')
    expect(winners).toContain('At W8A8 RTN alone has 14.0 dB')
  })

  it('follows the numbers: a rotation that gains is said to gain', async () => {
    const store = await opened()
    store.actions.startTour()
    await store.actions.showTourStep(2, tourFragment(TOUR_STEPS[2], store.getState().view, VOCABULARY))
    await settle()
    engine.finish({ ...ERRORS, quarot: 0.1 })
    await settle()
    expect(said(store, 2)).toContain('the rotation gains 6.0 dB over RTN')
  })
})

describe('the tour', () => {
  it('is offered until it is taken or declined, on this device', async () => {
    const store = await opened()
    expect(store.getState().guide.offersTour).toBe(true)
    store.actions.declineTour()
    expect(store.getState().guide.offersTour).toBe(false)
    expect(memory.kept.get('tour')).toBe('dismissed')
    expect((await opened()).getState().guide.offersTour).toBe(false)
    memory.kept.clear()
    const taken = await opened()
    taken.actions.startTour()
    expect(memory.kept.get('tour')).toBe('done')
    expect((await opened()).getState().guide.offersTour).toBe(false)
  })

  it('brings back a layer of the user’s own, with rows, methods, options, view and pins', async () => {
    const store = await opened('m=rtn,-quarot(signs=off)&eval=0.25')
    await store.actions.openFiles([new File(['12345678'], 'own.safetensors')])
    store.actions.setView('sweeps')
    store.actions.pinChannel(7)
    store.actions.setRows({ firstToken: 4 })
    await settle()
    engine.finish(ERRORS)
    await settle()
    const before = store.getState()
    const fragment = fragmentOf(before, VOCABULARY)
    expect(before.source.active).toBe('user')
    store.actions.startTour()
    await show(store, 0)
    await show(store, 3)
    const during = store.getState()
    expect(during.source.active).toBe('outliers')
    expect(parseLink(fragmentOf(during, VOCABULARY), VOCABULARY).view).toBe('scales')
    store.actions.leaveTour()
    await settle()
    const after = store.getState()
    expect(fragmentOf(after, VOCABULARY)).toBe(fragment)
    expect(after.guide.tour).toBeNull()
    expect(after.source.restoring).toBe(false)
    expect(after.source.weight).toEqual(before.source.weight)
    expect(after.setup).toEqual(before.setup)
    expect(after.highlight).toEqual(before.highlight)
    // Everything was computed before: nothing is again.
    expect(after.run.phase).toBe('idle')
  })

  it('stays on the built-in layer where the user’s file was closed meanwhile', async () => {
    const store = await opened()
    await store.actions.openFiles([new File(['12345678'], 'own.safetensors')])
    store.actions.startTour()
    await show(store, 0)
    const file = store.getState().source.files.find(({ builtIn }) => builtIn === null)
    store.actions.closeFile(file?.id ?? '')
    store.actions.leaveTour()
    await settle()
    expect(store.getState().source.active).toBe('outliers')
    expect(store.getState().source.weight).not.toBeNull()
  })
})

describe('shortcuts', () => {
  const press = (key: string, modifier = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...modifier })

  it('have a key each; digits are views in the order of the tabs, and no view is without a key', () => {
    const keys = SHORTCUTS.map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toEqual(expect.arrayContaining(['o', '/', 'r', 'Escape', 'e', 's', '[', ']', 't', 'b', 'p', '?']))
    for (const [at, { id }] of VIEWS.slice(0, 10).entries()) {
      expect(shortcutOf(press(String((at + 1) % 10)), true)?.effect).toEqual({ kind: 'view', id })
    }
    const reached = SHORTCUTS.map(({ effect }) => (effect.kind === 'view' ? effect.id : null))
    expect(reached).toEqual(expect.arrayContaining(VIEWS.map(({ id }) => id)))
    expect(shortcutOf(press('f'), true)?.effect).toEqual({ kind: 'view', id: 'findings' })
    expect(shortcutOf(press('w'), true)?.effect).toEqual({ kind: 'view', id: 'rotation' })
  })

  it('are left to the browser with a modifier, and off but for Escape where letters are switched off', async () => {
    expect(shortcutOf(press('r'), true)?.effect.kind).toBe('run')
    expect(shortcutOf(press('r', { ctrlKey: true }), true)).toBeNull()
    expect(shortcutOf(press('s', { metaKey: true }), true)).toBeNull()
    expect(shortcutOf(press('x'), true)).toBeNull()
    expect(shortcutOf(press('r'), false)).toBeNull()
    expect(shortcutOf(press('Escape'), false)?.effect.kind).toBe('cancel')
    const store = await opened()
    store.actions.setSingleKeys(false)
    expect((await opened()).getState().guide.singleKeys).toBe(false)
    store.actions.setSingleKeys(true)
    expect((await opened()).getState().guide.singleKeys).toBe(true)
  })

  it('step through the weights of the file, past the end to the first again', async () => {
    const store = await opened()
    await store.actions.openFiles([new File(['12345678'], 'own.safetensors')])
    const step = (by: 1 | -1) => neighbourWeight(store.getState(), by)?.tensor
    const own = store.getState().source.files.find(({ builtIn }) => builtIn === null)
    store.actions.chooseWeight({ fileId: own?.id ?? '', tensor: 'a.q_proj.weight' })
    expect([step(1), step(-1)]).toEqual(['a.v_proj.weight', 'a.v_proj.weight'])
    store.actions.chooseWeight({ fileId: own?.id ?? '', tensor: 'a.v_proj.weight' })
    expect(step(1)).toBe('a.q_proj.weight')
  })
})

describe('the memory of the device', () => {
  it('names its keys after the page, and keeps nothing where the browser does not', () => {
    const kept = new Map<string, string>()
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    } as Storage
    createDeviceMemory(() => storage).write('tour', 'done')
    expect([...kept]).toEqual([['mxscope-tour', 'done']])
    expect(createDeviceMemory(() => storage).read('tour')).toBe('done')
    const refused = createDeviceMemory(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    expect(refused.read('tour')).toBeNull()
    expect(() => refused.write('tour', 'done')).not.toThrow()
  })
})

describe('the glossary', () => {
  it('is in the link, entry by entry, and Back closes it', async () => {
    const store = await opened('view=scales&help=quarot')
    expect(store.getState().view.help).toBe('quarot')
    store.actions.showHelp('low-rank.branchInput')
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe('v=1&view=scales&help=low-rank.branchInput')
    await store.actions.applyLink('view=scales')
    expect(store.getState().view.help).toBeNull()
    expect(readLink('help=<script>', VOCABULARY)).toMatchObject({ link: { help: null }, ignored: ['help'] })
  })
})
