import { act, cleanup, fireEvent, render } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { tensor } from '../store/fake-sources'
import { has, hook, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ label }: { label: string }) => <p>{label}</p> }))

let engine: FakeEngine
let store: AppStore
let vocabulary = VOCABULARY

async function open(fragment = '', ...files: string[]) {
  store = createAppStore(engine, {
    vocabulary,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    for (const file of files) await store.actions.openFiles([new File(['12345678'], file)])
    await later()
  })
}

const select = (name: string) => hook<HTMLSelectElement>(name)
const choose = (name: string, value: string) =>
  act(async () => {
    fireEvent.change(hook(name), { target: { value } })
    await later()
  })
const labelOf = (name: string) => {
  const label = document.querySelector<HTMLElement>(`label[for="${hook(name).id}"]`)
  if (!label) throw new Error(`${name} has no label`)
  return label
}

beforeEach(() => {
  vocabulary = VOCABULARY
  engine = new FakeEngine()
  engine.listings['keys.safetensors'] = [
    tensor('layers.0.self_attn.k_proj.weight', [192, 64]),
    tensor('layers.0.self_attn.k_proj.input', [32, 64]),
  ]
})
afterEach(cleanup)

describe('the formats', () => {
  it('stand in a menu by family, each with its bits per element', async () => {
    await open()
    const groups = [...select('setting-weight-format').querySelectorAll('optgroup')]
    expect(groups.map(({ label }) => label)).toEqual(['MX', 'NV', 'Integer', '16-bit'])
    const options = [...select('setting-weight-format').options].map(({ textContent }) => textContent)
    expect(options).toContain('NVFP4 · 4.50 bits')
    // One f16 scale per row of 64 elements.
    expect(options).toContain('INT4 · 4.25 bits')
    expect(options.at(-1)).toBe('as loaded')
  })

  it('have their own options below them, which go into the run and the link', async () => {
    await open()
    await choose('setting-weight-format', 'int4')
    await choose('setting-activation-format', 'nvfp4')
    expect(labelOf('setting-weight-group').textContent).toBe('Scale per')
    await choose('setting-weight-group', '128')
    await choose('setting-weight-scheme', 'asym')
    await choose('setting-activation-four-over-six', 'mse')
    expect(engine.last.request.settings[0]).toMatchObject({
      weightFormat: 'int4(group=128,scheme=asym)',
      activationFormat: 'nvfp4(four-over-six=mse)',
    })
    expect(hook('setting-custom').textContent).toBe('Custom')
    expect(has('setting-weight-four-over-six')).toBe(false)
  })

  it('go back to the default by a double click on the label', async () => {
    await open('#set=custom&wf=int4(group=64)&af=mxfp4&bs=64')
    await act(async () => fireEvent.doubleClick(labelOf('setting-weight-group')))
    expect(store.getState().setup.setting.weightFormat).toBe('int4')
    await act(async () => fireEvent.doubleClick(labelOf('setting-weight-format')))
    expect(store.getState().setup.setting.id).toBe('W4A4')
    await act(async () => fireEvent.doubleClick(labelOf('setting-block-size')))
    expect(store.getState().setup.blockSize).toBe(32)
  })
})

describe('choices that reach no tensor', () => {
  it('are disabled, and the reason is said', async () => {
    await open('#set=custom&wf=int4&af=nvfp4')
    for (const name of ['setting-scale-rule', 'setting-ties', 'setting-block-size', 'setting-pre-scale']) {
      expect(hook<HTMLInputElement>(name).disabled, name).toBe(true)
      expect(hook(name).getAttribute('aria-description'), name).toMatch(/No tensor has an? (4-bit )?MX format\.$/)
    }
    expect(hook('reason-mx').textContent).toContain('No tensor has an MX format.')
    expect(hook('reason-pre-scale').textContent).not.toBe('')
    expect(hook<HTMLInputElement>('setting-seed').disabled).toBe(false)
  })

  it('are disabled one by one: the pre-scale alone without a 4-bit MX format or under fp32 scales', async () => {
    await open('#set=w8a8')
    expect(select('setting-scale-rule').disabled).toBe(false)
    expect(hook<HTMLInputElement>('setting-pre-scale').disabled).toBe(true)
    expect(hook('reason-pre-scale').textContent).toBe('No tensor has a 4-bit MX format. The pre-scale changes nothing.')
    await act(async () => {
      store.actions.setSetting(VOCABULARY.settings[2])
      store.actions.setScaleRule('fp32')
      await later()
    })
    expect(hook<HTMLInputElement>('setting-pre-scale').disabled).toBe(true)
    expect(hook('reason-pre-scale').textContent).toContain('With fp32 scales no element clips')
    await choose('setting-scale-rule', 'best')
    expect(hook<HTMLInputElement>('setting-pre-scale').disabled).toBe(false)
    expect(has('reason-pre-scale')).toBe(false)
  })
})

describe('the scale rule', () => {
  it('says of each rule in the menu who uses it', async () => {
    await open()
    const values = [...select('setting-scale-rule').options].map(({ value }) => value)
    expect(values).toEqual(['floor', 'rceil', 'ceil', 'even', 'best', 'fp32'])
    const named: Readonly<Record<string, RegExp>> = {
      floor: /microxcaling/,
      rceil: /TransformerEngine/,
      ceil: /torchao/,
      even: /vLLM/,
      best: /No library/,
      fp32: /figure 4 of arXiv 2601\.09555/,
    }
    for (const value of values) {
      await choose('setting-scale-rule', value)
      expect(hook('setting-scale-rule').getAttribute('aria-description')).toMatch(named[value])
    }
  })
})

