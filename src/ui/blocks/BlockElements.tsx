import { SegmentedControl } from '@mantine/core'
import { memo, useState } from 'react'
import type { ElementCells, ElementTable } from '../../figures/block-table'
import styles from './blocks.module.css'

/** A region that scrolls must take the focus, or a keyboard could not scroll it. */
const KEYBOARD_SCROLLABLE = { tabIndex: 0 }
const CAPTION = 'Elements, in the unit of the operand'
const LOST = {
  clipped: { mark: '▲', help: 'Clipped: beyond the largest value under this scale.' },
  zeroed: { mark: '○', help: 'Zeroed: not zero before, zero after.' },
} as const

/** The elements of a block under both formats side by side; a phone shows one format at a time. */
export const BlockElements = memo(function BlockElements({ table }: { readonly table: ElementTable }) {
  const [side, setSide] = useState(0)
  return (
    <section className={styles.elements} aria-label={CAPTION} data-test="block-table">
      <div className={styles.switch}>
        <SegmentedControl
          fullWidth
          size="xs"
          aria-label="Format shown in the table"
          value={String(side)}
          onChange={(value) => setSide(Number(value))}
          data={table.formats.map((label, at) => ({
            value: String(at),
            label: <span data-test={`block-table-side-${at}`}>{label}</span>,
          }))}
        />
      </div>
      <section className={styles.scroll} aria-label={`${CAPTION}, table`} {...KEYBOARD_SCROLLABLE}>
        <table className={styles.table} data-side={side}>
          <caption>{CAPTION}</caption>
          <Head formats={table.formats} />
          <tbody>
            {table.rows.map(({ channel, value, exactValue, cells }) => (
              <tr key={channel}>
                <th scope="row">{channel}</th>
                <td title={exactValue}>{value}</td>
                {cells.map((each, at) => (
                  <Cells key={table.formats[at]} cells={each} of={at} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  )
})

function Head({ formats }: { readonly formats: readonly string[] }) {
  return (
    <thead>
      <tr>
        <th scope="col" rowSpan={2}>
          channel
        </th>
        <th scope="col" rowSpan={2}>
          value
        </th>
        {formats.map((label, at) => (
          <th key={label} scope="colgroup" colSpan={COLUMNS.length} data-of={at}>
            {label}
          </th>
        ))}
      </tr>
      <tr>
        {formats.flatMap((label, at) =>
          COLUMNS.map((column) => (
            <th key={`${label} ${column}`} scope="col" data-of={at} data-column={column}>
              {column}
            </th>
          )),
        )}
      </tr>
    </thead>
  )
}

const COLUMNS = ['code', 'element', 'value', 'error'] as const

function Cells({ cells, of }: { readonly cells: ElementCells; readonly of: number }) {
  const { code, element, value, error, exactError, derivation, lost } = cells
  return (
    <>
      <td data-of={of}>{code}</td>
      <td data-of={of} data-column="element">
        {element}
      </td>
      <td data-of={of} data-lost={lost} title={derivation}>
        {lost && (
          <abbr className={styles.lost} title={LOST[lost].help}>
            {LOST[lost].mark}
          </abbr>
        )}
        {value}
      </td>
      <td data-of={of} title={exactError}>
        {error}
      </td>
    </>
  )
}
