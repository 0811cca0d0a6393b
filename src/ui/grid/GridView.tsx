import { Button, SegmentedControl } from '@mantine/core'
import { useMemo, useRef } from 'react'
import { formatSeconds } from '../../figures/format-number'
import { describeGrid, drawGrid, type GridModel, type GridValue, valueRange } from '../../figures/method-grid'
import { type GridCell, gridCells, gridEstimate } from '../../store/grid-view'
import { methodGrid } from '../../store/method-grid'
import { BASELINE } from '../../store/vocabulary'
import { moveFocus } from '../cell-focus'
import { useTheme } from '../main/figure-look'
import { useShownFigure } from '../plot/shown-figures'
import { useActions, useApp, useVocabulary } from '../use-app'
import { Cell } from './Cell'
import styles from './grid.module.css'

/** Output SQNR of every transform with every mitigation; what is not computed is computed where it is asked for. */
export function GridView() {
  const cells = useApp(gridCells)
  const scale = useApp((state) => state.grid.scale)
  const { methods } = useVocabulary()
  const { askCells, setGridScale } = useActions()
  const table = useRef<HTMLTableElement>(null)
  const theme = useTheme()
  const grid = useMemo(() => methodGrid(methods), [methods])
  const model = useMemo(() => modelOf(cells, grid), [cells, grid])
  const figure = useMemo(() => (model.values.length > 0 ? drawGrid(model, scale, theme) : null), [model, scale, theme])
  const label = describeGrid(model)
  useShownFigure(table, figure, { title: 'Method grid', label })
  const byId = new Map(cells.map((cell) => [cell.entry.id, cell]))
  const missing = (ids: readonly string[]) => ids.filter((id) => byId.get(id)?.status === 'missing')
  const shown = { model, scale, range: valueRange(model.values) }
  return (
    <div className={styles.view} data-test="panel-grid">
      <div className={styles.controls}>
        <SegmentedControl
          size="xs"
          aria-label="What cells show"
          value={scale}
          onChange={(value) => setGridScale(value === 'difference' ? 'difference' : 'sqnr')}
          data={[
            { value: 'sqnr', label: <span data-test="grid-sqnr">Output SQNR [dB]</span> },
            { value: 'difference', label: <span data-test="grid-difference">Difference to RTN [dB]</span> },
          ]}
        />
        <ComputeAll cells={cells} />
      </div>
      <p className={styles.caption} data-test="grid-caption" aria-live="polite">
        {label}
      </p>
      <div className={styles.scroll}>
        <table ref={table} className={styles.grid} onKeyDown={moveFocus}>
          <thead>
            <tr>
              <th scope="col">Transform</th>
              {grid.columns.map((column, at) => (
                <th key={column.id} scope="col">
                  {column.label}
                  <ComputeSome
                    name={`all with ${column.label.toLowerCase()}`}
                    ids={missing(grid.rows.flatMap((row) => row.cells[at].map(({ id }) => id)))}
                    onAsk={askCells}
                  />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.rows.map((row) => (
              <tr key={row.id}>
                <th scope="row">
                  {row.label}
                  <ComputeSome name={row.label} ids={missing(row.cells.flat().map(({ id }) => id))} onAsk={askCells} />
                </th>
                {row.cells.map((entries, at) => (
                  <td key={grid.columns[at].id}>
                    {entries.map(({ id }) => {
                      const cell = byId.get(id)
                      return cell && <Cell key={id} cell={cell} shown={shown} />
                    })}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={styles.note}>
        On evaluation rows, under the setting of the rail. Cells have default options, the chosen methods their own. A
        computed cell adds its method to the comparison or takes it out; arrow keys move. * with GPTQ.
      </p>
    </div>
  )
}

function modelOf(cells: readonly GridCell[], { rows, columns }: ReturnType<typeof methodGrid>): GridModel {
  const values = cells.flatMap(({ entry, outcome }): GridValue[] =>
    outcome?.kind === 'result'
      ? [
          {
            method: entry.id,
            label: entry.label,
            row: entry.rowLabel,
            column: entry.columnLabel,
            sqnrDb: outcome.evaluation.outputSqnrDb,
          },
        ]
      : [],
  )
  const baseline = cells.find(({ entry }) => entry.id === BASELINE)?.entry.label ?? ''
  return { rows: rows.map(({ label }) => label), columns: columns.map(({ label }) => label), values, baseline }
}

function ComputeAll({ cells }: { readonly cells: readonly GridCell[] }) {
  const { askCells } = useActions()
  const ready = useApp(({ device, source }) => device.status === 'ready' && source.weight !== null)
  const ids = cells.filter(({ status }) => status === 'missing').map(({ entry }) => entry.id)
  const seconds = gridEstimate(cells)
  if (ids.length === 0) return null
  return (
    <>
      <Button size="compact-sm" data-test="grid-compute" disabled={!ready} onClick={() => askCells(ids)}>
        Compute the missing {ids.length} cells
      </Button>
      <span className={styles.note}>
        {seconds === null
          ? 'Learned transforms take longest; Cancel keeps what is done.'
          : `About ${formatSeconds(1000 * seconds)} on this adapter.`}
      </span>
    </>
  )
}

interface SomeProps {
  readonly name: string
  readonly ids: readonly string[]
  readonly onAsk: (ids: readonly string[]) => void
}

/** What is missing of a row or a column. Keeps its room once nothing is. */
function ComputeSome({ name, ids, onAsk }: SomeProps) {
  return (
    <button
      type="button"
      className={styles.some}
      hidden={ids.length === 0}
      aria-label={`compute ${ids.length}, ${name}`}
      onClick={() => onAsk(ids)}
    >
      compute {ids.length}
    </button>
  )
}
