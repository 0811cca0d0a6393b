/** Where the channels of a figure lie along its x axis: `count` places, one per channel. */
export interface ChannelAxis {
  readonly count: number
  /** Where the first place begins, in units of the axis; a place is one unit wide. */
  readonly start: number
  /** Neighbouring places are neighbouring channels. */
  readonly isPlain: boolean
  /** How far a channel stands out: of those that share a pixel, the pointer takes the one that does most. */
  readonly heights?: ArrayLike<number>
  channelAt(place: number): number
  placeOf(channel: number): number
}

/** Channels in their own order. The first is drawn at `first`, at its middle (−0.5) or where it begins (0). */
export function plainAxis(count: number, start = -0.5, heights?: ArrayLike<number>): ChannelAxis {
  return { count, start, isPlain: true, heights, channelAt: (place) => place, placeOf: (channel) => channel }
}

/** Channels in the order of `sorted`. */
export function sortedAxis(sorted: Uint32Array): ChannelAxis {
  const places = new Uint32Array(sorted.length)
  sorted.forEach((channel, place) => {
    places[channel] = place
  })
  return {
    count: sorted.length,
    start: -0.5,
    isPlain: false,
    channelAt: (place) => sorted[place],
    placeOf: (channel) => places[channel],
  }
}

/** Where a figure draws, in px from the corner of its host, and what it shows there, in units of its axes. */
export interface PlotArea {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** From left to right; null where the drawing does not say: all of it. */
  readonly x: readonly [number, number] | null
}

/** A place in a drawing: from its left edge in px and as a share of its width, and on the y axis. */
export interface PlotPlace {
  readonly px: number
  readonly share: number
  readonly y: number | null
}

/** As far beside the pointer a channel that stands out is taken, in px. */
const SNAP = 1

/** The channel at a share of the visible width, of those within SNAP the one that stands out; null outside of the axis. */
export function channelAtShare(axis: ChannelAxis, area: Pick<PlotArea, 'x' | 'width'>, share: number): number | null {
  const [from, to] = area.x ?? [axis.start, axis.start + axis.count]
  const place = Math.floor(from + share * (to - from) - axis.start)
  // The right edge belongs to the last place.
  const kept = place === axis.count ? place - 1 : place
  if (kept < 0 || kept >= axis.count) return null
  const { heights } = axis
  let found = axis.channelAt(kept)
  if (heights === undefined) return found
  const middle = from + share * (to - from) - axis.start - 0.5
  const reach = (SNAP * (to - from)) / area.width
  const last = Math.min(Math.floor(middle + reach), axis.count - 1)
  for (let near = Math.max(Math.ceil(middle - reach), 0); near <= last; near++) {
    const channel = axis.channelAt(near)
    if (heights[channel] > heights[found]) found = channel
  }
  return found
}

/** Distance of axis units, from the first place on, from the left edge of the drawing, in px. */
export function pixelOf(axis: ChannelAxis, area: PlotArea, places: number): number {
  const [from, to] = area.x ?? [axis.start, axis.start + axis.count]
  return (area.width * (axis.start + places - from)) / (to - from)
}

/** A press that moves farther than this is no click, in px. */
const CLICK_SLOP = 6

type Range = readonly [number, number]

interface PlotHost extends HTMLElement {
  on(event: 'plotly_afterplot', handler: () => void): void
  /** The layout as drawn, with what the user has zoomed to. */
  readonly _fullLayout?: { readonly xaxis?: { readonly range?: Range }; readonly yaxis?: { readonly range?: Range } }
}

export interface ChannelEvents {
  readonly onArea: (area: PlotArea) => void
  /** At most once per frame; null: the pointer has left. */
  readonly onPoint: (place: PlotPlace | null) => void
  readonly onPick: (place: PlotPlace) => void
}

/** The last of what is told within a frame. */
function oncePerFrame<T>(tell: (value: T) => void): (value: T) => void {
  let next: { readonly value: T } | null = null
  return (value) => {
    if (next === null) {
      requestAnimationFrame(() => {
        const last = next
        next = null
        if (last) tell(last.value)
      })
    }
    next = { value }
  }
}

/** Tells where a drawn figure lies, and where the pointer is in it. Lasts as long as the host. */
export function watchChannels(element: HTMLElement, { onArea, onPoint, onPick }: ChannelEvents): void {
  const host = element as PlotHost
  const plotBox = () => host.querySelector('.nsewdrag')?.getBoundingClientRect() ?? null
  const placeOf = ({ clientX, clientY }: PointerEvent): PlotPlace | null => {
    const box = plotBox()
    if (!box || box.width === 0 || clientY < box.top || clientY > box.bottom) return null
    const px = clientX - box.left
    const share = px / box.width
    if (share < 0 || share > 1) return null
    const [bottom, top] = host._fullLayout?.yaxis?.range ?? [null, null]
    const up = (box.bottom - clientY) / box.height
    return { px, share, y: bottom === null || top === null ? null : bottom + up * (top - bottom) }
  }
  const measure = () => {
    const box = plotBox()
    const from = host.getBoundingClientRect()
    const x = host._fullLayout?.xaxis?.range ?? null
    if (box) onArea({ left: box.left - from.left, top: box.top - from.top, width: box.width, height: box.height, x })
  }
  const point = oncePerFrame(onPoint)
  host.on('plotly_afterplot', measure)
  measure()
  host.addEventListener('pointermove', (event) => point(placeOf(event)))
  host.addEventListener('pointerleave', () => point(null))
  host.addEventListener('pointerdown', (down) => {
    const place = placeOf(down)
    if (place === null || down.button !== 0) return
    // Plotly lays a cover over the page while a button is down, so the release is heard on the window.
    const release = new AbortController()
    const { signal } = release
    window.addEventListener('pointercancel', () => release.abort(), { signal })
    window.addEventListener(
      'pointerup',
      ({ clientX, clientY }) => {
        release.abort()
        if (Math.hypot(clientX - down.clientX, clientY - down.clientY) <= CLICK_SLOP) onPick(place)
      },
      { signal },
    )
  })
}
