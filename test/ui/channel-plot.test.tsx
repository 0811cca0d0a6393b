import { act, cleanup, render } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { FigureSpec } from '../../src/figures/figure'
import { createAppStore } from '../../src/store/app-store'
import { ChannelPlot } from '../../src/ui/plot/ChannelPlot'
import { channelAtShare, plainAxis } from '../../src/ui/plot/channel-axis'
import { StoreContext } from '../../src/ui/use-app'
import { FakeEngine, VOCABULARY } from '../store/fake-engine'

/** What Plotly leaves of a drawing whose axis goes over channels 0 … 191, 1.5 px each. */
const drawn = vi.hoisted(() => ({ host: null as HTMLElement | null }))
vi.mock('../../src/ui/plot/Plot', async () => {
  const { useEffect, useRef } = await import('react')
  return {
    Plot: ({ onFirstDrawn }: { onFirstDrawn?: (host: HTMLElement) => void }) => {
      const host = useRef<HTMLDivElement>(null)
      const first = useRef(onFirstDrawn)
      useEffect(() => {
        if (!host.current) return
        drawn.host = Object.assign(host.current, { on: () => {}, _fullLayout: { xaxis: { range: [-0.5, 191.5] } } })
        const area = host.current.querySelector('.nsewdrag')
        if (area) area.getBoundingClientRect = () => new DOMRect(0, 0, 288, 100)
        first.current?.(host.current)
      }, [])
      return (
        <div ref={host}>
          <i className="nsewdrag" />
        </div>
      )
    },
  }
})

/** What waits for the next frame. */
const frame: (() => void)[] = []
beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (tell: () => void) => frame.push(tell))
})
afterEach(() => {
  cleanup()
  vi.unstubAllGlobals()
})

const FIGURE: FigureSpec = { data: [], layout: {} }

function shown() {
  const store = createAppStore(new FakeEngine(), {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
  })
  const heights = Float32Array.from({ length: 192 }, (_, channel) => (channel === 100 ? 9 : 1))
  render(
    <StoreContext.Provider value={store}>
      <ChannelPlot
        figure={FIGURE}
        title=""
        label=""
        enlarged={false}
        axis={plainAxis(192, -0.5, heights)}
        mixed={false}
        read={(channel) => `max ${heights[channel]}`}
      />
    </StoreContext.Provider>,
  )
  const send = (type: string, clientX: number) => {
    const target = type === 'pointerup' ? window : drawn.host
    act(() => void target?.dispatchEvent(new PointerEvent(type, { clientX, clientY: 50, button: 0 })))
    act(() => frame.splice(0).forEach((tell) => void tell()))
  }
  const labels = () => [...document.querySelectorAll<HTMLElement>('[data-mark]')].map(({ dataset }) => dataset.label)
  return { store, labels, send }
}

it('pins the channel that is read, at every pixel, also beside the one that is pinned', () => {
  const { store, labels, send } = shown()
  for (let px = 1; px < 288; px++) {
    send('pointermove', px)
    const read = Number(labels().at(-1)?.split('\n')[0])
    const before = store.getState().highlight.pinnedChannel
    send('pointerdown', px)
    send('pointerup', px)
    expect([px, store.getState().highlight.pinnedChannel]).toEqual([px, read === before ? null : read])
    if (px % 5 === 0) store.actions.clearPins()
  }
})

it('says the values of the channel, and takes a spike that lies within a pixel', () => {
  const { labels, send } = shown()
  send('pointermove', 30)
  expect(labels()).toEqual(['20\nmax 1'])
  // Its middle lies at 150.75 px.
  for (const px of [149.8, 151.7]) {
    send('pointermove', px)
    expect(labels()).toEqual(['100\nmax 9'])
  }
  send('pointermove', 152.2)
  expect(labels()).toEqual(['101\nmax 1'])
})

it('takes the largest of the channels that share a pixel', () => {
  const heights = Float32Array.from({ length: 4096 }, (_, channel) => (channel === 2050 ? 7 : 1))
  const area = { x: [-0.5, 4095.5] as const, width: 256 }
  expect(channelAtShare(plainAxis(4096, -0.5, heights), area, 0.5)).toBe(2050)
  expect(channelAtShare(plainAxis(4096), area, 0.5)).toBe(2048)
})
