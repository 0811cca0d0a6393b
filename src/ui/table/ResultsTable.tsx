import { Tooltip } from '@mantine/core'
import { useId, useState } from 'react'
import type { MethodResult } from '../../experiment/result'
import { methodStyle } from '../../figures/method-style'
import { baselineResult, type TileModel, tiles } from '../../store/selectors'
import type { CancelledRun } from '../../store/state'
import { COLUMNS, type Column, nextSort, type Sort, sortRows } from '../../store/table-rows'
import { cancelledText } from '../../store/unfinished'
import type { ViewId } from '../../store/views'
import { MethodMark } from '../MethodMark'
import { useActions, useApp, useVocabulary } from '../use-app'
import { ResultDetails } from './ResultDetails'
import styles from './ResultsTable.module.css'

/** A region that scrolls takes the focus, so that a keyboard can scroll it. */
const KEYBOARD_SCROLLABLE = { tabIndex: 0 }

/** Views that read no results and need the room: the table below them can be folded, and is at first. */
const FOLDABLE: readonly ViewId[] = ['formats', 'blocks', 'rotation']

/** Every number of the comparison, one method per row. */
export function ResultsTable() {
  const models = useApp(tiles)
  const baseline = useApp(baselineResult)
  const pane = useApp((state) => state.view.pane)
  const view = useApp((state) => state.view.view)
  const [sort, setSort] = useState<Sort>(null)
  const [opened, setOpened] = useState<readonly ViewId[]>([])
  const foldable = FOLDABLE.includes(view)
  const folded = foldable && !opened.includes(view)
  const toggle = () => setOpened(folded ? [...opened, view] : opened.filter((each) => each !== view))
  return (
    <section
      className={styles.region}
      data-pane={pane}
      data-folded={folded}
      aria-label="Results"
      {...KEYBOARD_SCROLLABLE}
    >
      {foldable && (
        <button type="button" className={styles.fold} data-test="results-fold" aria-expanded={!folded} onClick={toggle}>
          <span aria-hidden className={styles.arrow}>
            {folded ? '▸' : '▾'}
          </span>{' '}
          Results
        </button>
      )}
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Method</th>
            {COLUMNS.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={() => setSort(nextSort(sort, column.id))} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sortRows(models, sort, baseline).map((model) => (
            <Row key={model.method.id} model={model} baseline={baseline} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface HeadProps {
  readonly column: Column
  readonly sort: Sort
  readonly onSort: () => void
}

function Head({ column, sort, onSort }: HeadProps) {
  const chosen = sort?.column === column.id ? sort : null
  const order = chosen ? (chosen.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" aria-sort={order}>
      <Tooltip label={column.help} position="top">
        <button type="button" className={styles.sort} data-test={`sort-${column.id}`} onClick={onSort}>
          {column.label} {chosen && <span aria-hidden>{chosen.descending ? '↓' : '↑'}</span>}
          <span className={styles.unit}>{column.unit === 'none' ? '–' : column.unit}</span>
        </button>
      </Tooltip>
    </th>
  )
}

interface RowProps {
  readonly model: TileModel
  readonly baseline: MethodResult | null
}

function Row({ model: { method, status, outcome, cancelled }, baseline }: RowProps) {
  const { methods } = useVocabulary()
  const { id } = method
  const [open, setOpen] = useState(false)
  const detailsId = useId()
  const result = outcome?.kind === 'result' && !cancelled ? outcome : null
  const opened = open && result !== null
  const summary = methods.find((entry) => entry.id === id)?.summary
  return (
    <>
      <tr data-test={`table-row-${id}`} data-result={status}>
        <th scope="row">
          <button
            type="button"
            className={styles.open}
            title={summary && `${summary} Click for all its numbers and notes.`}
            data-test={`details-button-${id}`}
            aria-expanded={opened}
            aria-controls={opened ? detailsId : undefined}
            disabled={result === null}
            onClick={() => setOpen(!open)}
          >
            <span aria-hidden className={styles.arrow}>
              {opened ? '▾' : '▸'}
            </span>{' '}
            <MethodMark id={id} /> {methodStyle(id, 'light').label}
          </button>
          {status === 'stale' && <span className={styles.stale}>previous</span>}
        </th>
        {result ? (
          COLUMNS.map((column) => (
            // What is left from before is not compared with the baseline of now.
            <Cell key={column.id} column={column} result={result} baseline={status === 'live' ? baseline : null} />
          ))
        ) : (
          <td colSpan={COLUMNS.length} className={styles.reason}>
            {cancelled ? <Cancelled run={cancelled} /> : <Reason status={status} outcome={outcome} />}
          </td>
        )}
      </tr>
      {opened && (
        <tr id={detailsId} data-result={status}>
          <td colSpan={COLUMNS.length + 1} className={styles.detailsCell}>
            <ResultDetails result={result} />
          </td>
        </tr>
      )}
    </>
  )
}

/** Why a row has no numbers. */
function Reason({ status, outcome }: Pick<TileModel, 'status' | 'outcome'>) {
  const atRest = useApp(({ run, device }) => run.phase === 'idle' && run.end !== null && device.status === 'ready')
  if (outcome?.kind === 'failure') return `${outcome.error.code} ${outcome.error.message}`
  return status === 'waiting' && atRest ? 'not computed' : status
}

function Cancelled({ run: left }: { readonly run: CancelledRun }) {
  const { run } = useActions()
  return (
    <>
      {cancelledText(left)}{' '}
      <button type="button" className={styles.again} data-test={`run-again-${left.method}`} onClick={run}>
        Run again
      </button>
    </>
  )
}

interface CellProps {
  readonly column: Column
  readonly result: MethodResult
  readonly baseline: MethodResult | null
}

function Cell({ column, result, baseline }: CellProps) {
  const value = column.value(result, baseline)
  return (
    <td data-test={column.hook ? `${column.hook}-${result.method}` : undefined}>
      {value === null ? '–' : column.format(value)}
    </td>
  )
}
