import { createContext, useContext, useSyncExternalStore } from 'react'

/** The channel under the pointer, told to every row at most once per frame. Figures are not drawn again for it. */
export interface ChannelPointer {
  readonly get: () => number | null
  readonly point: (channel: number | null) => void
  readonly subscribe: (listener: () => void) => () => void
}

export function createChannelPointer(): ChannelPointer {
  const listeners = new Set<() => void>()
  let told: number | null = null
  let next: number | null = null
  let waiting = false
  const tell = () => {
    waiting = false
    if (next === told) return
    told = next
    for (const listener of listeners) listener()
  }
  return {
    get: () => told,
    point: (channel) => {
      next = channel
      if (waiting || next === told) return
      waiting = true
      requestAnimationFrame(tell)
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const PointerContext = createContext<ChannelPointer>(createChannelPointer())

export function usePointer(): ChannelPointer {
  return useContext(PointerContext)
}

export function usePointedChannel(): number | null {
  const { subscribe, get } = usePointer()
  return useSyncExternalStore(subscribe, get)
}

/** Where the channels of a row lie along an axis: `count` places, one per channel. */
export interface ChannelAxis {
  readonly count: number
  channelAt(place: number): number
  placeOf(channel: number): number
}

export function plainAxis(count: number): ChannelAxis {
  return { count, channelAt: (place) => place, placeOf: (channel) => channel }
}

/** Channels in the order of `sorted`. */
export function sortedAxis(sorted: Uint32Array): ChannelAxis {
  const places = new Uint32Array(sorted.length)
  sorted.forEach((channel, place) => {
    places[channel] = place
  })
  return { count: sorted.length, channelAt: (place) => sorted[place], placeOf: (channel) => places[channel] }
}

/** Where a figure draws, in px from the corner of its host. */
export interface PlotArea {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** A press that moves farther than this is no click, in px. */
const CLICK_SLOP = 6

interface PlotHost extends HTMLElement {
  on(event: 'plotly_afterplot', handler: () => void): void
}

export interface ChannelEvents {
  readonly onArea: (area: PlotArea) => void
  /** Share of the plot's width, 0 … 1; null: the pointer has left. */
  readonly onPoint: (share: number | null) => void
  readonly onPick: (share: number) => void
}

/** Tells where a drawn figure lies, and where the pointer is in it. Lasts as long as the host. */
export function watchChannels(element: HTMLElement, { onArea, onPoint, onPick }: ChannelEvents): void {
  const host = element as PlotHost
  const plotBox = () => host.querySelector('.nsewdrag')?.getBoundingClientRect() ?? null
  const shareOf = ({ clientX, clientY }: PointerEvent): number | null => {
    const box = plotBox()
    if (!box || box.width === 0 || clientY < box.top || clientY > box.bottom) return null
    const share = (clientX - box.left) / box.width
    return share >= 0 && share <= 1 ? share : null
  }
  const measure = () => {
    const box = plotBox()
    const from = host.getBoundingClientRect()
    if (box) onArea({ left: box.left - from.left, top: box.top - from.top, width: box.width, height: box.height })
  }
  host.on('plotly_afterplot', measure)
  measure()
  host.addEventListener('pointermove', (event) => onPoint(shareOf(event)))
  host.addEventListener('pointerleave', () => onPoint(null))
  host.addEventListener('pointerdown', (down) => {
    const share = shareOf(down)
    if (share === null || down.button !== 0) return
    // Plotly lays a cover over the page while a button is down, so the release is heard on the window.
    const release = new AbortController()
    const { signal } = release
    window.addEventListener('pointercancel', () => release.abort(), { signal })
    window.addEventListener(
      'pointerup',
      ({ clientX, clientY }) => {
        release.abort()
        if (Math.hypot(clientX - down.clientX, clientY - down.clientY) <= CLICK_SLOP) onPick(share)
      },
      { signal },
    )
  })
}
