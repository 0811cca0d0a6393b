import { beforeEach, describe, expect, it } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { sortFiles } from '../../src/store/incoming-files'
import type { KeptFile, KeptFiles } from '../../src/store/kept-files'
import { fragmentOf } from '../../src/store/link-actions'
import { fileLines } from '../../src/store/open-file-lines'
import { offeredFiles } from '../../src/store/repository-files'
import { layerChoice } from '../../src/store/result-keys'
import { visibleFiles } from '../../src/store/selection'
import { FakeEngine, VOCABULARY } from './fake-engine'
import { tensor } from './fake-sources'

let engine: FakeEngine
let keptFiles: KeptFiles | undefined

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))
const named = (...names: string[]) => names.map((name) => new File(['12345678'], name))

async function opened(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    ...(keptFiles && { keptFiles }),
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  return store
}
const own = (store: AppStore) =>
  visibleFiles({ files: store.getState().source.files, active: 'user' }).map(({ name }) => name)

const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']

beforeEach(() => {
  engine = new FakeEngine()
  keptFiles = undefined
  engine.listings[SHARDS[0]] = [
    tensor('layers.0.q_proj.weight', [64, 64]),
    tensor('layers.0.input_layernorm.weight', [64]),
  ]
  engine.listings[SHARDS[1]] = [tensor('layers.1.q_proj.weight', [64, 64]), tensor('layers.1.q_proj.input', [40, 64])]
  engine.indices['model.safetensors.index.json'] = {
    title: 'model',
    shards: SHARDS.map((name) => ({ name, isOpen: false })),
    tensorsOpen: 0,
    tensorsTotal: 4,
    notes: [],
  }
})

describe('several files', () => {
  it('that belong together are one, and closing it closes them', async () => {
    const store = await opened()
    await store.actions.openFiles(named('model.safetensors.index.json', ...SHARDS, 'config.json'))
    expect(own(store)).toEqual(['model'])
    const { source } = store.getState()
    const [checkpoint] = visibleFiles(source)
    expect(checkpoint.tensors).toHaveLength(4)
    // The weight whose own input was captured.
    expect(source.weight).toEqual({ fileId: checkpoint.id, tensor: 'layers.1.q_proj.weight' })
    expect(source.notes).toEqual([])
    store.actions.closeFile(checkpoint.id)
    expect(engine.closed).toEqual([checkpoint.id, ...checkpoint.parts])
    expect(store.getState().source.active).toBe('outliers')
    expect(own(store)).toEqual([])
  })

  it('stay usable while one is missing, which is named; when it comes, what is chosen stays', async () => {
    const store = await opened()
    await store.actions.openFiles(named('model.safetensors.index.json', SHARDS[0]))
    const line = () => fileLines(store.getState().source.files)
    expect(line()).toHaveLength(1)
    expect(line()[0].notes).toEqual([{ code: 'IX-03', message: `Missing: ${SHARDS[1]}.` }])
    expect(store.getState().source.weight?.tensor).toBe('layers.0.q_proj.weight')
    const before = store.getState().source.weight?.fileId
    await store.actions.openFiles(named(SHARDS[1]))
    expect(line()[0]).toMatchObject({ name: 'model', amount: '2 files, 4 tensors, 16 B', notes: [] })
    const { weight } = store.getState().source
    expect(weight?.tensor).toBe('layers.0.q_proj.weight')
    expect(weight?.fileId).not.toBe(before)
    expect(engine.closed).toEqual([before])
  })

  it('of an index alone are asked for by name', async () => {
    const store = await opened()
    await store.actions.openFiles(named('model.safetensors.index.json'))
    expect(store.getState().source.active).toBe('outliers')
    const [line] = fileLines(store.getState().source.files)
    expect(line.amount).toBe('names 2 files')
    expect(line.notes[0]).toEqual({
      code: 'IX-03',
      message: `Open the files it names to read their 4 tensors: ${SHARDS.join(', ')}.`,
    })
  })

  it('are sorted by name: what is not ours is said once, companions of a model not at all', () => {
    const sorted = (...names: string[]) => {
      const { ours, note } = sortFiles(named(...names))
      return [ours.map(({ name }) => name), note?.message ?? null]
    }
    expect(sorted('a.safetensors', 'config.json', 'tokenizer.json', 'README.md', '.gitattributes')).toEqual([
      ['a.safetensors', 'config.json'],
      null,
    ])
    expect(sorted('a.npy', 'b.png', 'c.png', 'd.png', 'e.png')).toEqual([
      ['a.npy'],
      'Not opened: "b.png", "c.png", "d.png" and 1 more. Expected .safetensors, .npy or a .safetensors.index.json.',
    ])
    // Its bytes say what it is.
    expect(sorted('weights')).toEqual([['weights'], null])
    expect(sorted('pytorch_model-1.bin', 'pytorch_model-2.bin')[0]).toEqual(['pytorch_model-1.bin'])
  })
})

