import { type BenchRow, digits, rateText, remark } from '../../experiment/bench/report'
import styles from './bench.module.css'

/** One line per kernel; a kernel whose result was wrong has a reason instead of numbers. */
export function BenchTable({ rows }: { readonly rows: readonly BenchRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached with the keyboard
    <section className={styles.scroll} aria-label="Timings" tabIndex={0}>
      <table className={styles.table} data-test="bench-table">
        <thead>
          <tr>
            <th scope="col">Kernel</th>
            <th scope="col">Shape</th>
            <th scope="col" className={styles.number}>
              Median, ms
            </th>
            <th scope="col" className={styles.number} title="Time divided by that of a copy of the same tensor">
              × copy
            </th>
            <th scope="col" className={styles.number} title="How many times as fast as the naive product">
              × naive
            </th>
            <th
              scope="col"
              className={styles.number}
              title="Time per operation divided by that of the f32 product X·Wᵀ"
            >
              × product
            </th>
            <th scope="col" className={styles.number}>
              Rate
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.name} ${row.shape}`}>
              <th scope="row">{row.name}</th>
              <td>{row.shape}</td>
              {row.kind !== 'timed' ? (
                <td colSpan={5}>{remark(row)}</td>
              ) : (
                <>
                  <td className={styles.number}>{digits(row.medianMs)}</td>
                  <td className={styles.number}>{digits(row.ratioToCopy)}</td>
                  <td className={styles.number}>{digits(row.speedupOverNaive)}</td>
                  <td className={styles.number}>{digits(row.ratioToProduct)}</td>
                  <td className={styles.number}>{rateText(row.rate)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
