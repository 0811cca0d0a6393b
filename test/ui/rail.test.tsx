import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { PANEL } from '../../src/ui/main/figure-views'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { hook, hooks, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label }: { label: string }) => <p data-test="caption">{label}</p>,
}))

let engine: FakeEngine
let store: AppStore

async function open(fragment = '', ...names: string[]) {
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    for (const name of names) await store.actions.openFiles([new File(['12345678'], name)])
    await later()
  })
}

const menu = () => hook('built-in') as HTMLSelectElement

beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

describe('the layer menu', () => {
  it('lists built-in layers and open files in groups of their own', async () => {
    await open('', 'a.safetensors', 'b.safetensors')
    expect(document.querySelector(`label[for="${menu().id}"]`)?.textContent).toBe('Layer')
    const groups = [...menu().querySelectorAll('optgroup')].map(({ label, children }) => [
      label,
      [...children].map((option) => option.textContent),
    ])
    expect(groups).toEqual([
      ['Built-in layers', ['Demo layer', 'Plain layer']],
      ['My files', ['a.safetensors', 'b.safetensors']],
    ])
    expect(menu().selectedOptions[0].textContent).toBe('b.safetensors')
  })

  it('changes between them', async () => {
    await open('', 'a.safetensors', 'b.safetensors')
    const [first] = store.getState().source.files.filter(({ builtIn }) => builtIn === null)
    await act(async () => {
      fireEvent.change(menu(), { target: { value: first.id } })
      await later()
    })
    expect(store.getState().source.weight?.fileId).toBe(first.id)
    await act(async () => {
      fireEvent.change(menu(), { target: { value: 'plain' } })
      await later()
    })
    expect(store.getState().source.active).toBe('plain')
  })
})

describe('several open files', () => {
  it('have their tensors under their own names', async () => {
    await open('', 'a.safetensors', 'b.safetensors')
    expect(hooks('tensor-file').map(({ textContent }) => textContent)).toEqual(['a.safetensors', 'b.safetensors'])
    const pressed = hooks('tensor-row').map((row) => row.getAttribute('aria-pressed'))
    expect(pressed).toEqual(['false', 'false', 'false', 'true'])
    expect(hook('source-tensor').textContent).toContain('q_proj.input (32 × 64) in b.safetensors')
  })

  it('are told apart by nothing while there is one', async () => {
    await open('', 'a.safetensors')
    expect(hooks('tensor-file')).toEqual([])
    expect(hook('source-tensor').textContent).toBe('q_proj.input (32 × 64)')
  })
})

describe('a link that waits for its file', () => {
  const LINK = '#src=file:mine.safetensors,8,&set=w8a8'

  it('says so in the place of the figures, in the answer and beside the drop zone', async () => {
    await open(LINK)
    expect(hook('panel-state').textContent).toContain('Waiting for mine.safetensors')
    expect(hook('answer').textContent).toBe('Waiting for mine.safetensors.')
    expect(hook('banner-LK-01').textContent).toContain('"mine.safetensors" (8 bytes, header not recorded)')
    expect(engine.runs).toEqual([])
  })

  it('can be dismissed', async () => {
    await open(LINK)
    await act(async () => {
      fireEvent.click(within(hook('banner-LK-01')).getByRole('button'))
      await later()
    })
    expect(hooks('banner-LK-01')).toEqual([])
    expect(hook('answer').textContent).toContain('Demo layer, W8A8')
  })
})

it('a link with unknown values is followed as far as it goes, and one remark says how far', async () => {
  await open('#set=w9a9&seed=foo')
  expect(hook('banner-LK-03').textContent).toContain('were ignored: set, seed.')
  expect(hook('banner-LK-03').closest('[role]')?.getAttribute('role')).toBe('status')
  expect(engine.last.request.seed).toBe(0)
})

it('says that no method is chosen, wherever a result would stand', async () => {
  await open('#m=-rtn')
  expect(hook('answer').textContent).toBe('Demo layer, W4A4: no method is chosen.')
  expect(document.querySelector('main')?.textContent).toContain('No method is chosen')
  await act(async () => {
    await PANEL.load()
    fireEvent.click(hook('view-error'))
    await later()
  })
  expect(document.querySelector('main')?.textContent).toContain('No method is chosen')
  expect(document.querySelector('main')?.textContent).not.toContain('Waiting')
})

it('shows the rows that are used when a link asks for more than there are', async () => {
  await open('#rows=9999')
  expect((hook('source-tokens') as HTMLInputElement).value).toBe('32')
})

it('calls truncation a rounding, not a rule for ties', async () => {
  await open()
  const select = hook('setting-ties') as HTMLSelectElement
  expect(document.querySelector(`label[for="${select.id}"]`)?.textContent).toBe('Rounding')
  const names = [...select.options].map(({ textContent }) => textContent)
  expect(names).toEqual(['half to even', 'half away from zero', 'toward zero (truncates)'])
})

it('folds a section to one line that says what is chosen, but never what was dropped', async () => {
  await open('#set=w8a8')
  const fields = (section: string) => document.getElementById(`${section}-fields`)
  expect(hook('rail-activations').getAttribute('aria-expanded')).toBe('false')
  expect(fields('activations')?.hidden).toBe(true)
  expect(fields('setting')?.hidden).toBe(false)
  fireEvent.click(hook('rail-setting'))
  expect(fields('setting')?.hidden).toBe(true)
  expect(hook('rail-summary-setting').textContent).toBe('W8A8 · floor')
  fireEvent.click(hook('rail-layer'))
  expect(fields('layer')?.contains(hook('drop'))).toBe(false)
  fireEvent.click(hook('rail-setting'))
  expect(fields('setting')?.hidden).toBe(false)
  expect(hooks('rail-summary-setting')).toEqual([])
})