describe('a link to a checkpoint', () => {
  it('names the files that hold what is compared, and is restored by them, joined or not', async () => {
    const store = await opened()
    await store.actions.openFiles(named(...SHARDS))
    const fragment = fragmentOf(store.getState(), VOCABULARY)
    expect(fragment).toBe(`v=1&src=file:${SHARDS[1]},8,&w=layers.1.q_proj.weight&a=file:layers.1.q_proj.input`)
    for (const files of [SHARDS, SHARDS.slice(1)]) {
      engine = new FakeEngine()
      for (const name of SHARDS)
        engine.listings[name] =
          name === SHARDS[1]
            ? [tensor('layers.1.q_proj.weight', [64, 64]), tensor('layers.1.q_proj.input', [40, 64])]
            : [tensor('x', [64])]
      const other = await opened(fragment)
      expect(other.getState().source.pendingLink).not.toBeNull()
      await other.actions.openFiles(named(...files))
      expect(other.getState().source).toMatchObject({ pendingLink: null, weight: { tensor: 'layers.1.q_proj.weight' } })
      expect(fragmentOf(other.getState(), VOCABULARY)).toContain(`src=file:${SHARDS[1]},8,`)
    }
  })

  it('keeps the matrix of a stack', async () => {
    engine.listings['experts.safetensors'] = [tensor('experts.gate', [4, 64, 64])]
    const store = await opened()
    await store.actions.openFiles(named('experts.safetensors'))
    const [{ id }] = visibleFiles(store.getState().source)
    store.actions.chooseWeight({ fileId: id, tensor: 'experts.gate', slice: 3 })
    expect(layerChoice(store.getState())?.weight).toEqual({ fileId: id, tensor: 'experts.gate', slice: 3 })
    expect(fragmentOf(store.getState(), VOCABULARY)).toContain('&w=experts.gate%5B3%5D')
    await store.actions.applyLink(fragmentOf(store.getState(), VOCABULARY))
    expect(store.getState().source.weight).toEqual({ fileId: id, tensor: 'experts.gate', slice: 3 })
  })
})

describe('a file of a server', () => {
  const URL_A = 'https://example.org/a/layer.safetensors'
  const remote = (store: AppStore) => store.getState().source.remote

  it('is opened with its bytes counted, and stands in the link', async () => {
    const store = await opened()
    const opening = store.actions.openAddress(` ${URL_A} `, 'secret')
    const [{ url, token, onProgress, open }] = engine.openings
    expect([url, token]).toEqual([URL_A, 'secret'])
    onProgress({ done: 10, total: 100 })
    expect(remote(store).opening).toMatchObject({ what: 'layer.safetensors', progress: { done: 10, total: 100 } })
    expect(store.getState().source.active).toBe('outliers')
    open()
    await opening
    expect(remote(store).opening).toBeNull()
    expect(own(store)).toEqual(['layer.safetensors'])
    expect(fragmentOf(store.getState(), VOCABULARY)).toBe(`v=1&src=url:${encodeURIComponent(URL_A)},1000`)
  })

  it('is not asked for by a link before the user says so', async () => {
    const store = await opened(`#src=url:${encodeURIComponent(URL_A)},1000&set=w8a8`)
    expect(engine.openings).toEqual([])
    expect(store.getState().source.pendingLink?.sources).toMatchObject([{ url: URL_A, name: 'layer.safetensors' }])
    const opening = store.actions.openUrls([URL_A])
    engine.openings[0].open()
    await opening
    expect(store.getState().source).toMatchObject({ pendingLink: null, weight: { tensor: 'q_proj.weight' } })
  })

  it('says why it could not be opened, and what was there stays', async () => {
    const store = await opened()
    const opening = store.actions.openAddress(URL_A)
    const error = { kind: 'file', code: 'HT-06', message: 'no such file (404).' } as const
    engine.openings[0].fail(error)
    await opening
    expect(remote(store)).toMatchObject({ opening: null, error })
    expect(store.getState().source.active).toBe('outliers')
  })

  it('can be cancelled, which is no error', async () => {
    const store = await opened()
    const opening = store.actions.openAddress(URL_A)
    store.actions.cancelOpening()
    await opening
    expect(engine.cancelled).toContain('opening-1')
    expect(remote(store)).toMatchObject({ opening: null, error: null })
    expect(own(store)).toEqual([])
  })

  it('that gives way to another one does not end that one', async () => {
    const store = await opened()
    const first = store.actions.openAddress(URL_A)
    const second = store.actions.openAddress('https://example.org/b.safetensors')
    await first
    await settle()
    expect(remote(store).opening?.what).toBe('b.safetensors')
    engine.openings[1].open()
    await second
    expect(own(store)).toEqual(['b.safetensors'])
  })

  it('tells what a run waits for', async () => {
    const store = await opened()
    void store.actions.openAddress(URL_A)
    engine.tellReading({ file: 'layer.safetensors', tensor: 'w', done: 1, total: 2 })
    expect(store.getState().source.fetching).toMatchObject({ tensor: 'w', done: 1 })
    engine.tellReading(null)
    expect(store.getState().source.fetching).toBeNull()
  })

  it('may be chosen from a repository, all of the outermost folder together', async () => {
    const file = (path: string, kind: 'safetensors' | 'index' | 'config' = 'safetensors') => ({
      path,
      kind,
      byteLength: 10,
      url: `https://huggingface.co/o/m/resolve/main/${path}`,
    })
    const index = file('model.safetensors.index.json', 'index')
    const files = [file('original/a.safetensors'), ...SHARDS.map((name) => file(name)), index]
    engine.repository = { ok: true, value: { id: 'o/m', revision: 'main', files } }
    const store = await opened()
    await store.actions.openAddress('o/m')
    const { repository } = remote(store)
    if (repository === null) throw new Error('no repository is listed')
    const { together, byteLength } = offeredFiles(repository)
    expect(byteLength).toBe(20)
    const opening = store.actions.openUrls(together.map(({ url }) => url))
    for (let at = 0; at < together.length; at++) {
      engine.openings[at].open(engine.listings[SHARDS[at - 1]] as never)
      await settle()
    }
    await opening
    expect(own(store)).toEqual(['model'])
    expect(remote(store).repository).toBeNull()
  })

  it('named by a Hub address with a path is opened at once', async () => {
    const store = await opened()
    void store.actions.openAddress('https://huggingface.co/o/m/blob/main/x.safetensors')
    expect(engine.openings[0].url).toBe('https://huggingface.co/o/m/resolve/main/x.safetensors')
  })
})

