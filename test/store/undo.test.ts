import { beforeEach, describe, expect, it } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { fragmentOf } from '../../src/store/link-actions'
import { tiles } from '../../src/store/selectors'
import { FakeEngine, VOCABULARY } from './fake-engine'
import { tensor } from './fake-sources'

let engine: FakeEngine

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))
const file = (name: string) => new File(['12345678'], name)

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (name) => new File([name], name),
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}

const said = (store: AppStore) => store.getState().undo.text
const fragment = (store: AppStore) => fragmentOf(store.getState(), VOCABULARY)

beforeEach(() => {
  engine = new FakeEngine()
  engine.listings['one.safetensors'] = [
    tensor('a.q_proj.weight', [64, 64]),
    tensor('a.q_proj.input', [40, 64]),
    tensor('b.q_proj.input', [40, 64]),
    tensor('b.q_proj.weight', [64, 64]),
  ]
  engine.listings['two.safetensors'] = [tensor('c.q_proj.weight', [64, 64])]
})

describe('methods that went', () => {
  it('come back with options, order and what was hidden, as they were', async () => {
    const store = await opened('m=rtn,-quarot(signs=off),flatquant(steps=60)')
    const { methods } = store.getState().setup
    store.actions.setMethods(['rtn'])
    expect(said(store)).toBe('Removed FlatQuant.')
    store.actions.setSeed(5)
    await store.actions.undo()
    expect(store.getState().setup.methods).toEqual(methods)
    // What was chosen since then stays.
    expect(store.getState().setup.seed).toBe(5)
    await settle()
    expect(engine.last.request.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot', 'flatquant'])
  })

  it('are counted, and named by what came of them', async () => {
    const store = await opened('m=rtn,quarot')
    store.actions.setMethods(['rtn', 'flatquant'])
    expect(said(store)).toBe('Replaced QuaRot.')
    await store.actions.undo()
    store.actions.toggleMethod('flatquant')
    expect(said(store)).toBe('Undone.')
    store.actions.setMethods(['rtn'])
    expect(said(store)).toBe('Removed 2 methods.')
  })

  it('are offered back only where one went', async () => {
    const store = await opened('m=rtn')
    store.actions.toggleMethod('quarot')
    store.actions.showMethod('quarot', false)
    store.actions.setMethods(['rtn', 'quarot', 'flatquant'])
    store.actions.resetMethodOptions('quarot')
    // The baseline is hidden where a preset leaves it out, not gone.
    store.actions.setMethods(['quarot', 'flatquant'])
    expect(said(store)).toBeNull()
    store.actions.toggleMethod('quarot')
    expect(said(store)).toBe('Removed QuaRot.')
  })

  it('get their options back after a reset', async () => {
    const store = await opened('m=rtn,flatquant(steps=60,alpha=0.5)')
    const { methods } = store.getState().setup
    store.actions.resetMethodOptions('flatquant')
    expect(said(store)).toBe('Reset 2 options of FlatQuant.')
    await store.actions.undo()
    expect(store.getState().setup.methods).toEqual(methods)
  })
})

describe('a layer that was replaced', () => {
  it('comes back with its activations and rows when another file was dropped', async () => {
    const store = await opened()
    await store.actions.openFiles([file('one.safetensors')])
    const [{ id }] = store.getState().source.files.filter(({ builtIn }) => builtIn === null)
    store.actions.chooseWeight({ fileId: id, tensor: 'b.q_proj.weight' })
    store.actions.chooseActivations({ kind: 'captured', fileId: id, tensor: 'a.q_proj.input' })
    store.actions.setRows({ firstToken: 4, tokens: 16 })
    await settle()
    const before = store.getState().source
    const link = fragment(store)
    const opening = store.actions.openFiles([file('two.safetensors')])
    store.actions.setBlockSize(16)
    await opening
    expect(said(store)).toBe('Replaced one.safetensors › b.q_proj.')
    expect(store.getState().source.weight?.tensor).toBe('c.q_proj.weight')
    store.actions.setSeed(3)
    await store.actions.undo()
    const { weight, activations, active, firstToken, tokens } = store.getState().source
    expect({ weight, activations, active, firstToken, tokens }).toEqual({
      weight: before.weight,
      activations: before.activations,
      active: 'user',
      firstToken: 4,
      tokens: 16,
    })
    // What was chosen since the drop stays.
    expect(fragment(store)).toBe(link.replace('&rows', '&bs=16&seed=3&rows'))
    // The other one is open still.
    expect(store.getState().source.files.map(({ name }) => name)).toContain('two.safetensors')
  })

  it('is opened again when its file was closed', async () => {
    const store = await opened()
    await store.actions.openFiles([file('one.safetensors')])
    const [{ id }] = store.getState().source.files.filter(({ builtIn }) => builtIn === null)
    store.actions.chooseWeight({ fileId: id, tensor: 'b.q_proj.weight' })
    const link = fragment(store)
    store.actions.closeFile(id)
    await settle()
    expect(said(store)).toBe('Closed one.safetensors.')
    expect(store.getState().source.active).toBe('outliers')
    store.actions.setSeed(2)
    await store.actions.undo()
    expect(fragment(store)).toBe(`${link}&seed=2`)
    expect(store.getState().source.weight?.tensor).toBe('b.q_proj.weight')
  })

  it('gets its activations back when only their file was closed', async () => {
    engine.listings['act.safetensors'] = [tensor('c.q_proj.input', [40, 64])]
    const store = await opened()
    await store.actions.openFiles([file('two.safetensors'), file('act.safetensors')])
    const { activations } = store.getState().source
    if (activations.kind !== 'captured') throw new Error('the activations were not paired')
    const link = fragment(store)
    store.actions.closeFile(activations.fileId)
    await settle()
    expect(store.getState().source.activations.kind).toBe('synthetic')
    await store.actions.undo()
    const now = store.getState().source
    expect(now.activations).toMatchObject({ kind: 'captured', tensor: 'c.q_proj.input' })
    expect(now.files.some(({ id }) => now.activations.kind === 'captured' && id === now.activations.fileId)).toBe(true)
    expect(fragment(store)).toBe(link)
  })

  it('says so when activations chosen by hand gave way to automatic ones, and not otherwise', async () => {
    const store = await opened()
    await store.actions.openFiles([file('one.safetensors')])
    const [{ id }] = store.getState().source.files.filter(({ builtIn }) => builtIn === null)
    store.actions.dismissUndo()
    store.actions.chooseWeight({ fileId: id, tensor: 'b.q_proj.weight' })
    await settle()
    expect(said(store)).toBeNull()
    store.actions.chooseActivations({ kind: 'synthetic' })
    store.actions.chooseWeight({ fileId: id, tensor: 'a.q_proj.weight' })
    await settle()
    expect(said(store)).toContain('own choice')
    await store.actions.undo()
    expect(store.getState().source.activations).toEqual({ kind: 'synthetic' })
    expect(store.getState().source.weight?.tensor).toBe('b.q_proj.weight')
  })

  it('comes back with its setup in place of results of a file', async () => {
    const store = await opened('seed=4')
    engine.finish()
    await settle()
    const { resultsDocument } = await import('../../src/store/export-content')
    const { resultsText } = await import('../../src/experiment/results/results-file')
    const results = resultsDocument(store.getState(), VOCABULARY)
    if (results === null) throw new Error('there are no results')
    store.actions.setSeed(9)
    const { setup } = store.getState()
    await store.actions.openFiles([new File([resultsText(results)], 'results.json')])
    expect(store.getState().setup.seed).toBe(4)
    expect(said(store)).toBe('Replaced Demo layer.')
    await store.actions.undo()
    expect(store.getState().setup).toEqual(setup)
    expect(store.getState().source.active).toBe('outliers')
    // And back: the results are on hand still, those of the file before the last too.
    await store.actions.openFiles([new File([resultsText(results)], 'first.json')])
    await store.actions.openFiles([new File([resultsText(results)], 'second.json')])
    await store.actions.undo()
    expect(store.getState().saved.results?.fileName).toBe('first.json')
    await store.actions.openFiles([file('two.safetensors')])
    await store.actions.undo()
    expect(store.getState().source.active).toBe('saved')
    expect(tiles(store.getState()).every(({ status }) => status === 'live')).toBe(true)
  })
})

describe('an undo', () => {
  it('works after its notification is gone, and once', async () => {
    const store = await opened('m=rtn,quarot')
    store.actions.toggleMethod('quarot')
    store.actions.dismissUndo()
    expect(said(store)).toBeNull()
    await store.actions.undo()
    expect(store.getState().setup.methods).toHaveLength(2)
    store.actions.showMethod('quarot', false)
    await store.actions.undo()
    expect(store.getState().setup.methods[1].hidden).toBe(true)
  })

  it('brings pins back', async () => {
    const store = await opened()
    store.actions.clearPins()
    expect(said(store)).toBeNull()
    store.actions.pinMethod('quarot')
    store.actions.pinChannel(7)
    store.actions.clearPins()
    expect(said(store)).toBe('Took both pins away.')
    await store.actions.undo()
    expect(store.getState().highlight).toMatchObject({ pinnedMethod: 'quarot', pinnedChannel: 7 })
  })
})
