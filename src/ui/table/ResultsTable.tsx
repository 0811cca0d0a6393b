import { Tooltip } from '@mantine/core'
import { useRef, useState } from 'react'
import { layerTitle, resultsOf, tiles } from '../../store/selectors'
import { shownColumns } from '../../store/table-look'
import { type Column, columnLabel, nextSort, type Sort, sortRows, tableBaseline } from '../../store/table-rows'
import type { ViewId } from '../../store/views'
import { HelpButton } from '../help/HelpButton'
import { useApp } from '../use-app'
import { MenuButton } from './MenuButton'
import styles from './ResultsTable.module.css'
import { Row } from './Row'
import { useClearOnEscape } from './use-clear-on-escape'
import { useRowKeys } from './use-row-keys'

/** A region that scrolls takes the focus, so that a keyboard can scroll it. */
const KEYBOARD_SCROLLABLE = { tabIndex: 0 }

/** Views that read no results and need the room: the table below them can be folded, and is at first. */
const FOLDABLE: readonly ViewId[] = ['formats', 'blocks', 'rotation', 'findings', 'grid']

/** Every number of the comparison, one method per row. */
export function ResultsTable() {
  const pane = useApp((state) => state.view.pane)
  const view = useApp((state) => state.view.view)
  const [opened, setOpened] = useState<readonly ViewId[]>([])
  const foldable = FOLDABLE.includes(view)
  const folded = foldable && !opened.includes(view)
  const toggle = () => setOpened(folded ? [...opened, view] : opened.filter((each) => each !== view))
  useClearOnEscape()
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
      <Numbers />
    </section>
  )
}

function Numbers() {
  const models = useApp(tiles)
  const columns = useApp((state) => shownColumns(state))
  const baseline = useApp(tableBaseline)
  const [sort, setSort] = useState<Sort>(null)
  const rows = useRef<HTMLTableSectionElement>(null)
  const sorted = sortRows(models, sort, baseline.result, columns)
  const decibels = resultsOf(models).map(({ evaluation }) => evaluation.outputSqnrDb)
  const keys = useRowKeys(
    rows,
    sorted.map(({ method }) => method.id),
  )
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">
            Method <MenuButton models={sorted} />
            <HelpButton about="the columns" topics={columns.map(({ id }) => `metric.${id}`)} />
          </th>
          {columns.map((column) => (
            <Head
              key={column.id}
              column={column}
              label={columnLabel(column, baseline.method)}
              sort={sort}
              onSort={() => setSort(nextSort(sort, column.id))}
            />
          ))}
        </tr>
      </thead>
      <tbody ref={rows} onKeyDown={keys.onKeyDown}>
        {models.length > 0 && <Reference columns={columns} />}
        {sorted.map((model) => (
          <Row
            key={model.method.id}
            model={model}
            columns={columns}
            baseline={baseline.result}
            decibels={decibels}
            isTabStop={keys.current === model.method.id}
            onFocus={keys.setCurrent}
          />
        ))}
      </tbody>
    </table>
  )
}

interface HeadProps {
  readonly column: Column
  readonly label: string
  readonly sort: Sort
  readonly onSort: () => void
}

function Head({ column, label, sort, onSort }: HeadProps) {
  const chosen = sort?.column === column.id ? sort : null
  const order = chosen ? (chosen.descending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" aria-sort={order} data-column={column.id}>
      <Tooltip label={column.help} position="top">
        <button type="button" className={styles.sort} data-test={`sort-${column.id}`} onClick={onSort}>
          {label} {chosen && <span aria-hidden>{chosen.descending ? '↓' : '↑'}</span>}
          <span className={styles.unit}>{column.unit === 'none' ? '–' : column.unit}</span>
        </button>
      </Tooltip>
    </th>
  )
}

/** What every method is measured against: the product as loaded, which has no error. */
function Reference({ columns }: { readonly columns: readonly Column[] }) {
  const dtype = useApp((state, vocabulary) => layerTitle(state, vocabulary)?.dtype ?? '')
  return (
    <tr className={styles.reference} data-test="table-reference">
      <th scope="row">
        {dtype} as loaded <span className={styles.stale}>reference</span>
      </th>
      {columns.map(({ id }) => (
        <td key={id} data-column={id}>
          –
        </td>
      ))}
    </tr>
  )
}
