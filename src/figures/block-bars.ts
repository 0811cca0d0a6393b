/** The elements of one block as bars, with the values its format can hold: a few SVG paths (see number-line.ts). */
import type { Inspection } from '../experiment/inspect-block'

export interface BlockBars {
  /** SVG path data on a canvas of BARS_WIDTH x BARS_HEIGHT units. */
  readonly bars: string
  /** What each element is read back as. */
  readonly marks: string
  /** Values of the format under the block's scale, as horizontal lines; empty where they lie too close. */
  readonly grid: string
  /** Beside elements that clipped. */
  readonly clipped: string
  readonly zero: number
}

export const BARS_WIDTH = 640
export const BARS_HEIGHT = 120
const MARGIN = 6
/** Where the ends of the axis lie, as y. */
export const BARS_TOP = MARGIN
export const BARS_BOTTOM = BARS_HEIGHT - MARGIN
/** Lines closer than this would fill the drawing. */
const NARROWEST = 3

const round = (value: number) => Math.round(value * 10) / 10

/** The largest magnitude to be drawn over several inspections of one block, so that they share their axis. */
export function barLimit(inspections: readonly Inspection[]): number {
  const magnitudes = inspections.flatMap(({ elements }) =>
    elements.flatMap(({ value, reconstruction }) => [Math.abs(value), Math.abs(reconstruction)]),
  )
  return magnitudes.reduce((most, magnitude) => (Number.isFinite(magnitude) && magnitude > most ? magnitude : most), 0)
}

/** Bars from −limit to limit. `values`: what the format holds under the scale of the block; any order. */
export function blockBars({ elements }: Inspection, limit: number, values: ArrayLike<number>): BlockBars {
  const top = limit > 0 ? limit : 1
  const half = BARS_HEIGHT / 2 - MARGIN
  const y = (value: number) => round(BARS_HEIGHT / 2 - (Math.min(Math.max(value, -top), top) / top) * half)
  const step = BARS_WIDTH / Math.max(elements.length, 1)
  const paths = { bars: '', marks: '', clipped: '' }
  elements.forEach(({ value, reconstruction, clipped }, i) => {
    const left = round(i * step + step * 0.2)
    const right = round((i + 1) * step - step * 0.2)
    if (Number.isFinite(value)) paths.bars += `M${left} ${y(0)}V${y(value)}H${right}V${y(0)}Z`
    if (Number.isFinite(reconstruction)) {
      paths.marks += `M${round(i * step)} ${y(reconstruction)}H${round((i + 1) * step)}`
    }
    const end = value < 0 ? BARS_HEIGHT : 0
    if (clipped) paths.clipped += `M${left} ${end}H${right}L${round((left + right) / 2)} ${Math.abs(end - MARGIN)}Z`
  })
  const lines = Array.from(values)
    .filter((value) => Math.abs(value) <= top)
    .map(y)
    .sort((a, b) => a - b)
  const close = lines.some((line, i) => i > 0 && line - lines[i - 1] < NARROWEST)
  return { ...paths, grid: close ? '' : lines.map((line) => `M0 ${line}H${BARS_WIDTH}`).join(''), zero: y(0) }
}
