import { TextInput } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { visibleFiles } from '../../store/selection'
import { searchRows, type TensorRow, tensorRows } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import styles from './TensorList.module.css'

const ROW_HEIGHT = 26
/** Shorter lists are put on the page whole: no measuring, and the browser's own search finds every row. */
const VIRTUAL_FROM = 60
/** Shorter lists are read at a glance. */
const SEARCH_FROM = 8

/** Every tensor of the files on screen; those that can be a weight can be chosen. */
export function TensorList() {
  const files = useApp((state) => visibleFiles(state.source))
  const [search, setSearch] = useState('')
  const all = useMemo(() => tensorRows(files), [files])
  const rows = useMemo(() => searchRows(all, search), [all, search])
  if (all.length === 0) return null
  return (
    <>
      {all.length >= SEARCH_FROM && (
        <TextInput
          size="xs"
          aria-label="Search tensors"
          placeholder={`Search ${all.length} tensors`}
          data-test="tensor-search"
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      )}
      {rows.length === 0 && <p className={styles.none}>No tensor is called that.</p>}
      {rows.length > VIRTUAL_FROM ? <LongList rows={rows} /> : <ShortList rows={rows} />}
    </>
  )
}

interface ListProps {
  readonly rows: readonly TensorRow[]
}

function ShortList({ rows }: ListProps) {
  return (
    <ul className={styles.list} aria-label="Tensors">
      {rows.map((row) => (
        <li key={`${row.fileId} ${row.tensor}`}>
          <Row row={row} />
        </li>
      ))}
    </ul>
  )
}

function LongList({ rows }: ListProps) {
  const scroller = useRef<HTMLUListElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  })
  return (
    <ul className={styles.long} ref={scroller} aria-label="Tensors">
      <li className={styles.spacer} style={{ height: virtual.getTotalSize() }} aria-hidden />
      {virtual.getVirtualItems().map(({ index, start }) => (
        <li key={index} className={styles.placed} style={{ transform: `translateY(${start}px)` }}>
          <Row row={rows[index]} />
        </li>
      ))}
    </ul>
  )
}

function Row({ row }: { readonly row: TensorRow }) {
  const { chooseWeight } = useActions()
  const chosen = useApp(({ source }) => source.weight?.fileId === row.fileId && source.weight.tensor === row.tensor)
  const facts = `${row.tensor}, ${row.shape}, ${row.dtype}, ${row.size}, ${row.fileName}`
  return (
    <button
      type="button"
      className={styles.row}
      data-test="tensor-row"
      data-tensor={row.tensor}
      aria-pressed={chosen}
      disabled={row.obstacle !== null}
      title={row.obstacle === null ? facts : `${facts}. Cannot be chosen as weight: ${row.obstacle}.`}
      onClick={() => chooseWeight({ fileId: row.fileId, tensor: row.tensor })}
    >
      {/* Names differ at their end, so it is the beginning that gives way. */}
      <span className={styles.name}>
        <bdi>{row.tensor}</bdi>
      </span>
      <span>{row.shape}</span>
      <span>{row.dtype}</span>
      <span className={styles.size}>{row.size}</span>
    </button>
  )
}
