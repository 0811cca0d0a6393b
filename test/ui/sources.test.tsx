import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { fetchLayer } from '../../src/store/fetch-layer'
import type { KeptFiles } from '../../src/store/kept-files'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { tensor } from '../store/fake-sources'
import { does, hook, hooks, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ label }: { label: string }) => <p>{label}</p> }))

let engine: FakeEngine
let store: AppStore
let keptFiles: KeptFiles | undefined

async function open(fragment = '', ...names: string[]) {
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    ...(keptFiles && { keptFiles }),
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    if (names.length > 0) await store.actions.openFiles(names.map((name) => new File(['12345678'], name)))
    await later()
  })
}

const click = (element: HTMLElement) => does(() => fireEvent.click(element))
const rows = () => hooks('tensor-row').map((row) => row.dataset.tensor)

beforeEach(() => {
  engine = new FakeEngine()
  keptFiles = undefined
  const layer = (i: number) =>
    ['self_attn.q_proj', 'self_attn.k_proj', 'mlp.up_proj', 'mlp.gate_proj'].map((name) =>
      tensor(`model.layers.${i}.${name}.weight`, [64, 64]),
    )
  engine.listings['small.safetensors'] = [...layer(0), tensor('model.layers.0.input_layernorm.weight', [64])]
  engine.listings['large.safetensors'] = Array.from({ length: 40 }, (_, i) => layer(i)).flat()
  engine.listings['experts.safetensors'] = [tensor('experts.gate_proj', [4, 64, 64])]
})
afterEach(cleanup)

describe('the tensor tree', () => {
  it('shows tensors under the module they belong to, which can be closed', async () => {
    await open('', 'small.safetensors')
    expect(hooks('tensor-module').map(({ textContent }) => textContent)).toEqual([
      'model.layers.0.mlp2',
      'model.layers.0.self_attn2',
    ])
    const [mlp] = hooks('tensor-module')
    expect(mlp.getAttribute('aria-expanded')).toBe('true')
    await click(mlp)
    expect(mlp.getAttribute('aria-expanded')).toBe('false')
    expect(rows().filter((name) => name?.includes('mlp'))).toEqual([])
    expect(rows()).toContain('model.layers.0.self_attn.q_proj.weight')
  })

  it('starts with the module of the weight open where there are many', async () => {
    await open('', 'large.safetensors')
    const expanded = hooks('tensor-module').filter((module) => module.getAttribute('aria-expanded') === 'true')
    for (const module of expanded) expect(module.title).toContain('model.layers.8.self_attn')
    expect(hooks('tensor-module').length).toBeLessThan(80)
  })

  it('brings the chosen weight into sight, by as much as it is out of it', async () => {
    const box = vi.spyOn(HTMLElement.prototype, 'getBoundingClientRect').mockImplementation(function (this: Element) {
      if (this.getAttribute('aria-label') === 'Tensors') return new DOMRect(0, 0, 300, 160)
      const list = this.parentElement
      const index = list ? [...list.children].indexOf(this) : 0
      return new DOMRect(0, 26 * index - (list?.scrollTop ?? 0), 300, 26)
    })
    await open('', 'small.safetensors', 'later.safetensors')
    const list = document.querySelector('[aria-label="Tensors"]')
    expect(store.getState().source.weight?.tensor).toBe('q_proj.weight')
    expect(list?.scrollTop).toBe(26 * (list?.children.length ?? 0) - 160)
    const [first] = hooks('tensor-row').filter((row) => !row.hasAttribute('disabled'))
    await click(first)
    expect(list?.scrollTop).toBe(26 * [...(list?.children ?? [])].findIndex((line) => line.contains(first)))
    box.mockRestore()
  })

  it('of several files goes with one click', async () => {
    await open('', 'small.safetensors')
    expect(hooks('close-all')).toEqual([])
    await does(() => void store.actions.openFiles([new File(['12345678'], 'experts.safetensors')]))
    await click(hook('close-all'))
    expect(store.getState().source.files.filter(({ builtIn }) => builtIn === null)).toEqual([])
    expect(hooks('close-all')).toEqual([])
  })

  it('can be searched, and kept to one kind', async () => {
    await open('', 'large.safetensors')
    await does(() => fireEvent.change(hook('tensor-search'), { target: { value: 'layers.31. up' } }))
    expect(rows()).toEqual(['model.layers.31.mlp.up_proj.weight'])
    cleanup()
    engine.listings['mixed.safetensors'] = [
      ...(engine.listings['small.safetensors'] as []),
      tensor('model.layers.0.self_attn.q_proj.input', [8, 64]),
      tensor('ids', [4], 'I64'),
      tensor('lm_head.weight', [64, 64]),
    ]
    await open('', 'mixed.safetensors')
    const kinds = [...hook<HTMLSelectElement>('tensor-kind').options].map(({ textContent }) => textContent)
    expect(kinds).toEqual(['All kinds', 'Weights 5', 'Norms 1', 'Activations 1', 'Other 1'])
    await does(() => fireEvent.change(hook('tensor-kind'), { target: { value: 'norms' } }))
    expect(rows()).toEqual(['model.layers.0.input_layernorm.weight'])
  })

  it('opens the statistics of a tensor below it, of those that cannot be a weight too', async () => {
    await open('', 'small.safetensors')
    const norm = hook('tensor-row').closest('li') as HTMLElement
    expect(within(norm).getByRole('button', { name: /^Statistics of model.layers.0.input_layernorm/ })).toBeTruthy()
    await click(within(norm).getByRole('button', { name: /^Statistics/ }))
    expect(engine.descriptions[0].tensor).toBe('model.layers.0.input_layernorm.weight')
    await does(() =>
      engine.descriptions[0].answer({
        ok: true,
        value: {
          elements: 64,
          minimum: 0.5,
          maximum: 2,
          mean: 1,
          standardDeviation: 0.25,
          kurtosis: 3,
          channelMax: Float32Array.of(0.5, 2),
          nonFinite: { nan: 0, positiveInfinity: 0, negativeInfinity: 0, firstIndex: null },
        },
      }),
    )
    expect(hook('tensor-statistics').textContent).toContain('Largest channel1: max |x| 2.000')
    expect(hook('tensor-statistics').textContent).toContain('Not finitenone')
  })

  it('offers the matrices of a stack by number', async () => {
    await open('', 'experts.safetensors')
    await click(hook('tensor-row'))
    expect(engine.last.choice.weight).toMatchObject({ tensor: 'experts.gate_proj', slice: 0 })
    const field = hook<HTMLInputElement>('source-slice')
    await does(() => {
      fireEvent.change(field, { target: { value: '2' } })
      fireEvent.keyDown(field, { key: 'Enter' })
    })
    expect(engine.last.choice.weight).toMatchObject({ slice: 2 })
  })
})

