import { SegmentedControl, Slider } from '@mantine/core'
import type { LineRange } from '../../figures/line-axis'
import { parseFormat } from '../../formats/format-text'
import { takesPreScale } from '../../formats/quantizer'
import { EXPONENT_RANGE, LINE_LIMIT, MAXIMUM_RANGE, triedFactor } from '../../store/formats-view'
import { NumberField } from '../NumberField'
import { useActions, useApp } from '../use-app'
import styles from './formats.module.css'
import { TriedPreScale } from './TriedPreScale'

/** Scale, axis, pre-scale and the number that is rounded. */
export function LineControls({ range }: { readonly range: LineRange }) {
  const value = useApp((state) => state.formats.value)
  const { setLine } = useActions()
  return (
    <div className={styles.controls}>
      <ScaleControls />
      <AxisControls range={range} />
      <NumberField
        label="x ="
        help="A number to round in every format: the table shows what becomes of it. Clicking the number line sets it too."
        value={value}
        min={-LINE_LIMIT}
        max={LINE_LIMIT}
        integer={false}
        step={0.1}
        hook="line-value"
        onChange={(number) => number !== null && setLine({ value: number })}
      />
      <PreScale />
    </div>
  )
}

function ScaleControls() {
  const { scaling, maximum, exponent } = useApp((state) => state.formats)
  const { setLine } = useActions()
  const byMaximum = scaling === 'maximum'
  return (
    <div className={styles.group}>
      <SegmentedControl
        className={styles.wide}
        size="xs"
        aria-label="What the formats have in common"
        value={scaling}
        onChange={(chosen) => setLine({ scaling: chosen === 'exponent' ? 'exponent' : 'maximum' })}
        data={[
          { value: 'maximum', label: <span data-test="line-by-maximum">Same block maximum</span> },
          { value: 'exponent', label: <span data-test="line-by-exponent">Same exponent</span> },
        ]}
      />
      <div className={styles.wide}>
        {byMaximum ? (
          <NumberField
            label="Maximum"
            help="Largest magnitude of a block: every format takes the scale its rule gives such a block."
            value={maximum}
            {...MAXIMUM_RANGE}
            integer={false}
            step={0.1}
            hook="line-maximum"
            onChange={(number) => number !== null && setLine({ maximum: number })}
          />
        ) : (
          <NumberField
            label="Exponent k"
            help="MX formats take the scale 2^k; the others the one they give a block that reaches 6 × 2^k, the largest value of E2M1."
            value={exponent}
            {...EXPONENT_RANGE}
            hook="line-exponent"
            onChange={(number) => number !== null && setLine({ exponent: number })}
            beside={
              <Slider
                size="sm"
                thumbLabel="Exponent of the scale"
                {...EXPONENT_RANGE}
                step={1}
                value={exponent}
                onChange={(number) => setLine({ exponent: number })}
              />
            }
          />
        )}
      </div>
    </div>
  )
}

const ZOOM = 2

function AxisControls({ range }: { readonly range: LineRange }) {
  const { axis, range: zoomed } = useApp((state) => state.formats)
  const { setLine } = useActions()
  const isLog = axis === 'log'
  const zoom = (factor: number) => {
    const [from, to] = isLog
      ? [range.from * factor, range.to / Math.sqrt(factor)]
      : [
          (range.from + range.to) / 2 - (range.to - range.from) / 2 / factor,
          (range.from + range.to) / 2 + (range.to - range.from) / 2 / factor,
        ]
    if (from < to && Math.max(Math.abs(from), Math.abs(to)) <= LINE_LIMIT) setLine({ range: { from, to } })
  }
  const end = (key: 'from' | 'to', value: number | null) => {
    if (value === null) return
    const next = { from: range.from, to: range.to, [key]: value }
    if (next.from < next.to) setLine({ range: next })
  }
  const least = isLog ? LINE_LIMIT ** -1 / 1000 : -LINE_LIMIT
  return (
    <div className={styles.group}>
      <SegmentedControl
        className={styles.wide}
        size="xs"
        aria-label="Axis of the number line"
        value={axis}
        onChange={(chosen) => setLine({ axis: chosen === 'log' ? 'log' : 'linear' })}
        data={[
          { value: 'linear', label: <span data-test="line-linear">Linear</span> },
          { value: 'log', label: <span data-test="line-log">Log |x|</span> },
        ]}
      />
      <NumberField
        half
        label={isLog ? '|x| from' : 'From'}
        help={isLog ? 'Smallest magnitude on the axis; what is smaller lies in the middle.' : 'Left end of the axis.'}
        value={shown(range.from)}
        min={least}
        max={range.to}
        integer={false}
        hook="line-from"
        onChange={(value) => end('from', value)}
      />
      <NumberField
        half
        label="to"
        help={isLog ? 'Largest magnitude on the axis.' : 'Right end of the axis.'}
        value={shown(range.to)}
        min={range.from}
        max={LINE_LIMIT}
        integer={false}
        hook="line-to"
        onChange={(value) => end('to', value)}
      />
      <span className={styles.buttons}>
        <button type="button" className={styles.plain} onClick={() => zoom(ZOOM)}>
          Zoom in
        </button>
        <button type="button" className={styles.plain} onClick={() => zoom(1 / ZOOM)}>
          Zoom out
        </button>
        <button
          type="button"
          className={styles.plain}
          disabled={zoomed === null}
          onClick={() => setLine({ range: null })}
        >
          Show all
        </button>
      </span>
    </div>
  )
}

/** Ends as a field shows them: four digits are more than the axis can show. */
const shown = (end: number) => Number(end.toPrecision(4))

function PreScale() {
  const { rows, preScale } = useApp((state) => state.formats)
  const factor = useApp((state) => triedFactor(state.setup, state.formats.preScale))
  const scaleRule = useApp((state) => state.setup.scaleRule)
  const { setLine } = useActions()
  const reached = rows.some((text) => takesPreScale(parseFormat(text).format, scaleRule))
  return (
    <TriedPreScale
      factor={factor}
      tried={preScale !== null}
      obstacle={reached ? null : 'No format shown has 4-bit elements under a power-of-two scale.'}
      hook="line-pre-scale"
      onChange={(chosen) => setLine({ preScale: chosen })}
    />
  )
}
