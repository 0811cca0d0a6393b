import { act, cleanup, fireEvent, render, within } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type AppStore, createAppStore } from '../../src/store/app-store'
import { App } from '../../src/ui/App'
import { exactTime, relativeTime } from '../../src/ui/history/run-time'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'
import { FakeHistory } from '../store/fake-history'
import { does, hook, hooks, later } from '../support/hooks'

vi.mock('../../src/ui/plot/Plot', () => ({ Plot: ({ label }: { label: string }) => <p>{label}</p> }))

const HOUR = 3_600_000

let engine: FakeEngine
let store: AppStore
let clock: number

/** Waits for what is loaded on first use. */
const soon = (check: () => unknown) =>
  vi.waitFor(
    async () => {
      await act(later)
      check()
    },
    { timeout: 15_000 },
  )

/** Finishes the run that goes on as one of `hours` ago, and waits until there are `count`. */
async function finish(hours: number, count: number) {
  clock = Date.now() - hours * HOUR
  await does(() => engine.finish())
  await soon(() => expect(store.getState().history.runs).toHaveLength(count))
}

async function open(fragment: string) {
  store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    history: { storage: new FakeHistory(), date: () => clock },
  })
  render(<App store={store} />)
  await act(async () => {
    await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
    await later()
  })
}

async function openDrawer() {
  await does(() => hook('runs').click())
  await soon(() => hook('runs-drawer'))
}

const key = (element: Element | null, name: string) =>
  does(() => fireEvent.keyDown(element ?? document.body, { key: name }))
const titles = () => hooks('run-open').map(({ textContent }) => textContent)

beforeEach(() => {
  engine = new FakeEngine()
})
afterEach(cleanup)

describe('the drawer of runs', () => {
  it('is worked by keys alone: arrows move, F2 renames, Delete deletes with undo, Enter opens', async () => {
    await open('m=rtn,quarot')
    await openDrawer()
    await soon(() =>
      expect(hook('runs-drawer').textContent).toContain('No run yet. Every comparison that finishes appears here'),
    )
    await finish(2, 1)
    await does(() => store.actions.setSeed(1))
    await finish(1, 2)
    await act(later)
    const [newest, oldest] = hooks('run')
    expect(newest.textContent).toContain('best RTN 14.1 dB')
    expect(newest.querySelector('time')?.textContent).toBe('1 hour ago')
    expect(oldest.querySelector('time')?.textContent).toBe('2 hours ago')
    expect(newest.querySelector('time')?.title).toBe(exactTime(clock))
    await does(() => hook('runs-close').click())
    expect(hooks('runs-drawer')).toEqual([])
    expect(document.activeElement).toBe(hook('runs'))
    await openDrawer()
    const [first, second] = hooks('run-open')
    expect(document.activeElement).toBe(first)
    await key(first, 'ArrowDown')
    expect(document.activeElement).toBe(second)
    await key(second, 'F2')
    await does(() => fireEvent.change(hook('run-title'), { target: { value: 'Before' } }))
    await key(hook('run-title'), 'Escape')
    expect(titles()).not.toContain('Before')
    await key(hooks('run-open')[1], 'F2')
    await does(() => fireEvent.change(hook('run-title'), { target: { value: 'Before' } }))
    await key(hook('run-title'), 'Enter')
    expect(titles()[1]).toBe('Before')
    await key(hooks('run-open')[0], 'Delete')
    expect(titles()).toEqual(['Before'])
    expect(hook('undo').textContent).toContain('Deleted the run')
    await does(() => fireEvent.keyDown(hook('run-open'), { key: 'z', code: 'KeyZ', ctrlKey: true }))
    expect(titles()).toHaveLength(2)
    await does(() => hooks('run-open')[1].click())
    expect(store.getState().setup.seed).toBe(0)
    await key(hook('run-open'), 'Escape')
    expect(hooks('runs-drawer')).toEqual([])
  })

  it('compares two runs in a table whose cells have their heads, a figure and words', async () => {
    await open('m=rtn,quarot')
    await finish(2, 1)
    await does(() => store.actions.setPreScale({ on: false }))
    clock = Date.now()
    await does(() => engine.finish({ rtn: 0.1, quarot: 0.2854 }))
    await soon(() => expect(store.getState().history.runs).toHaveLength(2))
    await openDrawer()
    expect((hook('runs-compare') as HTMLButtonElement).disabled).toBe(true)
    await does(() => hooks('run-choose')[0].click())
    await does(() => hooks('run-choose')[1].click())
    await does(() => hook('runs-compare').click())
    expect(hook('run-differences').textContent).toBe('From A to B: pre-scale 3/4 → off.')
    const cells = within(hook('run-row-rtn')).getAllByRole('cell')
    expect(cells.map(({ textContent }) => textContent)).toEqual(['14.1', '20.0', '+5.9', '0.1964', '0.1000', '−0.0964'])
    expect(within(hook('run-row-quarot')).getAllByRole('cell')[2].textContent).toBe('0.0')
    expect(hook('run-comparison').textContent).toContain('from A to B RTN gains 5.9 dB; the same in both: QuaRot')
    expect(hook('run-comparison').querySelectorAll('th[scope="colgroup"]')).toHaveLength(2)
    await key(hook('runs-back'), 'Escape')
    expect(hooks('run')).toHaveLength(2)
  })
})

describe('the undo notification', () => {
  it('stands in one status region, goes after 8 s unless it is held, and can be dismissed', async () => {
    await open('m=rtn,quarot')
    await soon(() => hook('undo'))
    const region = hook('undo')
    expect(region.getAttribute('role')).toBe('status')
    expect(region.textContent).toBe('')
    vi.useFakeTimers()
    try {
      act(() => store.actions.toggleMethod('quarot'))
      expect(region.textContent).toContain('Removed QuaRot.')
      const note = region.firstElementChild
      if (!note) throw new Error('there is no note')
      fireEvent.mouseEnter(note)
      act(() => void vi.advanceTimersByTime(20_000))
      expect(region.textContent).toContain('Removed QuaRot.')
      fireEvent.mouseLeave(note)
      act(() => void vi.advanceTimersByTime(7900))
      expect(region.textContent).toContain('Removed QuaRot.')
      act(() => void vi.advanceTimersByTime(200))
      expect(region.textContent).toBe('')
      // By key it still works, but not while one types.
      fireEvent.keyDown(document.querySelector('input') ?? document.body, { key: 'z', code: 'KeyZ', ctrlKey: true })
      expect(store.getState().setup.methods).toHaveLength(1)
      act(() => void fireEvent.keyDown(document.documentElement, { key: 'z', code: 'KeyZ', metaKey: true }))
    } finally {
      vi.useRealTimers()
    }
    await act(later)
    expect(store.getState().setup.methods.map(({ id }) => id)).toEqual(['rtn', 'quarot'])
    expect(region.textContent).toBe('Undone.')
    await does(() => hook('undo-dismiss').click())
    expect(region.textContent).toBe('')
  })
})

describe('times of runs', () => {
  it('are relative in the largest unit that fits', () => {
    const now = 10 * 24 * HOUR
    expect(relativeTime(now - 20_000, now)).toBe('now')
    expect(relativeTime(now + 5000, now)).toBe('now')
    expect(relativeTime(now - 60_000, now)).toBe('1 minute ago')
    expect(relativeTime(now - 1.9 * HOUR, now)).toBe('1 hour ago')
    expect(relativeTime(now - 26 * HOUR, now)).toBe('yesterday')
    expect(relativeTime(now - 72 * HOUR, now)).toBe('3 days ago')
  })
})