describe('the row of an input', () => {
  const row = (name: string) => {
    const found = hooks('tensor-row').find(({ dataset }) => dataset.tensor === name)
    if (!found) throw new Error(`no row of ${name}`)
    return found
  }
  const weight = () => store.getState().source.weight?.tensor
  const activations = () => store.getState().source.activations

  beforeEach(() => {
    engine.listings['inputs.safetensors'] = [
      tensor('a.q_proj.weight', [64, 64]),
      tensor('a.q_proj.input', [40, 64]),
      tensor('b.q_proj.input', [40, 64]),
      tensor('c.input', [40, 96]),
      tensor('states', [40, 64]),
    ]
  })

  it('opens what it can be used as, and the weight stays', async () => {
    await open('', 'inputs.safetensors')
    await click(row('b.q_proj.input'))
    expect(weight()).toBe('a.q_proj.weight')
    expect(row('b.q_proj.input').getAttribute('aria-expanded')).toBe('true')
    await click(hook('use-as-activations'))
    expect(activations()).toMatchObject({ kind: 'captured', tensor: 'b.q_proj.input' })
    expect(hook('use-as-activations').getAttribute('aria-pressed')).toBe('true')
    expect(weight()).toBe('a.q_proj.weight')
    await click(row('b.q_proj.input'))
    await click(row('c.input'))
    expect(hook<HTMLButtonElement>('use-as-activations').disabled).toBe(true)
  })

  it('of any name is so while it is used as activations', async () => {
    await open('', 'inputs.safetensors')
    const [{ id }] = store.getState().source.files.filter(({ builtIn }) => builtIn === null)
    await does(() => store.actions.chooseActivations({ kind: 'captured', fileId: id, tensor: 'states' }))
    await click(row('states'))
    expect(weight()).toBe('a.q_proj.weight')
    await does(() => store.actions.chooseActivations({ kind: 'captured', fileId: id, tensor: 'a.q_proj.input' }))
    await click(row('states'))
    expect(weight()).toBe('states')
  })

  it('makes it the weight on request, which the answer names', async () => {
    await open('', 'inputs.safetensors')
    expect(hook('answer').textContent).not.toContain('used as weight')
    await click(row('a.q_proj.input'))
    await click(hook('use-as-weight'))
    expect(weight()).toBe('a.q_proj.input')
    expect(hook('answer').textContent).toContain('inputs.safetensors, tensor a.q_proj.input used as weight, ')
  })
})

it('a built-in layer without a network needs a connection, which is no fault of the program', async () => {
  const broken = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('Failed to fetch'))
  await expect(fetchLayer('layers/x.safetensors')).rejects.toMatchObject({
    code: 'IO-07',
    message: expect.stringContaining('built-in layer "layers/x.safetensors": expected an answer'),
  })
  broken.mockRestore()
})

