import type { LayoutAxis } from '../../types/plotly-figure'
import { formatCount, formatSignificant } from './format-number'
import type { PositiveRange } from './shared-scales'

const SPARSE_DECADES = 2.5
/** Mantissas where 1, 2 and 5 alone are fewer ticks than asked for. */
const DENSE = [1, 1.5, 2, 3, 4, 5, 7]

/**
 * Ticks of a log axis over a positive range, at 1, 2 and 5 times powers of ten, or at powers of ten alone when there are
 * more than two and a half decades. Written out as decimals, thousands and millions as k and M. A range too narrow for
 * `least` of these gets more mantissas where more than two are asked for, else evenly spaced round values.
 */
export function logTicks(range: PositiveRange, least = 2): Required<Pick<LayoutAxis, 'tickvals' | 'ticktext'>> {
  const sparse = Math.log10(range.max / range.min) > SPARSE_DECADES
  const tickvals = ticksAt(sparse ? [1] : [1, 2, 5], range)
  if (tickvals.length >= least) return { tickvals, ticktext: tickvals.map(tickText) }
  const dense = ticksAt(DENSE, range)
  return least > 2 && dense.length >= least ? { tickvals: dense, ticktext: dense.map(String) } : evenTicks(range)
}

function ticksAt(steps: readonly number[], range: PositiveRange): number[] {
  const tickvals: number[] = []
  for (let power = Math.floor(Math.log10(range.min)); power <= Math.ceil(Math.log10(range.max)); power++) {
    for (const step of steps) {
      // From text: 2 * 10 ** -3 is not the double nearest to 0.002.
      const value = Number(`${step}e${power}`)
      if (value >= range.min && value <= range.max) tickvals.push(value)
    }
  }
  return tickvals
}

const EVEN_INTERVALS = 5

/** Multiples of 1, 2 or 5 times a power of ten, about EVEN_INTERVALS to the range. */
function evenTicks({ min, max }: PositiveRange): ReturnType<typeof logTicks> {
  const rough = (max - min) / EVEN_INTERVALS || min
  const power = Math.floor(Math.log10(rough))
  const mantissa = [1, 2, 5, 10].find((candidate) => candidate * 10 ** power >= rough) ?? 10
  const step = mantissa * 10 ** power
  const first = Math.ceil(min / step)
  const count = Math.floor(max / step) - first + 1
  const decimals = Math.max(0, -Math.floor(Math.log10(step)))
  const ticktext = Array.from({ length: count }, (_, i) => ((first + i) * step).toFixed(decimals))
  return { tickvals: ticktext.map(Number), ticktext }
}

function tickText(value: number): string {
  if (value >= 1e6) return `${formatCount(value / 1e6)}M`
  if (value >= 1e3) return `${formatCount(value / 1e3)}k`
  return formatSignificant(value, 1)
}

/** [log10 min, log10 max] widened by `padding` decades at both ends, as Plotly wants the range of a log axis. */
export function logRange(range: PositiveRange, padding = 0): [number, number] {
  return [Math.log10(range.min) - padding, Math.log10(range.max) + padding]
}
