import { act, cleanup, fireEvent, render, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { has, later, loaded } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ children }: { children?: ReactNode }) => <div>{children}</div> }))

let engine: FakeEngine
let kept: Map<string, string>

async function open(fragment = ''): Promise<AppStore> {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    memory: { read: (key) => kept.get(key) ?? null, write: (key, value) => void kept.set(key, value) },
    now: () => 0,
    debounceMs: 0,
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
    engine.finish()
    await later()
  })
  return store
}

const press = (key: string, target: Element = document.body) => act(() => void fireEvent.keyDown(target, { key }))

beforeEach(() => {
  engine = new FakeEngine()
  kept = new Map()
  // happy-dom has no top layer.
  HTMLElement.prototype.showPopover = () => undefined
})
afterEach(cleanup)

describe('a "?"', () => {
  it('is named after what it stands beside, says what it is, closes, and leads to the glossary', async () => {
    const user = userEvent.setup()
    const store = await open()
    const button = await loaded('help-rule.floor')
    expect(button.getAttribute('aria-label')).toBe('About Scale rule')
    expect(has('help-popover')).toBe(false)
    await user.click(button)
    const popover = await loaded('help-popover')
    expect(popover.textContent).toContain('Never rounds the exponent up')
    expect(popover.textContent).toContain('Source: OCP Microscaling Formats (MX) v1.0, clause 6.3')
    expect(document.activeElement).toBe(popover)
    await user.keyboard('{Escape}')
    expect(has('help-popover')).toBe(false)
    expect(document.activeElement).toBe(button)
    await user.click(button)
    await user.click(await loaded('help-open-glossary'))
    expect(has('help-popover')).toBe(false)
    expect(store.getState().view.help).toBe('rule.floor')
    const entry = await loaded('glossary-rule.floor')
    expect(entry.closest('article')?.getAttribute('aria-current')).toBe('true')
    await user.click(await loaded('glossary-close'))
    // A press elsewhere closes it.
    await user.click(await loaded('help-view:distribution'))
    expect((await loaded('help-popover')).textContent).toContain('A histogram of the activations')
    await user.click(await loaded('answer'))
    expect(has('help-popover')).toBe(false)
    // The first is told in full, the others unfold.
    await user.click(await loaded('help-method-preset'))
    const summaries = [...(await loaded('help-popover')).querySelectorAll('summary')].map(
      ({ textContent }) => textContent,
    )
    expect(summaries).toEqual(['Method, transform and mitigation', 'RTN, round to nearest'])
  })
})

describe('the glossary', () => {
  it('opens by its link, searches, and says what it does not have', async () => {
    const user = userEvent.setup()
    const store = await open('help=nothing-here')
    const glossary = await loaded('glossary')
    expect(glossary.textContent).toContain('No entry is called "nothing-here"')
    await user.type(await loaded('glossary-search'), 'cayley')
    const titles = [...glossary.querySelectorAll('h4')].map(({ textContent }) => textContent)
    expect(titles).toContain('SpinQuant')
    expect(titles).not.toContain('AWQ')
    await user.click(await loaded('glossary-spinquant'))
    expect(store.getState().view.help).toBe('spinquant')
    await user.click(await loaded('glossary-close'))
    await waitFor(() => expect(store.getState().view.help).toBeNull())
    expect(has('glossary')).toBe(false)
  })
})

describe('keys', () => {
  it('act on the page, Escape on the run, but not where one types or while a dialog is open', async () => {
    const user = userEvent.setup()
    const store = await open()
    const view = () => store.getState().view.view
    await waitFor(() => {
      press('3')
      expect(view()).toBe('channels')
    })
    press('b')
    expect(view()).toBe('blocks')
    press('1', await loaded('setting-seed'))
    press('1', await loaded('setting-scale-rule'))
    expect(view()).toBe('blocks')
    press('t')
    expect(store.getState().view.theme).toBe('light')
    act(() => store.actions.pointChannel(5))
    press('p')
    expect(store.getState().highlight.pinnedChannel).toBe(5)
    await act(async () => {
      store.actions.setSeed(9)
      await later()
    })
    expect(store.getState().run.phase).toBe('running')
    press('Escape')
    expect(engine.cancelled).toHaveLength(1)
    press('?')
    await loaded('shortcuts')
    press('1')
    expect(view()).toBe('blocks')
    await user.click(await loaded('single-keys'))
    await user.click(await loaded('shortcuts-close'))
    await waitFor(() => expect(has('shortcuts')).toBe(false))
    press('1')
    expect(view()).toBe('blocks')
    expect(kept.get('single-keys')).toBe('off')
  })
})

describe('the tour', () => {
  it('is offered in a line, takes the focus, steps by arrows and leaves by Escape', async () => {
    const user = userEvent.setup()
    const store = await open('view=error')
    await user.click(await loaded('tour-start'))
    const first = await loaded('tour-layer')
    await waitFor(() => expect(document.activeElement).toBe(first))
    expect(has('tour-offer')).toBe(false)
    await waitFor(async () => expect((await loaded('tour-text')).textContent).toContain('Rounded to nearest (RTN)'))
    await user.keyboard('{ArrowRight}')
    await loaded('tour-outliers')
    expect(store.getState().view.view).toBe('surface')
    await user.keyboard('{ArrowLeft}{ArrowLeft}')
    await loaded('tour-layer')
    await user.keyboard('{Escape}')
    expect(has('tour-layer')).toBe(false)
    expect(store.getState().view.view).toBe('error')
    expect(kept.get('tour')).toBe('done')
  })
})
