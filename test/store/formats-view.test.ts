import { expect, it } from 'vitest'
import { InputError } from '../../src/core/errors'
import { createAppStore } from '../../src/store/app-store'
import { DEFAULT_FORMATS, MAX_LINE_ROWS, triedChoices, triedFactor } from '../../src/store/formats-view'
import { fragmentOf } from '../../src/store/link-actions'
import { FakeEngine, VOCABULARY } from './fake-engine'

function newStore() {
  return createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
}

it('adds, changes and removes rows, written the canonical way', () => {
  const { actions, getState } = newStore()
  actions.addFormatRow('int8(scheme=asym,group=row)')
  expect(getState().formats.rows).toEqual([...DEFAULT_FORMATS.rows, 'int8(scheme=asym)'])
  actions.changeFormatRow(1, 'bf16')
  actions.removeFormatRow(0)
  expect(getState().formats.rows).toEqual(['bf16', 'int4', 'mxfp8_e4m3', 'int8(scheme=asym)'])
  expect(() => actions.addFormatRow('mxfp5')).toThrow(InputError)
})

it('forgets the zoom when the axis turns, not otherwise', () => {
  const { actions, getState } = newStore()
  actions.setLine({ range: { from: -1, to: 2 } })
  actions.setLine({ value: 3, axis: 'linear' })
  expect(getState().formats).toMatchObject({ range: { from: -1, to: 2 }, value: 3 })
  actions.setLine({ axis: 'log' })
  expect(getState().formats.range).toBeNull()
})

it('tries a pre-scale without touching the setting', () => {
  const { actions, getState } = newStore()
  const setup = () => getState().setup
  expect(triedFactor(setup(), null)).toBe(0.75)
  expect(triedChoices(setup(), null).preScale).toEqual({ factor: 0.75, variant: 'exact' })
  expect(triedChoices(setup(), 0.6).preScale).toEqual({ factor: 0.6, variant: 'exact' })
  expect(triedChoices(setup(), 1).preScale).toBeNull()
  actions.setPreScale({ on: false })
  expect(triedFactor(setup(), null)).toBe(1)
  const before = setup()
  actions.setLine({ preScale: 0.9 })
  actions.setBlockPreScale(0.8)
  expect(setup()).toBe(before)
})

it('stands in the link, and is restored by it; a short number for an end that is not typed', async () => {
  const store = newStore()
  await store.actions.applyLink('')
  store.actions.addFormatRow('bf16')
  store.actions.setLine({ scaling: 'exponent', exponent: -3, axis: 'log', value: 0.1 })
  store.actions.setLine({ range: { from: 1 / 3, to: 2 / 3 }, preScale: 0.6 })
  const fragment = fragmentOf(store.getState(), VOCABULARY)
  expect(fragment).toContain('fx=mxfp4+nvfp4+int4+mxfp8_e4m3+bf16&fl=x0.1,exp,k-3,log,r0.333333..0.666667,p0.6')
  const other = newStore()
  await other.actions.applyLink(fragment)
  expect(other.getState().formats).toEqual(store.getState().formats)
})

it('has a bounded number of rows', () => {
  const { actions, getState } = newStore()
  for (let i = 0; i < MAX_LINE_ROWS + 3; i++) actions.addFormatRow('bf16')
  expect(getState().formats.rows.length).toBe(MAX_LINE_ROWS)
})
