import { memo } from 'react'
import type { DataTable } from '../../figures/figure'
import styles from './formats.module.css'

/** A region that scrolls must take the focus, or a keyboard could not scroll it. */
const KEYBOARD_SCROLLABLE = { tabIndex: 0 }

interface NumberTableProps {
  readonly caption: string
  readonly data: DataTable
  readonly hook: string
}

/** A table whose first column names its rows. */
export const NumberTable = memo(function NumberTable({ caption, data, hook }: NumberTableProps) {
  return (
    <section className={styles.scroll} aria-label={caption} data-test={hook} {...KEYBOARD_SCROLLABLE}>
      <table className={styles.table}>
        <caption>{caption}</caption>
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
          {[...data.rows.entries()].map(([position, [name, ...cells]]) => (
            <tr key={position}>
              <th scope="row">{name}</th>
              {cells.map((cell, i) => (
                <td key={data.columns[i + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
})
