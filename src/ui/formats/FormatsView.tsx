import { NativeSelect } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { memo, useCallback, useMemo, useState } from 'react'
import { formatF32 } from '../../figures/format-f32'
import { formatFacts } from '../../figures/format-facts'
import { type LineAxis, lineAxis } from '../../figures/line-axis'
import { automaticRange, type LineRow, type LineScaling, lineRows, roundOn } from '../../figures/line-rows'
import { roundingTable } from '../../figures/line-table'
import { describeScale } from '../../figures/scale-text'
import { MAX_LINE_ROWS, triedChoices } from '../../store/formats-view'
import { mxChoices } from '../../store/mx-choices'
import { chosenShape } from '../../store/selectors'
import { ROUNDING_TEXT } from '../../store/vocabulary'
import { useActions, useApp, useVocabulary } from '../use-app'
import { FormatPicker } from './FormatPicker'
import styles from './formats.module.css'
import { LineControls } from './LineControls'
import { LineScale, LineStrip, valueUnder } from './LineStrip'
import { NumberTable } from './NumberTable'

/** Until the browser has laid the strips out. */
const FIRST_WIDTH = 640

/** Formats side by side on the number line: what they can hold, and what becomes of a number. No layer, no GPU. */
export function FormatsView() {
  const {
    rows: texts,
    scaling,
    maximum,
    exponent,
    axis: kind,
    range: zoomed,
    value,
    preScale,
  } = useApp(({ formats }) => formats)
  const standing = useApp((state) => mxChoices(state.setup))
  const choices = useApp((state) => triedChoices(state.setup, preScale))
  const [pointed, setPointed] = useState<number | null>(null)
  const { ref, width } = useElementSize()
  const scale: LineScaling = useMemo(() => ({ kind: scaling, maximum, exponent }), [scaling, maximum, exponent])
  // Facts and axis are those of the setting: they stay where they are while a pre-scale is tried.
  const base = useMemo(() => lineRows({ texts, scaling: scale, choices: standing }), [texts, scale, standing])
  const rows = useMemo(() => lineRows({ texts, scaling: scale, choices }, base), [texts, scale, choices, base])
  const range = useMemo(
    () => (zoomed ? { kind, ...zoomed } : automaticRange(base, scale, kind)),
    [zoomed, kind, base, scale],
  )
  const axis = useMemo(() => lineAxis(range, Math.round(width) || FIRST_WIDTH), [range, width])
  const inDim = useApp((state) => chosenShape(state)?.[1] ?? null)
  const facts = useMemo(() => formatFacts(base, inDim), [base, inDim])
  const x = pointed ?? value
  return (
    <div className={styles.view} data-test="panel-formats">
      <LineControls range={range} />
      <figure className={styles.figure}>
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place; the same format may stand in two
          <Row key={index} index={index} row={row} axis={axis} x={x} onPoint={setPointed} />
        ))}
        <div className={styles.row}>
          {rows.length < MAX_LINE_ROWS ? <AddFormat /> : <span />}
          <div ref={ref}>
            <LineScale axis={axis} />
          </div>
        </div>
        <figcaption className={styles.caption}>
          Ticks are values, bands the numbers rounded to each, stripes what saturates at the largest value. Solid:
          values closer than two pixels. The line is x, the diamond what it becomes. Codes are those of the scalar
          codec, which the GPU kernels are tested equal to, bit for bit.
        </figcaption>
      </figure>
      <NumberTable
        caption={`x = ${formatF32(Math.fround(x))}, ${ROUNDING_TEXT[choices.rounding]}${pointed === null ? '' : ', under the pointer'}`}
        data={roundingTable(rows, x)}
        hook="line-table"
      />
      <NumberTable
        caption={`Formats, before their scale${inDim === null ? '' : `; bits per element over rows of ${inDim}`}`}
        data={facts}
        hook="format-facts"
      />
    </div>
  )
}

interface RowProps {
  readonly index: number
  readonly row: LineRow
  readonly axis: LineAxis
  readonly x: number
  /** The number under the pointer; null when it has left. */
  readonly onPoint: (x: number | null) => void
}

const Row = memo(function Row({ index, row, axis, x, onPoint }: RowProps) {
  const { changeFormatRow, removeFormatRow, setLine } = useActions()
  const change = useCallback((text: string) => changeFormatRow(index, text), [changeFormatRow, index])
  const rounded = roundOn(row, x)
  return (
    <div className={styles.row} data-test={`line-row-${index}`}>
      <div className={styles.name}>
        <FormatPicker label={`Format ${index + 1}`} text={row.text} hook={`line-format-${index}`} onChange={change} />
        <button
          type="button"
          className={styles.plain}
          aria-label={`Remove ${row.label}`}
          data-test={`line-remove-${index}`}
          onClick={() => removeFormatRow(index)}
        >
          ×
        </button>
      </div>
      <div className={styles.line}>
        <div
          onPointerMove={(event) => onPoint(valueUnder(event, axis))}
          onPointerLeave={() => onPoint(null)}
          onPointerDown={(event) => setLine({ value: Number(valueUnder(event, axis).toPrecision(6)) })}
        >
          <LineStrip grid={row.grid} axis={axis} from={x} to={rounded?.value ?? 0} />
        </div>
        <p className={styles.readout}>
          <span>
            <b>{row.label}</b> <span className={styles.muted}>{describeScale(row.scale)}</span>
          </span>
          <span data-test={`line-code-${index}`}>
            {rounded ? `${rounded.bits} is ${rounded.derivation}` : 'scale 0: everything becomes 0'}
          </span>
        </p>
        {row.remark && (
          <p className={styles.remark} data-test={`line-remark-${index}`}>
            {row.remark}
          </p>
        )}
      </div>
    </div>
  )
})

/** Puts another format below the others. */
function AddFormat() {
  const { formats } = useVocabulary()
  const { addFormatRow } = useActions()
  return (
    <NativeSelect
      size="xs"
      aria-label="Add a format"
      data-test="line-add"
      value=""
      onChange={({ currentTarget: { value } }) => value !== '' && addFormatRow(value)}
      data={[{ value: '', label: '+ Add a format' }, ...formats.map(({ id, label }) => ({ value: id, label }))]}
    />
  )
}