describe('an address', () => {
  const fetchFrom = (text: string) =>
    does(() => {
      fireEvent.change(hook('address'), { target: { value: text } })
      fireEvent.submit(hook('address').closest('form') as HTMLElement)
    })

  it('is opened with its bytes in sight and a way to stop', async () => {
    await open()
    await fetchFrom('https://example.org/a.safetensors')
    await does(() => engine.openings[0].onProgress({ done: 5_000_000, total: 20_000_000 }))
    expect(hook('opening').textContent).toContain('Reading a.safetensors5.0 MB of 20 MB')
    await click(within(hook('opening')).getByRole('button', { name: 'Cancel' }))
    expect(hooks('opening')).toEqual([])
    expect(engine.cancelled).toContain('opening-1')
  })

  it('that is refused says so below the field, and asks for a token where one may help', async () => {
    await open()
    await fetchFrom('https://example.org/a.safetensors')
    await does(() => engine.openings[0].fail({ kind: 'file', code: 'HT-05', message: 'reading is not allowed (401).' }))
    expect(hook('banner-HT-05').textContent).toBe('HT-05 reading is not allowed (401).')
    await does(() => fireEvent.change(hook('token'), { target: { value: 'secret' } }))
    await fetchFrom('https://example.org/a.safetensors')
    expect(engine.openings[1].token).toBe('secret')
  })

  it('of a repository shows its files', async () => {
    const files = ['a.safetensors', 'b.safetensors'].map((path) => ({
      path,
      kind: 'safetensors' as const,
      byteLength: 2_000_000,
      url: `https://huggingface.co/o/m/resolve/main/${path}`,
    }))
    engine.repository = { ok: true, value: { id: 'o/m', revision: 'main', files } }
    await open()
    await fetchFrom('o/m')
    expect(hook('open-repository').textContent).toBe('Open 2 files, 4.0 MB; headers are read now')
    await click(within(hook('repository')).getByRole('button', { name: 'b.safetensors' }))
    expect(engine.openings.map(({ url }) => url)).toEqual([files[1].url])
  })

  it('in a link waits for a click', async () => {
    await open(`#src=url:${encodeURIComponent('https://example.org/a.safetensors')},1000`)
    expect(engine.openings).toEqual([])
    expect(hook('open-linked').textContent).toBe('Open from example.org')
    await click(hook('open-linked'))
    await does(() => engine.openings[0].open())
    expect(hooks('banner-LK-01')).toEqual([])
  })
})

it('files of the last visit are offered in one quiet line', async () => {
  keptFiles = {
    list: async () => [{ name: 'mine.safetensors', byteLength: 8 }],
    keep: async () => undefined,
    open: async () => [new File(['12345678'], 'mine.safetensors')],
  }
  await open()
  expect(hook('reopen').textContent).toBe('Reopen mine.safetensors')
  await click(within(hook('reopen')).getByRole('button', { name: 'Reopen mine.safetensors' }))
  expect(hooks('reopen')).toEqual([])
  expect(store.getState().source.active).toBe('user')
})

describe('the rows', () => {
  const text = () => hook('rows').textContent?.replace(/\s+/g, ' ').trim()

  it('are a bar of two colours with numbers, moved by keys', async () => {
    await open()
    expect(text()).toContain('16 (0–15) calibrate 16 (16–31) evaluate')
    const widths = ['rows-calibration', 'rows-evaluation'].map((name) => hook(name).style.width)
    expect(widths).toEqual(['50%', '50%'])
    await does(() => fireEvent.keyDown(hook('rows-split'), { key: 'ArrowRight' }))
    expect(text()).toContain('17 (0–16) calibrate 15 (17–31) evaluate')
    await does(() => fireEvent.keyDown(hook('rows-start'), { key: 'ArrowRight' }))
    expect(text()).toContain('1 unused')
    expect(engine.last.choice).toMatchObject({ firstToken: 1 })
    await does(() => fireEvent.keyDown(hook('rows-split'), { key: 'End' }))
    expect(text()).toContain('31 (1–31) calibrate and evaluate')
  })

  it('of generated activations are split only', async () => {
    await open('#a=syn,t64,o2x9')
    expect(hooks('rows-start')).toEqual([])
    expect(hook('rows-split').getAttribute('aria-valuenow')).toBe('32')
  })
})

it('controls of the generator go into the run', async () => {
  await open('#a=syn,t64,o2x9,v4,m3x100')
  expect(engine.last.choice.activations).toMatchObject({
    spec: { tokens: 64, tailDegrees: 4, massive: { channels: 3, size: 100 } },
    gain: null,
  })
  await click(hook('source-synthetic-massive'))
  expect(engine.last.choice.activations).toMatchObject({ spec: { massive: null } })
})
