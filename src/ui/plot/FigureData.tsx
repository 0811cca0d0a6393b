import { useState } from 'react'
import type { DataTable } from '../../figures/figure'
import styles from './plot.module.css'

/** Rows shown at once: enough to read, few enough to lay out within a frame. */
const ROWS_AT_ONCE = 256

/** A region that scrolls must take the focus, or a keyboard could not scroll it. */
const KEYBOARD_SCROLLABLE = { tabIndex: 0 }

interface FigureDataProps {
  /** Called only while the table is open. */
  readonly table: () => DataTable
  /** Which figure this is the data of, for example "Distribution, QuaRot". */
  readonly name: string
}

/** "Show data": the numbers of a figure as a table. */
export function FigureData({ table, name }: FigureDataProps) {
  const [open, setOpen] = useState(false)
  return (
    <details className={styles.data} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Show data</summary>
      {open && <Rows data={table()} name={name} />}
    </details>
  )
}

function Rows({ data, name }: { data: DataTable; name: string }) {
  const [shown, setShown] = useState(ROWS_AT_ONCE)
  const rest = data.rows.length - shown
  return (
    <section className={styles.scroll} aria-label={`Data of ${name}`} {...KEYBOARD_SCROLLABLE}>
      <table>
        <thead>
          <tr>
            {data.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...data.rows.slice(0, shown).entries()].map(([position, row]) => (
            <tr key={position}>
              {row.map((cell, i) => (
                <td key={data.columns[i]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && (
        <button type="button" className={styles.more} onClick={() => setShown(shown + ROWS_AT_ONCE)}>
          Show {Math.min(rest, ROWS_AT_ONCE)} more of {rest}
        </button>
      )}
    </section>
  )
}
