import { BARS_BOTTOM, BARS_HEIGHT, BARS_TOP, BARS_WIDTH, type BlockBars as Bars } from '../../figures/block-bars'
import { formatMagnitude } from '../../figures/format-number'
import styles from './blocks.module.css'

interface BlockBarsProps {
  readonly bars: Bars
  /** Magnitude at the ends of the axis. */
  readonly limit: number
  /** "W" or "X". */
  readonly operand: string
}

const share = (y: number) => `${(y / BARS_HEIGHT) * 100}%`

/** The elements of a block as bars over their axis. The table says the same in words. */
export function BlockBars({ bars, limit, operand }: BlockBarsProps) {
  const ticks =
    limit > 0
      ? [
          { y: BARS_TOP, text: formatMagnitude(limit) },
          { y: bars.zero, text: '0' },
          { y: BARS_BOTTOM, text: formatMagnitude(-limit) },
        ]
      : [{ y: bars.zero, text: '0' }]
  return (
    <div className={styles.chart} aria-hidden="true">
      <span className={styles.axisTitle}>value, in the unit of {operand}</span>
      <div className={styles.axis}>
        {ticks.map(({ y, text }) => (
          <span key={y} style={{ top: share(y) }}>
            {text}
          </span>
        ))}
      </div>
      <svg
        className={styles.bars}
        viewBox={`0 0 ${BARS_WIDTH} ${BARS_HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <path className={styles.gridLine} d={bars.grid} />
        <path className={styles.bar} d={bars.bars} />
        <path className={styles.zeroLine} d={`M0 ${bars.zero}H${BARS_WIDTH}`} />
        <path className={styles.mark} d={bars.marks} />
        <path className={styles.clippedMark} d={bars.clipped} />
      </svg>
    </div>
  )
}
