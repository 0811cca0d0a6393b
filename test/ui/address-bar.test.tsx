import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bindAddressBar } from '../../src/store/address-bar'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'

let store: AppStore
let unbind: () => void

beforeEach(async () => {
  window.history.replaceState(null, '', '/')
  store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  unbind = bindAddressBar(store, window)
})
afterEach(() => {
  unbind()
  vi.restoreAllMocks()
})

it('leaves the address of a first visit alone', async () => {
  await store.actions.applyLink('')
  expect(window.location.hash).toBe('')
})

it('keeps the link until the layer it names is open', async () => {
  window.history.replaceState(null, '', '#v=1&src=demo:plain&a=syn,t64,o2x9')
  store.actions.setTheme('dark')
  expect(window.location.hash).toBe('#v=1&src=demo:plain&a=syn,t64,o2x9')
  await store.actions.applyLink(window.location.hash)
  expect(window.location.hash).toBe('#v=1&src=demo:plain&a=syn,t64,o2x9')
})

describe('an entry of the history', () => {
  const entries = () => window.history.length

  it.each<[string, (actions: AppStore['actions']) => void, string]>([
    ['a setting', (actions) => actions.setSetting(VOCABULARY.settings[0]), 'set=w8a8'],
    ['the pre-scale', (actions) => actions.setPreScale({ on: false }), 'pre=0'],
    ['a block size', (actions) => actions.setBlockSize(64), 'bs=64'],
    [
      'a format',
      (actions) => actions.setFormat('weightFormat', 'int4(scheme=asym)'),
      'set=custom&wf=int4(scheme=asym)&af=mxfp4',
    ],
    ['a method', (actions) => actions.toggleMethod('quarot'), 'm=rtn,flatquant'],
    ['an option', (actions) => actions.setMethodOption('quarot', 'signs', 'off'), 'm=rtn,quarot(signs=off),flatquant'],
    ['synthetic activations', (actions) => actions.chooseActivations({ kind: 'synthetic' }), 'a=syn,t512,o6x20'],
    ['a view', (actions) => actions.setView('channels'), 'view=channels'],
    ['a parameter to sweep', (actions) => actions.setSweepParameter('alpha'), 'sw=alpha'],
    ['a format on the number line', (actions) => actions.removeFormatRow(0), 'fx=nvfp4+int4+mxfp8_e4m3'],
    ['the axis', (actions) => actions.setLine({ axis: 'log' }), 'fl=log'],
    ['a channel to pin', (actions) => actions.pinChannel(7), 'pin=c7'],
    ['a method to pin', (actions) => actions.pinMethod('quarot'), 'pin=mquarot'],
    ['a baseline', (actions) => actions.setBaseline('quarot'), 'base=quarot'],
    ['what a block is compared with', (actions) => actions.setBlockFormat(1, 'int8'), 'bf=mxfp4+int8'],
  ])('is made by choosing %s', async (_name, choose, link) => {
    await store.actions.applyLink('')
    const before = entries()
    choose(store.actions)
    expect(window.location.hash).toBe(`#v=1&${link}`)
    expect(entries()).toBe(before + 1)
  })

  it.each<[string, (actions: AppStore['actions']) => void, string]>([
    ['the number that is rounded', (actions) => actions.setLine({ value: 3 }), 'fl=x3'],
    ['a pre-scale that is tried', (actions) => actions.setBlockPreScale(0.6), 'bp=0.6'],
    ['the seed', (actions) => actions.setSeed(7), 'seed=7'],
    ['the rows', (actions) => actions.setTokens(16), 'rows=16'],
    ['the factor of the pre-scale', (actions) => actions.setPreScale({ factor: 0.6 }), 'pre=0.6'],
    ['the held-out share', (actions) => actions.setHeldOutShare(0.2), 'eval=0.2'],
    ['an option', (actions) => actions.setMethodOption('flatquant', 'steps', 60), 'm=rtn,quarot,flatquant(steps=60)'],
    ['the theme', (actions) => actions.setTheme('dark'), 'th=dark'],
  ])('is kept while %s changes', async (_name, change, link) => {
    await store.actions.applyLink('')
    const before = entries()
    change(store.actions)
    expect(window.location.hash).toBe(`#v=1&${link}`)
    expect(entries()).toBe(before)
  })

  it('is not made by pointing, which leaves the address as it is', async () => {
    await store.actions.applyLink('')
    const [before, replaced] = [entries(), vi.spyOn(window.history, 'replaceState')]
    store.actions.pointMethod('quarot')
    store.actions.pointChannel(7)
    expect([entries(), replaced.mock.calls.length]).toEqual([before, 0])
  })

  it('is made once by opening another layer', async () => {
    await store.actions.applyLink('')
    const before = entries()
    await store.actions.openBuiltIn('plain')
    expect(window.location.hash).toBe('#v=1&src=demo:plain')
    expect(entries()).toBe(before + 1)
  })

  it('is not made by following a link, whatever that changes', async () => {
    await store.actions.applyLink('')
    const before = entries()
    window.history.replaceState(null, '', '#v=1&src=demo:plain&a=syn,t64,o2x9&set=w8a8&view=error')
    const replaced = vi.spyOn(window.history, 'replaceState')
    window.dispatchEvent(new PopStateEvent('popstate'))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(store.getState().source.active).toBe('plain')
    expect(window.location.hash).toBe('#v=1&src=demo:plain&a=syn,t64,o2x9&set=w8a8&view=error')
    expect(entries()).toBe(before)
    // Nor does the address pass through what is half of one link and half of the other.
    expect(replaced).not.toHaveBeenCalled()
  })
})

it('keeps a link that waits for its file, with the settings of now', async () => {
  await store.actions.applyLink('#v=1&src=file:mine.safetensors,26,&w=b.weight')
  store.actions.setSeed(7)
  await vi.waitFor(() => expect(window.location.hash).toBe('#v=1&src=file:mine.safetensors,26,&w=b.weight&seed=7'))
})

it('writes a number that is dragged now and then, its last value always, and never after a choice', async () => {
  await store.actions.applyLink('')
  const replaced = vi.spyOn(window.history, 'replaceState')
  for (let seed = 1; seed <= 60; seed++) store.actions.setSeed(seed)
  expect(replaced.mock.calls.length).toBeLessThanOrEqual(2)
  await vi.waitFor(() => expect(window.location.hash).toBe('#v=1&seed=60'))
  for (let seed = 61; seed <= 70; seed++) store.actions.setSeed(seed)
  store.actions.setView('channels')
  expect(window.location.hash).toBe('#v=1&seed=70&view=channels')
  const calls = replaced.mock.calls.length
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(replaced.mock.calls.length).toBe(calls)
  expect(window.location.hash).toBe('#v=1&seed=70&view=channels')
})

it('follows Back to the view before', async () => {
  await store.actions.applyLink('')
  store.actions.setView('channels')
  window.history.replaceState(null, '', '/')
  window.dispatchEvent(new PopStateEvent('popstate'))
  expect(store.getState().view.view).toBe('distribution')
})

it('follows Back to the setting before', async () => {
  await store.actions.applyLink('')
  store.actions.setSetting(VOCABULARY.settings[0])
  window.history.replaceState(null, '', '/')
  window.dispatchEvent(new PopStateEvent('popstate'))
  expect(store.getState().setup.setting.id).toBe('W4A4')
})
