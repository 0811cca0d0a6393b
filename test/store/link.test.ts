import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { blobSource } from '../../src/io/byte-source'
import { headerHash } from '../../src/io/header-hash'
import { createAppStore } from '../../src/store/app-store'
import { fragmentOf } from '../../src/store/link-actions'
import { awaitedFiles } from '../../src/store/link-restore'
import { emptyReason, pageState, tiles } from '../../src/store/selectors'
import { readLink } from '../../src/store/url'
import { FakeEngine, VOCABULARY } from './fake-engine'
import { tensor } from './fake-sources'

let engine: FakeEngine
const fetched: string[] = []

const settle = () => vi.advanceTimersByTimeAsync(20)

/** A page that was opened with this fragment. */
async function opened(fragment: string) {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => {
      fetched.push(file)
      return new File([file], file)
    },
    now: () => 0,
    debounceMs: 10,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await settle()
  const open = async (...files: File[]) => {
    await store.actions.openFiles(files)
    await settle()
  }
  const link = () => fragmentOf(store.getState(), VOCABULARY)
  const notes = () => store.getState().source.notes
  return { store, open, link, notes, source: () => store.getState().source }
}

/** A file whose header is `header`, so that its digest is known. */
function fileOf(name: string, header = '{}'): File {
  const length = new DataView(new ArrayBuffer(8))
  length.setBigUint64(0, BigInt(header.length), true)
  return new File([length.buffer, header], name)
}

const HASH = '44136fa355b3' // of the header '{}'
const MINE = `v=1&src=file:mine.safetensors,10,${HASH}&w=b.weight&a=syn,t64,o2x9&set=w8a8&rows=100`

beforeEach(() => {
  vi.useFakeTimers()
  engine = new FakeEngine()
  engine.listings['mine.safetensors'] = [tensor('a.weight', [64, 64]), tensor('b.weight', [64, 64])]
  engine.listings['renamed.safetensors'] = engine.listings['mine.safetensors']
  engine.listings['other.safetensors'] = [tensor('o.weight', [96, 64]), tensor('o.input', [8, 64])]
  fetched.length = 0
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a link to a file that is not open', () => {
  it('waits: nothing is fetched or computed, and the tiles say for what', async () => {
    const { store, link, source } = await opened(`#${MINE}`)
    expect(awaitedFiles(source()).map(({ name }) => name)).toEqual(['mine.safetensors'])
    expect(engine.runs).toHaveLength(0)
    expect(fetched).toEqual([])
    expect(tiles(store.getState()).map(({ status }) => status)).toEqual(['waiting', 'waiting', 'waiting'])
    expect(emptyReason(store.getState())).toBe('Waiting for mine.safetensors')
    expect(pageState(store.getState())).toBe('ready')
    expect(link()).toBe(MINE)
  })

  it('shows nothing of the comparison before, which would pass for the linked one', async () => {
    const { store } = await opened('')
    engine.finish()
    await settle()
    await store.actions.applyLink(`#${MINE}`)
    await settle()
    expect(tiles(store.getState()).map(({ outcome }) => outcome)).toEqual([null, null, null])
    expect(engine.runs).toHaveLength(1)
  })

  it('is restored by that file, under whatever name it now has', async () => {
    for (const name of ['mine.safetensors', 'renamed.safetensors']) {
      const { open, notes, source } = await opened(`#${MINE}`)
      await open(fileOf(name))
      expect(source()).toMatchObject({ pendingLink: null, active: 'user', weight: { tensor: 'b.weight' } })
      expect(notes()).toEqual([])
      expect(engine.last.choice.activations).toMatchObject({ kind: 'synthetic', spec: { tokens: 64 } })
    }
  })

  it('is restored when another file comes with it', async () => {
    const { open, source } = await opened(`#${MINE}`)
    await open(fileOf('other.safetensors', '{ }'), fileOf('mine.safetensors'))
    expect(source()).toMatchObject({ pendingLink: null, weight: { tensor: 'b.weight' } })
  })

  it('takes a file of that name with another header, and says so (LK-02)', async () => {
    const { open, link, notes } = await opened(`#${MINE}`)
    const found = await headerHash(blobSource('x', fileOf('', '{ }')))
    await open(fileOf('mine.safetensors', '{ }'))
    expect(notes()).toMatchObject([{ code: 'LK-02' }])
    expect(notes()[0].message).toContain(`expected header ${HASH}, found ${found}`)
    expect(link()).toContain(`src=file:mine.safetensors,11,${found}`)
  })

  it('gives way to another file, which becomes the source of the link, and says so (LK-04)', async () => {
    const { open, link, source, notes } = await opened(`#${MINE}`)
    await open(fileOf('other.safetensors', '{ }'))
    expect(source().pendingLink).toBeNull()
    expect(engine.last.choice.weight.tensor).toBe('o.weight')
    expect(link()).toMatch(/^v=1&src=file:other.safetensors,11,[0-9a-f]{12}&set=w8a8&rows=100$/)
    const other = await headerHash(blobSource('x', fileOf('', '{ }')))
    const message = expect.stringContaining(
      `made with "mine.safetensors" (10 bytes, header ${HASH}); this is "other.safetensors" (11 bytes, header ${other}).`,
    )
    expect(notes()).toEqual([{ code: 'LK-04', message }])
    await open(fileOf('other.safetensors', '{ }'))
    expect(notes()).toEqual([])
  })

  it('gives way to a built-in layer that is chosen', async () => {
    const { store, link } = await opened(`#${MINE}`)
    await store.actions.openBuiltIn('plain')
    await settle()
    expect(engine.last.choice.weight.tensor).toBe('q_proj.weight')
    expect(link()).toContain('src=demo:plain&set=w8a8')
  })

  it('can be dismissed for the first built-in layer', async () => {
    const { store, source } = await opened(`#${MINE}`)
    store.actions.dismissLink()
    await settle()
    expect(source()).toMatchObject({ pendingLink: null, active: 'outliers' })
    expect(engine.runs).toHaveLength(1)
  })

  it('stays when the file that came cannot be read', async () => {
    const { open, source } = await opened(`#${MINE}`)
    engine.listings['mine.safetensors'] = { kind: 'file', code: 'ST-05', message: 'byte 8.' }
    await open(fileOf('mine.safetensors'))
    expect(source().pendingLink).not.toBeNull()
    expect(source().problems).toHaveLength(1)
  })

  it('waits for all of its files', async () => {
    const { open, store, source } = await opened('#src=file:w.safetensors,10,+file:x.safetensors,10,&a=file:acts')
    engine.listings['w.safetensors'] = [tensor('up.weight', [96, 64]), tensor('up.input', [8, 64])]
    engine.listings['x.safetensors'] = [tensor('acts', [512, 64])]
    await open(fileOf('w.safetensors'))
    expect(emptyReason(store.getState())).toBe('Waiting for x.safetensors')
    expect(engine.runs).toHaveLength(0)
    await open(fileOf('x.safetensors', '{ }'))
    expect(source().pendingLink).toBeNull()
    expect(engine.last.choice.activations).toMatchObject({ tensor: 'acts' })
  })

  it('names tensors the file does not have (LK-03)', async () => {
    const { open, notes } = await opened(`#v=1&src=file:mine.safetensors,10,${HASH}&w=c.weight`)
    await open(fileOf('mine.safetensors'))
    expect(notes()).toMatchObject([{ code: 'LK-03', message: expect.stringContaining('ignored: w.') }])
  })
})

