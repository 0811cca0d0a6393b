import { expect, it } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { createAppStore } from '../../src/store/app-store'
import { methodGrid } from '../../src/store/method-grid'
import { parseMethods } from '../../src/store/method-link'
import { METHOD_PRESETS, presetOf } from '../../src/store/method-presets'
import { FakeEngine, VOCABULARY } from './fake-engine'

const makeStore = () =>
  createAppStore(new FakeEngine(), {
    vocabulary: { ...VOCABULARY, methods: METHOD_CATALOG },
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 1000,
  })
const chosen = (store: ReturnType<typeof makeStore>) =>
  store.getState().setup.methods.map(({ id, hidden }) => (hidden ? `-${id}` : id))

it('every preset names methods that exist, and a first visit has the first preset', () => {
  const known = METHOD_CATALOG.map(({ id }) => id)
  for (const { methods } of METHOD_PRESETS) expect(known).toEqual(expect.arrayContaining([...methods]))
  expect(presetOf(makeStore().getState().setup.methods)?.id).toBe('rotation-affine')
})

it('a preset shows its methods, keeps their options, and hides the baseline it does not name', () => {
  const store = makeStore()
  store.actions.setMethodOption('flatquant', 'steps', 60)
  const preset = METHOD_PRESETS.find(({ id }) => id === 'gptq-or-not')
  store.actions.setMethods(preset?.methods ?? [])
  expect(chosen(store)).toEqual([
    ...['-rtn', 'smoothquant', 'smoothquant+gptq', 'quarot', 'quarot+gptq', 'flatquant', 'flatquant+gptq'],
  ])
  expect(store.getState().setup.methods.find(({ id }) => id === 'flatquant')?.options).toEqual({ steps: 60 })
  expect(presetOf(store.getState().setup.methods)?.id).toBe('gptq-or-not')
  store.actions.showMethod('quarot', false)
  expect(chosen(store)).toContain('-quarot')
  expect(presetOf(store.getState().setup.methods)).toBeNull()
})

it('the grid has every method once, the pair itself before its presets', () => {
  const { columns, rows } = methodGrid(METHOD_CATALOG)
  expect(columns.map(({ label }) => label)).toEqual(['Round to nearest', 'GPTQ', 'Low rank', 'GPTQ and low rank'])
  expect(rows[0].label).toBe('No transform')
  const ids = rows.flatMap(({ cells }) => cells.flatMap((entries) => entries.map(({ id }) => id)))
  expect([...ids].sort()).toEqual(METHOD_CATALOG.map(({ id }) => id).sort())
  for (const { cells } of rows) expect(cells).toHaveLength(columns.length)
  expect(rows[0].cells[1].map(({ id }) => id)).toEqual(['gptq', 'gptq-best'])
  const block = rows.find(({ id }) => id === 'block-hadamard')
  expect(block?.cells[1].map(({ id }) => id)).toEqual(['block-hadamard+gptq', 'mr-gptq'])
})

it('a link may name a cell by its halves, in capitals, or with its plus encoded', () => {
  const read = (text: string) => parseMethods(text, METHOD_CATALOG)
  expect(read('rtn,identity+gptq(damping=0.1),QuaRot%2Bgptq')).toEqual({
    methods: [
      { id: 'rtn', hidden: false, options: {} },
      { id: 'gptq', hidden: false, options: { damping: 0.1 } },
      { id: 'quarot+gptq', hidden: false, options: {} },
    ],
    clean: true,
  })
})
