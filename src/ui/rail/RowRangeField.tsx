import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { edgeRange, movedEdge, type RowEdge, type RowSplit, rowSplit } from '../../store/row-range'
import { DEFAULT_HELD_OUT } from '../../store/vocabulary'
import { useActions, useApp } from '../use-app'
import styles from './RowRangeField.module.css'

const EDGES: readonly { readonly edge: RowEdge; readonly label: string }[] = [
  { edge: 'start', label: 'First row' },
  { edge: 'split', label: 'First evaluation row' },
  { edge: 'end', label: 'End of the rows' },
]
/** Share of the bar that Page Up and Page Down go. */
const PAGE = 0.1

const count = (rows: number) => rows.toLocaleString('en-US')

/** The rows as a bar: which calibrate, which evaluate, which are left out; its boundaries move by pointer and keys. */
export function RowRangeField() {
  const rows = useApp(rowSplit)
  const { setRows } = useActions()
  const bar = useRef<HTMLDivElement>(null)
  if (rows === null) return null
  const { total, start, split, end, isFixed } = rows
  const share = (row: number) => `${(100 * row) / total}%`
  const drag = (edge: RowEdge) => (event: PointerEvent<HTMLElement>) => {
    const box = bar.current?.getBoundingClientRect()
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return
    setRows(movedEdge(rows, edge, ((event.clientX - box.left) / box.width) * total))
  }
  return (
    <div className={styles.field} data-test="rows">
      <div className={styles.bar} ref={bar}>
        <span
          className={styles.calibration}
          data-test="rows-calibration"
          style={{ left: share(start), width: share(split - start) }}
        />
        <span
          className={styles.evaluation}
          data-test="rows-evaluation"
          style={{ left: share(split), width: share(end - split) }}
        />
        {EDGES.filter(({ edge }) => edge === 'split' || !isFixed).map(({ edge, label }) => (
          <Edge key={edge} edge={edge} label={label} rows={rows} onDrag={drag(edge)} />
        ))}
      </div>
      <p className={styles.text} onDoubleClick={() => setRows({ heldOutShare: DEFAULT_HELD_OUT })}>
        {split < end ? (
          <>
            <i className={styles.calibrationKey} /> {rangeText(start, split)} calibrate{' '}
            <i className={styles.evaluationKey} /> {rangeText(split, end)} evaluate
          </>
        ) : (
          <>
            <i className={styles.calibrationKey} /> {rangeText(start, end)} calibrate and evaluate
          </>
        )}
        {end - start < total && <span className={styles.left}> · {count(total - end + start)} unused</span>}
      </p>
    </div>
  )
}

/** "256 (0–255)" */
const rangeText = (start: number, end: number) => `${count(end - start)} (${count(start)}–${count(end - 1)})`

interface EdgeProps {
  readonly edge: RowEdge
  readonly label: string
  readonly rows: RowSplit
  readonly onDrag: (event: PointerEvent<HTMLElement>) => void
}

function Edge({ edge, label, rows, onDrag }: EdgeProps) {
  const { setRows } = useActions()
  const at = rows[edge]
  const [min, max] = edgeRange(rows, edge)
  const page = Math.max(1, Math.round(PAGE * rows.total))
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: at - 1,
    ArrowDown: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at + 1,
    PageDown: at - page,
    PageUp: at + page,
    Home: min,
    End: max,
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const next = steps[event.key]
    if (next === undefined) return
    event.preventDefault()
    setRows(movedEdge(rows, edge, next))
  }
  return (
    <span
      role="slider"
      tabIndex={0}
      className={styles.edge}
      data-edge={edge}
      data-test={`rows-${edge}`}
      aria-label={label}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={at}
      style={{ left: `${(100 * at) / rows.total}%` }}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onDrag}
    />
  )
}
