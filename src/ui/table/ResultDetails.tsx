import type { MethodResult } from '../../experiment/result'
import { resultConditions } from '../../store/conditions'
import { type DetailTable, resultDetails } from '../../store/result-details'
import { tableBaseline } from '../../store/table-rows'
import { BASELINE } from '../../store/vocabulary'
import { useActions, useApp } from '../use-app'
import styles from './ResultDetails.module.css'

/** The opened row of a method: what the columns leave out, and what the method has to say. */
export function ResultDetails({ result }: { readonly result: MethodResult }) {
  return (
    <div className={styles.details} data-test={`details-${result.method}`}>
      {resultDetails(result).map((table) => (
        <Small key={table.caption} table={table} />
      ))}
      <div>
        <Baseline id={result.method} />
        <p>{resultConditions(result).join(' · ')}</p>
        <ul data-test={`notes-${result.method}`}>
          {result.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </div>
    </div>
  )
}

/** Makes a method the one that differences are taken against. */
function Baseline({ id }: { readonly id: string }) {
  const isBaseline = useApp((state) => tableBaseline(state).method === id)
  const { setBaseline } = useActions()
  return (
    <button
      type="button"
      className={styles.baseline}
      data-test={`baseline-${id}`}
      aria-pressed={isBaseline}
      onClick={() => setBaseline(isBaseline ? BASELINE : id)}
    >
      {isBaseline ? 'Baseline of the differences' : 'Set as baseline'}
    </button>
  )
}

function Small({ table: { caption, columns, lines } }: { readonly table: DetailTable }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <td />
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map(({ name, cells }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {columns.map((column, i) => (
              <td key={column}>{cells[i]}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
