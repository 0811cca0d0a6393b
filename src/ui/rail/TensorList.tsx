import { TextInput } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { visibleFiles } from '../../store/selection'
import {
  nameParts,
  searchRows,
  type TensorLine,
  type TensorRow,
  tensorLines,
  tensorRows,
} from '../../store/tensor-rows'
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
  const lines = useMemo(() => tensorLines(searchRows(all, search), files.length), [all, search, files.length])
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
      {lines.length === 0 && <p className={styles.none}>No tensor is called that.</p>}
      {lines.length > VIRTUAL_FROM ? <LongList lines={lines} /> : <ShortList lines={lines} />}
    </>
  )
}

interface ListProps {
  readonly lines: readonly TensorLine[]
}

function ShortList({ lines }: ListProps) {
  return (
    <ul className={styles.list} aria-label="Tensors">
      {lines.map((line) => (
        <li key={line.kind === 'file' ? line.fileId : `${line.row.fileId} ${line.row.tensor}`}>
          <Line line={line} />
        </li>
      ))}
    </ul>
  )
}

function LongList({ lines }: ListProps) {
  const scroller = useRef<HTMLUListElement>(null)
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  })
  return (
    <ul className={styles.long} ref={scroller} aria-label="Tensors">
      <li className={styles.spacer} style={{ height: virtual.getTotalSize() }} aria-hidden />
      {virtual.getVirtualItems().map(({ index, start }) => (
        <li key={index} className={styles.placed} style={{ transform: `translateY(${start}px)` }}>
          <Line line={lines[index]} />
        </li>
      ))}
    </ul>
  )
}

function Line({ line }: { readonly line: TensorLine }) {
  if (line.kind === 'tensor') return <Row row={line.row} />
  return (
    <p className={styles.file} title={line.name} data-test="tensor-file">
      {line.name}
    </p>
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
      <Name name={row.tensor} />
      <span>{row.shape}</span>
      <span>{row.dtype}</span>
      <span className={styles.size}>{row.size}</span>
    </button>
  )
}

/** The name without what all names share, cut in the middle where room is short. */
function Name({ name }: { readonly name: string }) {
  const { before, block, middle, end } = nameParts(name)
  return (
    <bdi className={styles.name} data-block={block !== ''}>
      <span className={styles.before}>{before}</span>
      <span className={styles.block}>{block}</span>
      <span className={styles.middle}>{middle}</span>
      <span className={styles.end}>{end}</span>
    </bdi>
  )
}
