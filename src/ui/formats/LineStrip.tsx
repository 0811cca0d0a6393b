import { memo, type PointerEvent, useMemo } from 'react'
import type { LineAxis } from '../../figures/line-axis'
import { BAND_BOTTOM, numberLine, TICK_TOP } from '../../figures/number-line'
import type { ScaledGrid } from '../../formats/scaled-grid'
import styles from './formats.module.css'

const HEIGHT = 36
const AXIS_HEIGHT = 24

/** The pattern of numbers beyond the outermost values; one for the page. */
const SATURATED = 'mx-saturated'

interface LineStripProps {
  readonly grid: ScaledGrid | null
  readonly axis: LineAxis
  /** The number that is rounded, and what it becomes. */
  readonly from: number
  readonly to: number | null
}

/** The bands and ticks of one format; the same nodes while its grid and the axis stay. */
const Bands = memo(function Bands({ grid, axis }: { readonly grid: ScaledGrid; readonly axis: LineAxis }) {
  const line = useMemo(() => numberLine(grid, axis), [grid, axis])
  return (
    <>
      <path className={styles.even} d={line.even} />
      <path className={styles.odd} d={line.odd} />
      <path className={styles.dense} d={line.dense} />
      <path fill={`url(#${SATURATED})`} d={line.saturated} />
      <path className={styles.ticks} d={line.ticks} />
    </>
  )
})

/** One format on the number line. The table says the same in words. */
export function LineStrip({ grid, axis, from, to }: LineStripProps) {
  const at = axis.toPixel(from)
  const target = to === null ? null : axis.toPixel(to)
  return (
    <svg
      className={styles.strip}
      viewBox={`0 0 ${axis.width} ${HEIGHT}`}
      height={HEIGHT}
      width="100%"
      aria-hidden="true"
    >
      {grid && <Bands grid={grid} axis={axis} />}
      <path className={styles.needle} d={`M${at} 0V${HEIGHT}`} />
      {target !== null && (
        <path
          className={styles.target}
          d={`M${target} ${TICK_TOP + 14}l5 7l-5 7l-5 -7Z M${at} ${BAND_BOTTOM + 3}H${target}`}
        />
      )}
    </svg>
  )
}

/** The axis below all strips. */
export function LineScale({ axis }: { readonly axis: LineAxis }) {
  return (
    <svg
      className={styles.strip}
      viewBox={`0 0 ${axis.width} ${AXIS_HEIGHT}`}
      height={AXIS_HEIGHT}
      width="100%"
      aria-hidden="true"
    >
      <defs>
        <pattern id={SATURATED} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path className={styles.hatch} d="M0 0V6" />
        </pattern>
      </defs>
      <path className={styles.ticks} d={`M0 0.5H${axis.width}${axis.ticks.map(({ at }) => `M${at} 0V5`).join('')}`} />
      {axis.ticks.map(({ at, text }) => (
        <text key={text} className={styles.tickText} x={at} y={18} textAnchor="middle">
          {text}
        </text>
      ))}
    </svg>
  )
}

/** The number under the pointer over a strip drawn with `axis`. */
export function valueUnder(event: PointerEvent<HTMLElement>, axis: LineAxis): number {
  const { left, width } = event.currentTarget.getBoundingClientRect()
  return axis.toValue(((event.clientX - left) / (width || axis.width)) * axis.width)
}