describe('files of the visit before', () => {
  let kept: readonly KeptFile[] = []
  beforeEach(() => {
    kept = [{ name: 'mine.safetensors', byteLength: 8 }]
    keptFiles = {
      list: async () => kept,
      keep: async (files) => {
        kept = files.map(({ name, size }) => ({ name, byteLength: size }))
      },
      open: async () => named(...kept.map(({ name }) => name)),
    }
  })

  it('are offered, and opened on request', async () => {
    const store = await opened()
    expect(store.getState().source.kept).toEqual(kept)
    expect(own(store)).toEqual([])
    await store.actions.reopenFiles()
    expect(own(store)).toEqual(['mine.safetensors'])
    expect(store.getState().source.kept).toEqual([])
  })

  it('answer a link that waits for them', async () => {
    const store = await opened('#src=file:mine.safetensors,8,&set=w8a8')
    expect(store.getState().source.pendingLink).not.toBeNull()
    await store.actions.reopenFiles()
    expect(store.getState().source).toMatchObject({ pendingLink: null, active: 'user' })
  })

  it('are those that were open last', async () => {
    const store = await opened()
    await store.actions.openFiles(named('a.safetensors'))
    await store.actions.openFiles(named('b.safetensors'))
    expect(kept.map(({ name }) => name)).toEqual(['a.safetensors', 'b.safetensors'])
    store.actions.closeFile(visibleFiles(store.getState().source)[0].id)
    expect(kept.map(({ name }) => name)).toEqual(['b.safetensors'])
    store.actions.forgetFiles()
    expect(kept).toEqual([])
  })

  it('that cannot be kept are said so once', async () => {
    keptFiles = { ...keptFiles, list: async () => [], keep: () => Promise.reject(new Error('private')) } as KeptFiles
    const store = await opened()
    await store.actions.openFiles(named('a.safetensors'))
    await settle()
    expect(store.getState().source.notes.map(({ code }) => code)).toEqual(['IO-05'])
  })

  it('that are gone are said so', async () => {
    keptFiles = { ...keptFiles, list: async () => kept, open: () => Promise.reject(new Error('moved')) } as KeptFiles
    const store = await opened()
    await store.actions.reopenFiles()
    expect(store.getState().source.problems[0]).toMatchObject({ name: 'mine.safetensors', error: { code: 'IO-06' } })
  })
})

describe('activations that are not captured', () => {
  it('take the gain of the norm before the weight where its file has it', async () => {
    const store = await opened()
    await store.actions.openFiles(named('a.safetensors'))
    engine.listings['norm.safetensors'] = [
      tensor('model.layers.0.self_attn.q_proj.weight', [64, 64]),
      tensor('model.layers.0.self_attn.o_proj.weight', [64, 64]),
      tensor('model.layers.0.input_layernorm.weight', [64]),
    ]
    store.actions.closeFile(visibleFiles(store.getState().source)[0].id)
    await store.actions.openFiles(named('norm.safetensors'))
    const [{ id }] = visibleFiles(store.getState().source)
    expect(store.getState().source.activations).toEqual({ kind: 'norm' })
    expect(layerChoice(store.getState())?.activations).toMatchObject({
      kind: 'synthetic',
      gain: { fileId: id, tensor: 'model.layers.0.input_layernorm.weight', plusOne: false },
    })
    expect(fragmentOf(store.getState(), VOCABULARY)).not.toContain('a=')
    store.actions.chooseActivations({ kind: 'synthetic' })
    expect(layerChoice(store.getState())?.activations).toMatchObject({ gain: null })
    expect(fragmentOf(store.getState(), VOCABULARY)).toContain('a=syn,t512,o6x20')
    // o_proj reads no norm.
    store.actions.chooseWeight({ fileId: id, tensor: 'model.layers.0.self_attn.o_proj.weight' })
    expect(store.getState().source.activations).toEqual({ kind: 'synthetic' })
  })
})
