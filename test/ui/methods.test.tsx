import { act, cleanup, fireEvent, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { TRANSFORMS } from '../../src/methods/registry'
import type { AppStore } from '../../src/store/app-store'
import { FakeEngine } from '../store/fake-engine'
import { does, has, hook, later, openPage } from '../support/page'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label }: { label: string }) => <p data-test="caption">{label}</p>,
}))

let engine: FakeEngine
let store: AppStore

async function open(fragment = '') {
  store = await openPage(engine, fragment)
}

const all = (start: string) => [...document.querySelectorAll<HTMLElement>(`[data-test^="${start}"]`)]
const chips = () => all('method-options-').map(({ dataset }) => dataset.test?.replace('method-options-', ''))
const computed = () => engine.last.request.methods.map(({ id }) => id)

async function openGrid() {
  await does(() => fireEvent.click(hook('method-add')))
  await waitFor(() => hook('method-grid'))
}
const press = (name: string) => does(() => fireEvent.click(hook(name)))

beforeEach(() => {
  engine = new FakeEngine()
  // Without layout the focus trap finds nothing visible to focus, and says so at length.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})
afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

describe('the chips', () => {
  it('are the chosen methods; each is hidden, set and removed by itself', async () => {
    await open()
    expect(has('method-gptq')).toBe(false)
    expect(hook('method-quarot').textContent).toBe('▲ QuaRot')
    await press('method-quarot')
    expect(hook('method-quarot').getAttribute('aria-pressed')).toBe('false')
    expect(has('tile-quarot')).toBe(false)
    // Hidden is not removed: its chip and its place in the run stay.
    expect(computed()).toContain('quarot')
    await press('method-remove-quarot')
    expect(has('method-quarot')).toBe(false)
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['rtn', 'flatquant'])
    expect(has('method-remove-rtn')).toBe(false)
    expect(hook('method-remove-flatquant').getAttribute('aria-label')).toBe('Remove FlatQuant')
  })

  it('say that options differ from the defaults', async () => {
    await open('#m=rtn,smoothquant(alpha=0.7)')
    expect(hook('method-smoothquant').textContent).toContain('(changed)')
  })
})

describe('the presets', () => {
  it('choose methods, and say when the choice is one of one’s own', async () => {
    await open()
    const select = hook('method-preset') as HTMLSelectElement
    expect(select.selectedOptions[0].textContent).toBe('Rotation vs affine')
    await act(async () => {
      fireEvent.change(select, { target: { value: 'compensation' } })
      await later()
    })
    expect(computed()).toEqual(['rtn', 'gptq', 'flatquant+gptq', 'mr-gptq'])
    expect(chips()).toEqual(['gptq', 'flatquant+gptq', 'mr-gptq'])
    await press('method-remove-gptq')
    expect((hook('method-preset') as HTMLSelectElement).selectedOptions[0].textContent).toBe('Own choice')
  })
})

describe('the grid behind + add', () => {
  it('is a table of transforms and mitigations with a toggle for every method, published ones marked', async () => {
    await open()
    await openGrid()
    const grid = within(hook('method-grid'))
    expect(grid.getAllByRole('columnheader', { hidden: true }).map(({ textContent }) => textContent)).toEqual([
      'Transform',
      'Round to nearest',
      'GPTQ',
      'Low rank',
      'GPTQ and low rank',
    ])
    expect(grid.getAllByRole('rowheader', { hidden: true })).toHaveLength(TRANSFORMS.length)
    expect(
      all('grid-')
        .map(({ dataset }) => dataset.test?.slice(5))
        .sort(),
    ).toEqual(METHOD_CATALOG.map(({ id }) => id).sort())
    expect(hook('grid-quarot').getAttribute('aria-pressed')).toBe('true')
    expect(hook('grid-quarot+gptq').dataset.published).toBe('true')
    expect(hook('grid-quarot+low-rank').dataset.published).toBe('false')
    expect(hook('grid-gptq').getAttribute('aria-description')).toMatch(/\w{3,} .*\.$/)
    expect(hook('grid-gptq-best').closest('td')).toBe(hook('grid-gptq').closest('td'))
  })

  it('adds and removes methods, and shows a hidden one', async () => {
    await open('#m=rtn,-quarot')
    await act(async () => {
      engine.finish()
      await later()
    })
    await openGrid()
    await press('grid-gptq')
    expect(computed()).toEqual(['gptq'])
    expect(has('method-gptq')).toBe(true)
    await press('grid-quarot')
    expect(hook('method-quarot').getAttribute('aria-pressed')).toBe('true')
    await press('grid-quarot')
    expect(has('method-quarot')).toBe(false)
  })

  it('is walked with the arrow keys, through the toggles of a cell and over its edges', async () => {
    const user = userEvent.setup()
    await open()
    await openGrid()
    const at = () => document.activeElement?.getAttribute('data-test')
    act(() => hook('grid-rtn').focus())
    await user.keyboard('{ArrowRight}')
    expect(at()).toBe('grid-gptq')
    await user.keyboard('{ArrowDown}')
    expect(at()).toBe('grid-gptq-best')
    await user.keyboard('{ArrowDown}')
    expect(at()).toBe('grid-smoothquant+gptq')
    await user.keyboard('{ArrowUp}')
    expect(at()).toBe('grid-gptq-best')
    await user.keyboard('{ArrowLeft}{ArrowUp}{ArrowLeft}')
    expect(at()).toBe('grid-rtn')
  })
})
