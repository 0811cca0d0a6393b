import { beforeEach, describe, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { DEFAULT_PINS, formatPins, parsePins } from '../../src/store/block-pin'
import { blocksError, comparedFormats, shownBlock, shownMap, shownValues } from '../../src/store/blocks-view'
import { fragmentOf } from '../../src/store/link-actions'
import { FAKE_IN_DIM, FakeEngine, VOCABULARY } from './fake-engine'

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})

function newStore() {
  return createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
}

const later = () => new Promise((resolve) => setTimeout(resolve, 0))

async function open(fragment = '') {
  const store = newStore()
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  return store
}

async function load(store: ReturnType<typeof newStore>) {
  store.actions.loadBlocks()
  await later()
}

describe('the Blocks view', () => {
  it('asks for nothing before there is a layer and a device', () => {
    const store = newStore()
    store.actions.loadBlocks()
    expect(engine.looks).toEqual([])
    expect([shownMap(store.getState()), shownBlock(store.getState())]).toEqual([null, null])
  })

  it('reads the map and the row once, and again for what changes', async () => {
    const store = await open()
    await load(store)
    await load(store)
    expect(engine.looks).toEqual(['map weight 32', 'row weight 0'])
    expect(shownMap(store.getState())?.blocks).toBe(2)
    store.actions.selectBlock(7, 1)
    await load(store)
    expect(engine.looks.slice(2)).toEqual(['row weight 7'])
    expect(shownBlock(store.getState())).toEqual({
      row: 7,
      block: 1,
      blocks: 2,
      columns: { start: 32, end: FAKE_IN_DIM },
    })
    store.actions.selectBlock(7, 0)
    await load(store)
    expect(engine.looks.length).toBe(3)
    store.actions.setOperand('activations')
    expect([shownMap(store.getState()), shownValues(store.getState())]).toEqual([null, null])
    await load(store)
    expect(engine.looks.slice(3)).toEqual(['map activations 32', 'row activations 7'])
  })

  it('keeps the block within the operand', async () => {
    const store = await open('#pin=w,900,44')
    await load(store)
    expect(shownBlock(store.getState())).toMatchObject({ row: 63, block: 1 })
  })

  it('drops an answer that came too late', async () => {
    const store = await open()
    const answers: (() => void)[] = []
    const readRow = engine.readRow.bind(engine)
    engine.readRow = (choice, query) =>
      new Promise((resolve) => answers.push(() => void readRow(choice, query).then(resolve)))
    store.actions.loadBlocks()
    store.actions.selectBlock(5, 0)
    store.actions.loadBlocks()
    answers[1]()
    await later()
    answers[0]()
    await later()
    expect(shownValues(store.getState())?.row).toBe(5)
  })

  it('says what failed and asks again only when told to', async () => {
    const store = await open()
    engine.lookError = { kind: 'gpu', code: 'GP-03', message: 'out of GPU memory' }
    await load(store)
    await load(store)
    expect(engine.looks.length).toBe(2)
    expect(blocksError(store.getState())?.code).toBe('GP-03')
    engine.lookError = null
    store.actions.retryBlocks()
    await later()
    expect(blocksError(store.getState())).toBeNull()
    expect(shownMap(store.getState())).not.toBeNull()
  })

  it('compares the format of the operand with NVFP4, or what was chosen', async () => {
    const store = await open('#set=w4a8')
    const compared = () => comparedFormats(store.getState())
    expect(compared()).toEqual(['mxfp4', 'nvfp4'])
    store.actions.setOperand('activations')
    expect(compared()).toEqual(['mxfp8_e4m3', 'nvfp4'])
    store.actions.setBlockFormat(0, 'nvfp4')
    expect(compared()).toEqual(['nvfp4', 'nvfp4'])
    store.actions.setBlockFormat(1, 'int4(group=32)')
    expect(compared()).toEqual(['nvfp4', 'int4(group=32)'])
  })

  it('keeps the open block on its channels when the block size changes', async () => {
    const store = await open('#pin=w,3,1')
    await load(store)
    store.actions.setBlockSize(8)
    await load(store)
    expect(shownBlock(store.getState())).toMatchObject({ row: 3, block: 4, columns: { start: 32, end: 40 } })
    store.actions.setBlockSize(64)
    await load(store)
    expect(store.getState().blocks.block).toBe(0)
    expect(fragmentOf(store.getState(), VOCABULARY)).toContain('pin=w,3,0')
  })

  it('has the block on screen in its link, once it is read', async () => {
    const store = await open('#pin=w,900,44')
    expect(fragmentOf(store.getState(), VOCABULARY)).toContain('pin=w,900,44')
    await load(store)
    expect(fragmentOf(store.getState(), VOCABULARY)).toContain('pin=w,63,1')
  })

  it('stands in the link, and is restored by it', async () => {
    const store = await open()
    expect(fragmentOf(store.getState(), VOCABULARY)).not.toContain('pin')
    store.actions.setOperand('activations')
    store.actions.selectBlock(12, 1)
    store.actions.setBlockFormat(1, 'int4(group=32)')
    store.actions.setBlockPreScale(0.6)
    const fragment = fragmentOf(store.getState(), VOCABULARY)
    expect(fragment).toContain('pin=x,12,1')
    const other = await open(`#${fragment}`)
    expect(other.getState().blocks).toMatchObject({
      operand: 'activations',
      row: 12,
      block: 1,
      formats: ['mxfp4', 'int4(group=32)'],
      preScale: 0.6,
    })
  })
})

it('pins are what their parts say, each of them or none', () => {
  const rejected: string[] = []
  const parse = (text: string) => parsePins(text, ['quarot', 'quarot+gptq'], () => rejected.push(text))
  const block = { operand: 'activations' as const, row: 12, block: 44 }
  expect(parse('x,12,44')).toEqual({ ...DEFAULT_PINS, block })
  expect(parse('x,12,44+c1415+mquarot+gptq')).toEqual({ block, channel: 1415, method: 'quarot+gptq' })
  expect(parse('mquarot%2Bgptq')).toEqual({ ...DEFAULT_PINS, method: 'quarot+gptq' })
  expect(rejected).toEqual([])
  expect(formatPins({ ...DEFAULT_PINS, block: { operand: 'weight', row: 3, block: 0 } })).toBe('w,3,0')
  expect(formatPins({ ...DEFAULT_PINS, channel: 7, method: 'quarot' })).toBe('c7+mquarot')
  const wrong = ['x', 'x,1', 'y,1,2', 'x,1,2,3', 'x,-1,2', 'w,1.5,2', 'c', 'c-1', 'c1.5', 'mnone', 'm']
  for (const text of wrong) expect(parse(text)).toEqual(DEFAULT_PINS)
  expect(rejected).toEqual(wrong)
  expect(parse('c7+zzz')).toEqual({ ...DEFAULT_PINS, channel: 7 })
})