describe('a link to own files', () => {
  it('names those that are compared, and finds them again among others', async () => {
    const { store, open, link, source } = await opened('')
    engine.listings['twin.safetensors'] = engine.listings['mine.safetensors']
    await open(fileOf('mine.safetensors'))
    await open(fileOf('twin.safetensors', '{ }'))
    const second = source().weight
    const made = link()
    expect(made).toMatch(/^v=1&src=file:twin.safetensors,11,[0-9a-f]{12}$/)
    store.actions.showOwnFile(source().files.find(({ name }) => name === 'mine.safetensors')?.id ?? '')
    expect(link()).not.toBe(made)
    await store.actions.applyLink(`#${made}`)
    expect(source().weight).toEqual(second)
  })

  it('opens the built-in layer when the last one is closed', async () => {
    const { store, open, source } = await opened(`#${MINE}`)
    await open(fileOf('mine.safetensors'))
    store.actions.closeFile(source().weight?.fileId ?? '')
    await settle()
    expect(source().active).toBe('outliers')
  })
})

describe('what a link says wrongly', () => {
  const ignored = (text: string) => readLink(text, VOCABULARY).ignored

  it('is named in one remark, in the order of the link (LK-03)', async () => {
    const { notes, store } = await opened('#src=demo:nope&set=w9a9&view=zzz&seed=foo&rule=bar')
    expect(notes()).toHaveLength(1)
    expect(notes()[0]).toMatchObject({ code: 'LK-03' })
    expect(notes()[0].message).toContain('ignored: src, set, view, seed, rule.')
    store.actions.dismissProblems()
    expect(notes()).toEqual([])
  })

  it.each([
    ['v=2', 'v'],
    ['src=disk:x', 'src'],
    ['src=demo:plain+demo:nope', 'src'],
    ['a=noise', 'a'],
    ['a=syn,t1,o2x9', 'a'],
    ['set=custom&wf=fp3&af=16', 'wf'],
    ['tie=up', 'tie'],
    ['pre=yes', 'pre'],
    ['seed=99999999999', 'seed'],
    ['eval=0.9', 'eval'],
    ['rows=1', 'rows'],
    ['m=rtn,nope', 'm'],
    ['m=rtn,flatquant(steps=99999)', 'm'],
    ['m=rtn,flatquant(speed=9)', 'm'],
    ['ax=4d', 'ax'],
    ['ax=own,flat', 'ax'],
    ['th=pink', 'th'],
    ['zoom=3', 'zoom'],
  ])('%s', (text, key) => {
    expect(ignored(text)).toEqual([key])
  })

  it('is nothing in a link that is right', () => {
    const full = 'v=1&src=demo:plain&w=x&a=syn,t64,o2x9&set=custom&wf=16&af=mxfp8_e4m3&rule=ceil&tie=away&pre=0'
    expect(ignored(`#${full}&seed=3&eval=0&rows=2&m=-rtn,flatquant(steps=120)&view=error&ax=3d,own&th=dark`)).toEqual(
      [],
    )
    expect(ignored('src=none&tie=even&ax=map&th=auto&pre=1')).toEqual([])
  })
})
