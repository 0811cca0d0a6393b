import { beforeEach, describe, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { chosenSpan, litMethod, methodMark, pickedBlock } from '../../src/store/highlight'
import { fragmentOf } from '../../src/store/link-actions'
import { FACTS, FakeEngine, VOCABULARY } from './fake-engine'

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})

const later = () => new Promise((resolve) => setTimeout(resolve, 5))

async function open(fragment = '') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await later()
  engine.finish()
  await later()
  return store
}

describe('a method', () => {
  it('is brought forward while it is pointed at, the pinned one otherwise', async () => {
    const { actions, getState } = await open()
    actions.pinMethod('quarot')
    actions.pointMethod('rtn')
    expect([litMethod(getState()), methodMark(getState(), 'rtn'), methodMark(getState(), 'quarot')]).toEqual([
      'rtn',
      'pointed',
      'pinned',
    ])
    actions.pointMethod(null)
    expect([litMethod(getState()), methodMark(getState(), 'rtn')]).toEqual(['quarot', undefined])
    actions.pinMethod('quarot')
    expect(litMethod(getState())).toBeNull()
  })

  it('does not change the state where the pointer stays on it', async () => {
    const { actions, getState } = await open()
    actions.pointMethod('rtn')
    actions.pointChannel(3)
    const before = getState()
    actions.pointMethod('rtn')
    actions.pointChannel(3)
    expect(getState()).toBe(before)
  })
})

describe('a channel', () => {
  it('takes the Blocks view to its block and back, in a figure whose channels are those of X', async () => {
    const { actions, getState } = await open()
    expect(chosenSpan(getState())).toBeNull()
    actions.pinChannel(37)
    expect(getState().blocks.block).toBe(1)
    expect(chosenSpan(getState())).toEqual({ start: 32, end: 64 })
    actions.pinChannel(70)
    actions.pinChannel(70)
    expect([getState().highlight.pinnedChannel, getState().blocks.block]).toEqual([null, 0])
    expect(fragmentOf(getState(), VOCABULARY)).toBe('')
  })

  it('leaves the block where it has been chosen since, and goes back with all pins', async () => {
    const { actions, getState } = await open()
    actions.pinCell(37, 3)
    actions.clearPins()
    expect(getState().blocks).toMatchObject({ operand: 'weight', row: 0, block: 0 })
    actions.pinChannel(37)
    actions.selectBlock(5, 1)
    actions.pinChannel(37)
    expect(getState().blocks).toMatchObject({ operand: 'weight', row: 5, block: 1 })
  })

  it('leaves the Blocks view alone where a method mixes channels', async () => {
    const { actions, getState } = await open()
    actions.pointChannel(37, true)
    actions.pinChannel(37)
    actions.pinCell(40, 3)
    expect(getState().blocks).toMatchObject({ operand: 'activations', block: 1 })
    actions.pointChannel(70, true)
    actions.pinCell(70, 5)
    expect(getState().highlight.pinnedChannel).toBe(70)
    expect(getState().blocks.block).toBe(1)
    expect(pickedBlock(getState())).toBeNull()
  })

  it('of one token opens the block of X, counted from the first calibration row', async () => {
    const { actions, getState } = await open()
    expect([FACTS.sameRows, FACTS.calibrationTokens]).toEqual([false, expect.any(Number)])
    actions.pinCell(37, 3)
    const row = FACTS.calibrationTokens + 3
    expect(getState().blocks).toMatchObject({ operand: 'activations', row, block: 1 })
    expect(pickedBlock(getState())).toEqual({ token: row, block: 1 })
    // Another token of the same channel moves the block, the same cell again takes the pin away.
    actions.pinCell(37, 4)
    expect([getState().highlight.pinnedChannel, getState().blocks.row]).toEqual([37, row + 1])
    actions.pinCell(37, 4)
    expect(getState().highlight.pinnedChannel).toBeNull()
  })

  it('belongs to the block of the block size on screen', async () => {
    const { actions, getState } = await open()
    actions.setBlockSize(16)
    actions.pinChannel(37)
    expect(getState().blocks.block).toBe(2)
    expect(chosenSpan(getState())).toEqual({ start: 32, end: 48 })
  })
})

it('pins and the baseline are in the link and come back from it; what is pointed at is not', async () => {
  const first = await open()
  first.actions.pinMethod('quarot')
  first.actions.pinChannel(37)
  first.actions.setBaseline('flatquant')
  const fragment = fragmentOf(first.getState(), VOCABULARY)
  expect(fragment).toBe('v=1&pin=w,0,1+c37+mquarot&base=flatquant')
  first.actions.pointChannel(2)
  first.actions.pointMethod('rtn')
  expect(fragmentOf(first.getState(), VOCABULARY)).toBe(fragment)
  const again = await open(`#${fragment}`)
  expect(again.getState().highlight).toMatchObject({ pinnedMethod: 'quarot', pinnedChannel: 37, baseline: 'flatquant' })
  expect(again.getState().blocks.block).toBe(1)
})
