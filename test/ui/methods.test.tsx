import { act, cleanup, fireEvent, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { METHOD_CATALOG } from '../../src/experiment/catalog'
import { TRANSFORMS } from '../../src/methods/registry'
import type { AppStore } from '../../src/store/app-store'
import { fragmentOf } from '../../src/store/link-actions'
import { FakeEngine } from '../store/fake-engine'
import { does, has, hook, later } from '../support/hooks'
import { openPage } from '../support/page'

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

  it('are put in another order by Alt and an arrow key, said and in the link, without computing anything', async () => {
    await open()
    await does(() => engine.finish())
    const order = () =>
      all('tile-').flatMap(({ dataset }) => dataset.test?.match(/^tile-(rtn|quarot|flatquant)$/)?.[1] ?? [])
    hook('method-flatquant').focus()
    const runs = engine.runs.length
    for (let i = 0; i < 3; i++) {
      const pressed = fireEvent.keyDown(hook('method-flatquant'), { key: 'ArrowLeft', altKey: true })
      expect(pressed).toBe(false)
      await act(later)
    }
    expect(order()).toEqual(['flatquant', 'rtn', 'quarot'])
    expect(fragmentOf(store.getState(), store.vocabulary)).toBe('v=1&m=flatquant,rtn,quarot')
    await waitFor(() => expect(hook('method-moved').textContent).toBe('FlatQuant is 1 of 3.'), { timeout: 3000 })
    await waitFor(() => expect(document.activeElement).toBe(hook('method-flatquant')))
    await does(() => fireEvent.keyDown(hook('method-flatquant'), { key: 'ArrowRight' }))
    expect(order()[0]).toBe('flatquant')
    expect(engine.runs).toHaveLength(runs)
    // A method that is added stands after those the catalog has before it.
    await does(() => store.actions.toggleMethod('gptq'))
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['flatquant', 'rtn', 'gptq', 'quarot'])
  })

  it('are put in another order by a drag with a mouse, which presses nothing, and not by a finger', async () => {
    await open()
    const at = (id: string) => document.querySelector<HTMLElement>(`[data-chip="${id}"]`) ?? document.body
    for (const [i, id] of ['rtn', 'quarot', 'flatquant'].entries()) {
      at(id).getBoundingClientRect = () => new DOMRect(100 * i, 0, 90, 28)
    }
    const list = at('rtn').parentElement ?? document.body
    const captured = vi.fn()
    list.setPointerCapture = captured
    const drag = async (pointerType: string, to: number) => {
      await does(() => fireEvent.pointerDown(hook('method-rtn'), { pointerType, clientX: 40, clientY: 10, button: 0 }))
      await does(() => fireEvent.pointerMove(list, { pointerType, clientX: 43, clientY: 10 }))
      expect(captured).not.toHaveBeenCalled()
      await does(() => fireEvent.pointerMove(list, { pointerType, clientX: to, clientY: 10 }))
      const marked = document.querySelector<HTMLElement>('[data-drop]')
      const shown = marked && [marked.dataset.chip, marked.dataset.drop]
      await does(() => fireEvent.pointerUp(list, { pointerType, clientX: to, clientY: 10 }))
      return shown
    }
    const order = () => store.getState().setup.methods.map(({ id }) => id)
    expect(await drag('touch', 170)).toBeNull()
    expect(order()).toEqual(['rtn', 'quarot', 'flatquant'])
    expect(await drag('mouse', 170)).toEqual(['flatquant', 'before'])
    expect(captured).toHaveBeenCalled()
    expect(order()).toEqual(['quarot', 'rtn', 'flatquant'])
    expect(document.querySelector('[data-drop]')).toBeNull()
    captured.mockClear()
    for (const [i, id] of order().entries()) at(id).getBoundingClientRect = () => new DOMRect(100 * i, 0, 90, 28)
    expect(await drag('mouse', 290)).toEqual(['flatquant', 'after'])
    expect(order()).toEqual(['quarot', 'flatquant', 'rtn'])
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