describe('the block size', () => {
  it('has a badge off 32, and stands in the answer and the conditions', async () => {
    await open()
    expect([...select('setting-block-size').options].map(({ value }) => value)).toEqual(['8', '16', '32', '64', '128'])
    expect(has('badge-block-size')).toBe(false)
    await choose('setting-block-size', '64')
    expect(hook('badge-block-size').textContent).toContain('non-standard')
    expect(engine.last.request.blockSize).toBe(64)
    await act(async () => {
      engine.finish()
      await later()
    })
    expect(hook('answer').textContent).toContain('W4A4, blocks of 64 (non-standard): ')
    expect(hook('conditions').textContent).toContain('blocks of 64 (non-standard)')
    expect(select('setting-weight-format').selectedOptions[0].textContent).toBe('MXFP4 · 4.13 bits')
  })
})

describe('the pre-scale', () => {
  it('has a switch, a factor and a variant', async () => {
    await open()
    await act(async () => {
      fireEvent.change(hook('setting-pre-scale-factor'), { target: { value: '0.63' } })
      fireEvent.blur(hook('setting-pre-scale-factor'))
      await later()
    })
    await choose('setting-pre-scale-variant', 'literal')
    expect(engine.last.request.preScale).toEqual({ factor: 0.63, variant: 'literal' })
    await act(async () => {
      fireEvent.click(hook('setting-pre-scale'))
      await later()
    })
    expect(engine.last.request.preScale).toBeNull()
    expect(select('setting-pre-scale-variant').disabled).toBe(true)
    expect(hook<HTMLInputElement>('setting-pre-scale-factor').disabled).toBe(true)
  })

  it('moves by the keys of its slider, in hundredths', async () => {
    await open()
    const thumb = hook<HTMLElement>('setting-pre-scale-slider').querySelector('[role="slider"]')
    if (!thumb) throw new Error('the slider has a thumb')
    expect(thumb.getAttribute('aria-label')).toBe('Pre-scale factor')
    await act(async () => {
      fireEvent.keyDown(thumb, { key: 'ArrowRight' })
      await later()
    })
    expect(store.getState().setup.preScale).toEqual({ on: true, factor: 0.76, variant: 'exact' })
    expect(hook<HTMLInputElement>('setting-pre-scale-factor').value).toBe('0.76')
  })

  it('refuses a factor out of range and says the range', async () => {
    await open()
    await act(async () => {
      fireEvent.change(hook('setting-pre-scale-factor'), { target: { value: '0.4' } })
      await later()
    })
    expect(document.body.textContent).toContain('Factor: expected a number from 0.5 to 1, found 0.4.')
    expect(store.getState().setup.preScale.factor).toBe(0.75)
  })
})

describe('settings of the key-value cache', () => {
  it('are offered for a key or value projection only', async () => {
    await open()
    expect(has('setting-w8a8kv8')).toBe(false)
    expect(has('setting-output-format')).toBe(false)
    await act(async () => {
      await store.actions.openFiles([new File(['12345678'], 'keys.safetensors')])
      await later()
    })
    for (const id of ['w8a8kv8', 'w4a8kv8', 'w4a8kv4', 'w4a4kv4']) expect(has(`setting-${id}`), id).toBe(true)
    await act(async () => {
      fireEvent.click(hook('setting-w4a8kv8'))
      await later()
    })
    expect(engine.last.request.settings[0]).toMatchObject({ id: 'W4A8KV8', outputFormat: 'mxfp8_e4m3' })
    expect(select('setting-output-format').value).toBe('mxfp8_e4m3')
  })

  it('let the head be chosen among those that divide the output', async () => {
    await open('#set=w8a8kv8', 'keys.safetensors')
    expect([...select('setting-head-dim').options].map(({ value }) => value)).toEqual(['', '32', '64', '96', '192'])
    expect(select('setting-head-dim').options[0].textContent).toBe('automatic, 64 channels')
    await choose('setting-head-dim', '96')
    expect(engine.last.request.headDim).toBe(96)
  })

  it('have a head size for a rotation of heads too: powers of two that divide the input', async () => {
    const choices = ['full', 'head']
    const span = { key: 'span', label: 'Span', help: 'Mixed.', kind: 'choice', default: 'full', choices } as const
    const withSpan = (method: (typeof VOCABULARY.methods)[number]) =>
      method.id === 'quarot' ? { ...method, options: [...method.options, span] } : method
    vocabulary = { ...VOCABULARY, methods: VOCABULARY.methods.map(withSpan) }
    await open('', 'keys.safetensors')
    expect(has('setting-head-dim')).toBe(false)
    await act(async () => {
      store.actions.setMethodOption('quarot', 'span', 'head')
      await later()
    })
    expect([...select('setting-head-dim').options].map(({ value }) => value)).toEqual(['', '32', '64'])
    expect(select('setting-head-dim').options[0].textContent).toBe('automatic, 64 channels')
    await choose('setting-head-dim', '32')
    expect(engine.last.request.headDim).toBe(32)
  })

  it('take the head size of a built-in layer, and say it', async () => {
    await open('#set=w8a8kv8')
    expect(select('setting-head-dim').options[0].textContent).toBe('automatic, 32 channels')
    await act(async () => {
      engine.finish()
      await later()
    })
    expect(hook('conditions').textContent).toContain('Y MXFP8 E4M3 per head of 32 channels')
  })

  it('keep their name when another weight is chosen, though they are not offered', async () => {
    await open('#set=w8a8kv8')
    expect(has('setting-w4a8kv8')).toBe(false)
    expect(hook<HTMLElement>('setting-custom').textContent).toBe('W8A8KV8')
    expect(has('setting-output-format')).toBe(true)
  })
})
