import { act, cleanup, fireEvent, render, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ children }: { children?: ReactNode }) => <div>{children}</div> }))

let engine: FakeEngine
let kept: Map<string, string>

const later = () => new Promise((resolve) => setTimeout(resolve, 5))

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

const find = (name: string) => document.querySelector<HTMLElement>(`[data-test="${name}"]`)

/** What is loaded when it is asked for takes a moment. */
async function hook(name: string): Promise<HTMLElement> {
  return waitFor(
    () => {
      const found = find(name)
      if (!found) throw new Error(`nothing on the page is called ${name}`)
      return found
    },
    { timeout: 10_000 },
  )
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
    const button = await hook('help-rule.floor')
    expect(button.getAttribute('aria-label')).toBe('About Scale rule')
    expect(find('help-popover')).toBeNull()
    await user.click(button)
    const popover = await hook('help-popover')
    expect(popover.textContent).toContain('Never rounds the exponent up')
    expect(popover.textContent).toContain('Source: OCP Microscaling Formats (MX) v1.0, clause 6.3')
    expect(document.activeElement).toBe(popover)
    await user.keyboard('{Escape}')
    expect(find('help-popover')).toBeNull()
    expect(document.activeElement).toBe(button)
    await user.click(button)
    await user.click(await hook('help-open-glossary'))
    expect(find('help-popover')).toBeNull()
    expect(store.getState().view.help).toBe('rule.floor')
    const entry = await hook('glossary-rule.floor')
    expect(entry.closest('article')?.getAttribute('aria-current')).toBe('true')
    await user.click(await hook('glossary-close'))
    // A press elsewhere closes it.
    await user.click(await hook('help-view:distribution'))
    expect((await hook('help-popover')).textContent).toContain('A histogram of the activations')
    await user.click(await hook('answer'))
    expect(find('help-popover')).toBeNull()
    // The first is told in full, the others unfold.
    await user.click(await hook('help-method-preset'))
    const summaries = [...(await hook('help-popover')).querySelectorAll('summary')].map(
      ({ textContent }) => textContent,
    )
    expect(summaries).toEqual(['Method, transform and mitigation', 'RTN, round to nearest'])
  })
})

describe('the glossary', () => {
  it('opens by its link, searches, and says what it does not have', async () => {
    const user = userEvent.setup()
    const store = await open('help=nothing-here')
    const glossary = await hook('glossary')
    expect(glossary.textContent).toContain('No entry is called "nothing-here"')
    await user.type(await hook('glossary-search'), 'cayley')
    const titles = [...glossary.querySelectorAll('h4')].map(({ textContent }) => textContent)
    expect(titles).toContain('SpinQuant')
    expect(titles).not.toContain('AWQ')
    await user.click(await hook('glossary-spinquant'))
    expect(store.getState().view.help).toBe('spinquant')
    await user.click(await hook('glossary-close'))
    await waitFor(() => expect(store.getState().view.help).toBeNull())
    expect(find('glossary')).toBeNull()
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
    press('1', await hook('setting-seed'))
    press('1', await hook('setting-scale-rule'))
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
    await hook('shortcuts')
    press('1')
    expect(view()).toBe('blocks')
    await user.click(await hook('single-keys'))
    await user.click(await hook('shortcuts-close'))
    await waitFor(() => expect(find('shortcuts')).toBeNull())
    press('1')
    expect(view()).toBe('blocks')
    expect(kept.get('single-keys')).toBe('off')
  })
})

describe('the tour', () => {
  it('is offered in a line, takes the focus, steps by arrows and leaves by Escape', async () => {
    const user = userEvent.setup()
    const store = await open('view=error')
    await user.click(await hook('tour-start'))
    const first = await hook('tour-layer')
    await waitFor(() => expect(document.activeElement).toBe(first))
    expect(find('tour-offer')).toBeNull()
    await waitFor(async () => expect((await hook('tour-text')).textContent).toContain('Rounded to nearest (RTN)'))
    await user.keyboard('{ArrowRight}')
    await hook('tour-outliers')
    expect(store.getState().view.view).toBe('surface')
    await user.keyboard('{ArrowLeft}{ArrowLeft}')
    await hook('tour-layer')
    await user.keyboard('{Escape}')
    expect(find('tour-layer')).toBeNull()
    expect(store.getState().view.view).toBe('error')
    expect(kept.get('tour')).toBe('done')
  })
})
