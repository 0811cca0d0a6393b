import { Button, NativeSelect } from '@mantine/core'
import { useState } from 'react'
import { PAPER_MODELS } from '../../store/paper-recovery'
import type { TileModel } from '../../store/selectors'
import { allColumns, shownColumns } from '../../store/table-look'
import { columnLabel, tableBaseline } from '../../store/table-rows'
import { tableCsvText, tableMarkdown } from '../../store/table-text'
import { useActions, useApp } from '../use-app'
import styles from './TableMenu.module.css'

/** Which columns are shown, the model of the Paper column, and the table as text. */
export function TableMenu({ models }: { readonly models: readonly TileModel[] }) {
  const columns = useApp((state) => allColumns(state))
  const shown = useApp((state) => shownColumns(state).map(({ id }) => id))
  const baseline = useApp(tableBaseline)
  const { showColumn, resetColumns } = useActions()
  return (
    <div className={styles.menu}>
      <fieldset className={styles.columns}>
        <legend>Columns</legend>
        {columns.map((column) => (
          <label key={column.id}>
            <input
              type="checkbox"
              data-test={`column-${column.id}`}
              checked={shown.includes(column.id)}
              onChange={({ currentTarget }) => showColumn(column.id, currentTarget.checked)}
            />{' '}
            {columnLabel(column, baseline.method)}
            {column.id === 'calibration' && ', calibration'}
          </label>
        ))}
      </fieldset>
      <div>
        <PaperModel />
        <p className={styles.note}>
          Published averages of whole models. Settings and methods without a number at hand show a dash.
        </p>
      </div>
      <div className={styles.buttons}>
        <Button size="compact-xs" variant="default" onClick={resetColumns}>
          Columns of a first visit
        </Button>
        <Copies models={models} />
      </div>
    </div>
  )
}

function PaperModel() {
  const model = useApp((state) => state.table.paperModel)
  const { setPaperModel } = useActions()
  return (
    <NativeSelect
      size="xs"
      label="Model of the Paper column"
      data-test="paper-model"
      value={model}
      data={PAPER_MODELS.map(({ id, label }) => ({ value: id, label }))}
      onChange={({ currentTarget }) => setPaperModel(currentTarget.value)}
    />
  )
}

const COPIES = [
  { id: 'csv', label: 'Copy as CSV', text: tableCsvText },
  { id: 'markdown', label: 'Copy as Markdown', text: tableMarkdown },
] as const

function Copies({ models }: { readonly models: readonly TileModel[] }) {
  const columns = useApp((state) => shownColumns(state))
  const baseline = useApp(tableBaseline)
  const [said, setSaid] = useState('')
  const copy = (text: string) =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('The browser refused the clipboard'),
    )
  return (
    <>
      {COPIES.map(({ id, label, text }) => (
        <Button
          key={id}
          size="compact-xs"
          variant="default"
          data-test={`copy-${id}`}
          onClick={() => void copy(text({ models, columns, baseline }))}
        >
          {label}
        </Button>
      ))}
      <span role="status">{said}</span>
    </>
  )
}
