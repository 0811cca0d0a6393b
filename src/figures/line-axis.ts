/** The axis of the number line: linear between two ends, or log |x| on both sides of zero. */
import { logTicks } from './log-ticks'

/** `linear` runs from `from` to `to`. `log` shows |x| from `from` to `to` on either side, what is smaller in the middle. */
export interface LineRange {
  readonly kind: 'linear' | 'log'
  readonly from: number
  readonly to: number
}

export interface AxisTick {
  readonly at: number
  readonly text: string
}

/** Where numbers lie on `width` pixels. Rising; beyond the ends it goes on, so that bands can be cut there. */
export interface LineAxis {
  readonly width: number
  toPixel(x: number): number
  toValue(pixel: number): number
  readonly ticks: readonly AxisTick[]
}

/** The middle of a log axis, where magnitudes below its range lie, linear. */
const MIDDLE_PX = 24
const TICK_SPACE_PX = 64

function linearAxis({ from, to }: LineRange, width: number): LineAxis {
  const span = to - from
  const rough = span / Math.max(2, Math.floor(width / TICK_SPACE_PX))
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10) * power
  const first = Math.ceil(from / step)
  const count = Math.max(0, Math.floor(to / step) - first + 1)
  const decimals = Math.max(0, -Math.floor(Math.log10(step)))
  const toPixel = (x: number) => ((x - from) / span) * width
  const ticks = Array.from({ length: count }, (_, i) => {
    const text = ((first + i) * step + 0).toFixed(decimals)
    return { at: toPixel(Number(text)), text: text.replace('-', '−') }
  })
  return { width, toPixel, toValue: (pixel) => from + (pixel / width) * span, ticks }
}

function logAxis({ from, to }: LineRange, width: number): LineAxis {
  const half = (width - MIDDLE_PX) / 2
  const decades = Math.log(to / from)
  const centre = width / 2
  const toPixel = (x: number) => {
    const magnitude = Math.abs(x)
    const distance =
      magnitude <= from
        ? (magnitude / from) * (MIDDLE_PX / 2)
        : MIDDLE_PX / 2 + (Math.log(magnitude / from) / decades) * half
    return centre + Math.sign(x) * distance
  }
  const toValue = (pixel: number) => {
    const distance = Math.abs(pixel - centre)
    const beyond = distance - MIDDLE_PX / 2
    const magnitude = beyond <= 0 ? (distance / (MIDDLE_PX / 2)) * from : from * Math.exp((beyond / half) * decades)
    return Math.sign(pixel - centre) * magnitude
  }
  const { tickvals, ticktext } = logTicks({ min: from, max: to })
  const every = Math.ceil((tickvals.length * TICK_SPACE_PX) / half)
  const shown = tickvals.map((value, i) => ({ value, text: ticktext[i] })).filter((_, i) => i % every === 0)
  const side = (sign: 1 | -1) =>
    shown.map(({ value, text }) => ({ at: toPixel(sign * value), text: `${sign < 0 ? '−' : ''}${text}` }))
  return { width, toPixel, toValue, ticks: [...side(-1).reverse(), { at: centre, text: '0' }, ...side(1)] }
}

/** The axis of `range` over `width` pixels. `from` < `to`; both above 0 on a log axis. */
export function lineAxis(range: LineRange, width: number): LineAxis {
  return range.kind === 'linear' ? linearAxis(range, width) : logAxis(range, width)
}
