import { describe, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { type RailSectionId, railSummary, readFolded } from '../../src/store/rail-summary'
import { FakeEngine, VOCABULARY } from './fake-engine'

/** A memory like the device's, with what was written into it. */
function memoryOf(kept: Record<string, string> = {}) {
  const all = new Map(Object.entries(kept))
  return {
    all,
    read: (key: string) => all.get(key) ?? null,
    write: (key: string, value: string) => void all.set(key, value),
  }
}

async function open(fragment = '', memory = memoryOf()) {
  const store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    memory,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  return { store, memory, said: (section: RailSectionId) => railSummary(store.getState(), section) }
}

describe('a folded section of the rail', () => {
  it('says what is chosen in it', async () => {
    const { said, store } = await open()
    expect(said('layer')).toBe('q_proj 64 × 64')
    expect(said('activations')).toMatch(/^captured · \d+ \+ \d+ rows$/)
    expect(said('setting')).toBe('W4A4 · floor · pre-scale 3/4')
    expect(said('methods')).toBe('RTN, QuaRot, FlatQuant')
    store.actions.setHeldOutShare(0)
    expect(said('activations')).toMatch(/^captured · \d+ rows, none held out$/)
    store.actions.showMethod('quarot', false)
    expect(said('methods')).toBe('RTN, FlatQuant')
  })

  it('leaves out what does not reach the formats', async () => {
    const { said, store } = await open('#set=custom&wf=int4&af=int8')
    expect(said('setting')).toBe('INT4 / INT8')
    store.actions.setSetting(VOCABULARY.settings[0])
    expect(said('setting')).toBe('W8A8 · floor')
  })

  it('says nothing of a layer that is not there', async () => {
    const { said } = await open('#src=file:mine.safetensors,8,')
    expect(said('layer')).toBe('')
    expect(said('activations')).toBe('')
  })
})

describe('which sections are folded', () => {
  it('is the rows of the activations at first, and then what the visitor left', async () => {
    const { store, memory } = await open()
    expect(store.getState().view.folded).toEqual(['activations'])
    store.actions.toggleSection('activations')
    expect(store.getState().view.folded).toEqual([])
    store.actions.toggleSection('layer')
    store.actions.toggleSection('methods')
    expect((await open('', memory)).store.getState().view.folded).toEqual(['layer', 'methods'])
    store.actions.toggleSection('layer')
    store.actions.toggleSection('methods')
    expect((await open('', memory)).store.getState().view.folded).toEqual([])
  })

  it('ignores words of another version', () => {
    expect(readFolded(memoryOf({ 'folded-sections': 'setting,colours' }))).toEqual(['setting'])
  })
})
