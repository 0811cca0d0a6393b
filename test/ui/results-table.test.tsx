import { act, cleanup, fireEvent, render, waitFor } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { hook, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ children }: { children?: ReactNode }) => <div>{children}</div>,
}))

let engine: FakeEngine
beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

const mark = (name: string) => hook(name).getAttribute('data-method-mark')

async function open(fragment = '') {
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
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

it('shows a method everywhere while it is pointed at, and keeps it when its row is pinned', async () => {
  const store = await open()
  fireEvent.pointerEnter(hook('tile-quarot'))
  expect([mark('tile-quarot'), mark('table-row-quarot'), mark('table-row-rtn')]).toEqual(['pointed', 'pointed', null])
  expect(hook('method-quarot').parentElement?.getAttribute('data-method-mark')).toBe('pointed')
  fireEvent.pointerLeave(hook('tile-quarot'))
  expect([mark('tile-quarot'), mark('table-row-quarot')]).toEqual([null, null])
  // The focus points as well; moving inside of the element keeps it.
  act(() => hook('row-flatquant').focus())
  expect(mark('tile-flatquant')).toBe('pointed')
  act(() => hook('details-button-flatquant').focus())
  expect(mark('tile-flatquant')).toBe('pointed')
  act(() => hook('row-flatquant').blur())
  // Anywhere in the row but on its buttons.
  fireEvent.click(hook('sqnr-quarot'))
  expect(store.getState().highlight.pinnedMethod).toBe('quarot')
  act(() => store.actions.pointMethod(null))
  expect([mark('tile-quarot'), hook('row-quarot').getAttribute('aria-pressed')]).toEqual(['pinned', 'true'])
  fireEvent.click(hook('details-button-quarot'))
  expect(store.getState().highlight.pinnedMethod).toBe('quarot')
  fireEvent.keyDown(hook('setting-seed'), { key: 'Escape' })
  expect(store.getState().highlight.pinnedMethod).toBe('quarot')
  fireEvent.keyDown(document.body, { key: 'Escape' })
  expect(store.getState().highlight.pinnedMethod).toBeNull()
})

it('moves between rows by keys, one of them a stop of the Tab key', async () => {
  await open()
  const stops = () => ['rtn', 'quarot', 'flatquant'].map((id) => hook(`row-${id}`).tabIndex)
  expect(stops()).toEqual([0, -1, -1])
  act(() => hook('row-rtn').focus())
  const press = (key: string) => {
    fireEvent.keyDown(document.activeElement ?? document.body, { key })
    return document.activeElement?.getAttribute('data-test')
  }
  expect(press('ArrowDown')).toBe('row-quarot')
  expect(stops()).toEqual([-1, 0, -1])
  expect(['End', 'ArrowDown', 'Home', 'ArrowUp'].map(press)).toEqual([
    'row-flatquant',
    'row-flatquant',
    'row-rtn',
    'row-rtn',
  ])
})

it('takes differences against the method that is set as baseline', async () => {
  await open()
  const difference = (id: string) => hook(`table-row-${id}`).querySelectorAll('td')[1].textContent
  expect([hook('sort-delta').textContent, difference('quarot')]).toEqual(['Δ RTN dB', '−3.2'])
  fireEvent.click(hook('details-button-quarot'))
  fireEvent.click(hook('baseline-quarot'))
  expect([hook('sort-delta').textContent, difference('quarot'), difference('rtn')]).toEqual([
    'Δ QuaRot dB',
    '0.0',
    '+3.2',
  ])
  fireEvent.click(hook('baseline-quarot'))
  expect(hook('sort-delta').textContent).toBe('Δ RTN dB')
})

it('starts with what is measured against, and ends with what is published, for W4A4 of one model', async () => {
  await open()
  const texts = (id: string) => [...hook(id).querySelectorAll('td')].map((cell) => cell.textContent)
  expect(new Set(texts('table-reference'))).toEqual(new Set(['–']))
  expect(hook('table-reference').textContent).toContain('as loaded')
  expect(hook('sort-paper').textContent).toBe('Paper: Llama-3.1-8B recovery %, not of this layer')
  expect(texts('table-row-flatquant').at(-1)).toBe('■ 96.57 risky')
  expect(hook('table-row-flatquant').querySelector('td:last-child')?.getAttribute('title')).toContain(
    'Published for Llama-3.1-8B-Instruct, not of this layer',
  )
})

it('lets columns be chosen, and copies what is shown', async () => {
  // Without layout the focus trap finds nothing visible to focus, and says so at length.
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const copied: string[] = []
  vi.spyOn(window.navigator.clipboard, 'writeText').mockImplementation(async (text) => void copied.push(text))
  await open()
  fireEvent.click(hook('table-menu'))
  await act(() => import('../../src/ui/table/TableMenu'))
  await waitFor(() => hook('column-nmse'))
  fireEvent.click(hook('column-nmse'))
  fireEvent.click(hook('column-delta'))
  expect(document.querySelector('[data-test="sort-delta"]')).toBeNull()
  await act(async () => {
    fireEvent.click(hook('copy-markdown'))
    await later()
  })
  expect(copied[0]).toMatch(/^\| Method \| Out SQNR \[dB\] \| Rel\. error/)
  expect(copied[0]).toContain('| NMSE |')
  expect(copied[0].split('\n')).toHaveLength(6)
})
