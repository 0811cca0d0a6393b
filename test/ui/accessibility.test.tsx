import { act, cleanup, fireEvent, render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Announcement, quarters } from '../../src/ui/Announcement'
import { FakeEngine } from '../store/fake-engine'
import { does, hook } from '../support/hooks'
import { openPage } from '../support/page'

vi.mock('../../src/ui/plot/Plot', () => ({
  Plot: ({ label, children }: { label: string; children?: ReactNode }) => (
    <div>
      <p>{label}</p>
      {children}
    </div>
  ),
}))

async function open(): Promise<FakeEngine> {
  const engine = new FakeEngine()
  await openPage(engine, '#m=rtn,quarot,flatquant')
  return engine
}

afterEach(() => {
  cleanup()
  vi.useRealTimers()
})

describe('what is announced', () => {
  it('is the latest, at most once a second', () => {
    vi.useFakeTimers()
    const { rerender } = render(<Announcement hook="said" text="start" />)
    const say = (text: string, wait: number) => {
      rerender(<Announcement hook="said" text={text} />)
      act(() => vi.advanceTimersByTime(wait))
      return hook('said').textContent
    }
    expect(hook('said').getAttribute('role')).toBe('status')
    expect(say('one', 0)).toBe('one')
    expect(say('two', 400)).toBe('one')
    expect(say('three', 599)).toBe('one')
    expect(say('three', 1)).toBe('three')
    expect(say('four', 2000)).toBe('four')
  })

  it('names the method that is computed, then tells the finding', async () => {
    const engine = await open()
    act(() => engine.last.emit({ kind: 'started', method: 'quarot', setting: 'W4A4' }))
    await vi.waitFor(() => expect(hook('announcement').textContent).toBe('Computing QuaRot, 0 of 3 results.'), 3000)
    await does(() => engine.finish())
    const answer = hook('answer').textContent
    expect(answer).toContain('FlatQuant 19.9 dB')
    await vi.waitFor(() => expect(hook('announcement').textContent).toBe(answer), 3000)
  })

  it('is a long computation by its quarters', () => {
    expect([0, 24, 25, 99, 100].map((done) => quarters('Errors', done, 100))).toEqual(
      ['0', '0', '25', '75', '100'].map((share) => `Errors: ${share} %`),
    )
    expect(quarters('Training', 0, 0)).toBe('Training: 0 %')
  })
})

describe('by keyboard', () => {
  it('the first stop leads to the figures, on a phone to their pane', async () => {
    await open()
    fireEvent.click(hook('pane-table'))
    expect(document.querySelector('button')).toBe(hook('skip'))
    fireEvent.click(hook('skip'))
    expect(document.activeElement).toBe(hook('view-area'))
    expect(hook('pane-figures').getAttribute('aria-current')).toBe('page')
  })

  it('the second stop leads to the views, which arrow keys go along as one stop', async () => {
    await open()
    fireEvent.click(hook('skip-views'))
    const focused = () => (document.activeElement as HTMLElement | null)?.dataset.test
    expect(focused()).toBe('view-distribution')
    const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key })
    const stops = ['ArrowRight', 'ArrowLeft', 'ArrowLeft', 'Home', 'End', 'ArrowRight'].map((key) => {
      press(key)
      return focused()
    })
    const [first, second, last] = ['view-distribution', 'view-surface', 'view-findings']
    expect(stops).toEqual([second, first, last, first, last, first])
    const tabs = [...document.querySelectorAll<HTMLElement>('#views li > button')]
    expect(tabs.filter(({ tabIndex }) => tabIndex === 0)).toEqual([hook('view-distribution')])
  })

  it('the key of the search leads to the list where it is too short for one', async () => {
    await open()
    const first = hook('tensor-row')
    await vi.waitFor(() => {
      fireEvent.keyDown(document.body, { key: '/' })
      expect(document.activeElement === first).toBe(true)
    })
  })

  it('arrow keys lead from tile to tile', async () => {
    const engine = await open()
    await does(() => engine.finish())
    const buttons = [...document.querySelectorAll<HTMLElement>('[data-size-button]')]
    expect(buttons).toHaveLength(3)
    buttons[0].focus()
    const press = (key: string) => fireEvent.keyDown(document.activeElement ?? document.body, { key })
    press('ArrowRight')
    expect(document.activeElement).toBe(buttons[1])
    press('ArrowDown')
    press('ArrowRight')
    expect(document.activeElement).toBe(buttons[2])
    press('ArrowLeft')
    expect(document.activeElement).toBe(buttons[1])
  })
})
