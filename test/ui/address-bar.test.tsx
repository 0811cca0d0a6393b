import { afterEach, beforeEach, expect, it } from 'vitest'
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
afterEach(() => unbind())

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

it('replaces the entry for a control and pushes one for a view', async () => {
  await store.actions.applyLink('')
  const before = window.history.length
  store.actions.setSeed(7)
  store.actions.setPreScale(false)
  expect(window.location.hash).toBe('#v=1&pre=0&seed=7')
  expect(window.history.length).toBe(before)
  store.actions.setView('channels')
  expect(window.location.hash).toBe('#v=1&pre=0&seed=7&view=channels')
  expect(window.history.length).toBe(before + 1)
})

it('follows Back to the view before', async () => {
  await store.actions.applyLink('')
  store.actions.setView('channels')
  window.history.replaceState(null, '', '/')
  window.dispatchEvent(new PopStateEvent('popstate'))
  expect(store.getState().view.view).toBe('distribution')
})
