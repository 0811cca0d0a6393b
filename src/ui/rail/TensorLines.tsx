import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { nameParts, type TensorLine, type TensorRow, tensorKey } from '../../store/tensor-rows'
import { ChevronDown, ChevronRight } from '../icons'
import { useActions, useApp } from '../use-app'
import { TensorFacts } from './TensorFacts'
import styles from './TensorList.module.css'

const LINE_HEIGHT = 26
const TOUCH_HEIGHT = 44
/** Of the statistics of a tensor, which scroll where they need more. */
const FACTS_HEIGHT = 108
/** Shorter lists are put on the page whole: no measuring, and the browser's own search finds every row. */
const VIRTUAL_FROM = 60

interface LinesProps {
  readonly lines: readonly TensorLine[]
  /** Opens or closes the module of this key. */
  readonly onToggle: (moduleKey: string) => void
}

/** The lines of the tree; of many only those in sight are on the page. */
export function TensorLines(props: LinesProps) {
  return props.lines.length > VIRTUAL_FROM ? <LongList {...props} /> : <ShortList {...props} />
}

/** Calls `show` with the line of the chosen weight, once each time another one is chosen. */
function useChosenLine(lines: readonly TensorLine[], show: (index: number) => void): void {
  const chosen = useApp(({ source }) => source.weight && tensorKey(source.weight))
  const shown = useRef<string | null>(null)
  useEffect(() => {
    const index = lines.findIndex(({ kind, key }) => kind === 'tensor' && key === chosen)
    if (index < 0 || shown.current === chosen) return
    shown.current = chosen
    show(index)
  })
}

/** Scrolls `list` alone, and only as far as `item` is out of sight. */
function bringIntoSight(list: Element, item: Element): void {
  const [box, line] = [list.getBoundingClientRect(), item.getBoundingClientRect()]
  if (line.top < box.top) list.scrollTop -= box.top - line.top
  else if (line.bottom > box.bottom) list.scrollTop += line.bottom - box.bottom
}

function ShortList({ lines, onToggle }: LinesProps) {
  const scroller = useRef<HTMLUListElement>(null)
  useChosenLine(lines, (index) => {
    const list = scroller.current
    const item = list?.children[index]
    if (list && item) bringIntoSight(list, item)
  })
  return (
    <ul className={styles.list} ref={scroller} aria-label="Tensors">
      {lines.map((line) => (
        <li key={line.key}>
          <Line line={line} onToggle={onToggle} />
        </li>
      ))}
    </ul>
  )
}

function LongList({ lines, onToggle }: LinesProps) {
  const scroller = useRef<HTMLUListElement>(null)
  const isPhone = useMediaQuery('(max-width: 767px)') ?? false
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      if (lines[index].kind === 'details') return FACTS_HEIGHT
      return isPhone ? TOUCH_HEIGHT : LINE_HEIGHT
    },
    getItemKey: (index) => lines[index].key,
    overscan: 8,
  })
  useChosenLine(lines, (index) => virtual.scrollToIndex(index))
  return (
    <ul className={styles.long} ref={scroller} aria-label="Tensors">
      <li className={styles.spacer} style={{ height: virtual.getTotalSize() }} aria-hidden />
      {virtual.getVirtualItems().map(({ key, index, start }) => (
        <li key={key} className={styles.placed} style={{ transform: `translateY(${start}px)` }}>
          <Line line={lines[index]} onToggle={onToggle} />
        </li>
      ))}
    </ul>
  )
}

function Line({ line, onToggle }: { readonly line: TensorLine; readonly onToggle: LinesProps['onToggle'] }) {
  switch (line.kind) {
    case 'file':
      return (
        <p className={styles.file} title={line.name} data-test="tensor-file">
          {line.name}
        </p>
      )
    case 'module':
      return <Module line={line} onToggle={onToggle} />
    case 'tensor':
      return <Row row={line.row} indent={line.indent} />
    case 'details':
      return (
        <div className={styles.facts} style={{ height: FACTS_HEIGHT }}>
          <TensorFacts row={line.row} />
        </div>
      )
  }
}

function Module({
  line,
  onToggle,
}: {
  readonly line: Extract<TensorLine, { kind: 'module' }>
  readonly onToggle: LinesProps['onToggle']
}) {
  const { before, block, middle, end } = nameParts(`${line.name}.*.*`)
  return (
    <button
      type="button"
      className={styles.module}
      data-test="tensor-module"
      aria-expanded={line.isOpen}
      title={`${line.name}, ${line.tensors} tensors`}
      onClick={() => onToggle(line.key)}
    >
      {line.isOpen ? <ChevronDown /> : <ChevronRight />}
      <bdi className={styles.moduleName}>
        <span className={styles.before}>{before}</span>
        {`${block}${middle}${end}`.replace(/\.?\*\.\*$/, '')}
      </bdi>
      <span className={styles.count}>{line.tensors}</span>
    </button>
  )
}

function Row({ row, indent }: { readonly row: TensorRow; readonly indent: boolean }) {
  const { chooseWeight, toggleDetails } = useActions()
  const chosen = useApp(({ source }) => source.weight?.fileId === row.fileId && source.weight.tensor === row.tensor)
  const isOpen = useApp(({ source }) => source.details[`${row.fileId} ${row.tensor}`] !== undefined)
  const { fileId, tensor } = row
  const packed = row.packed === null ? '' : `, stored as ${row.packed}`
  const facts = `${tensor}, ${row.shape}, ${row.dtype}${packed}, ${row.size}, ${row.shard ?? row.fileName}`
  return (
    <div className={styles.line} data-indent={indent}>
      <button
        type="button"
        className={styles.more}
        data-test="tensor-details"
        aria-expanded={isOpen}
        aria-label={`Statistics of ${tensor}`}
        onClick={() => toggleDetails({ fileId, tensor })}
      >
        {isOpen ? <ChevronDown /> : <ChevronRight />}
      </button>
      <button
        type="button"
        className={styles.row}
        data-test="tensor-row"
        data-tensor={tensor}
        aria-pressed={chosen}
        disabled={row.obstacle !== null}
        title={row.obstacle === null ? facts : `${facts}. Cannot be chosen as weight: ${row.obstacle}`}
        onClick={() => chooseWeight(row.stack === null ? { fileId, tensor } : { fileId, tensor, slice: 0 })}
      >
        <Name name={tensor} module={indent ? row.module : ''} />
        <span>{row.shape}</span>
        <span className={styles.dtype} data-packed={row.packed !== null}>
          {row.dtype}
        </span>
        <span className={styles.size}>{row.size}</span>
      </button>
    </div>
  )
}

/** The name without its module where that stands above, else without what all names share, cut in the middle. */
function Name({ name, module }: { readonly name: string; readonly module: string }) {
  const cut =
    module === ''
      ? nameParts(name)
      : { before: `${module}.`, block: '', middle: '', end: name.slice(module.length + 1) }
  return (
    <bdi className={styles.name} data-block={cut.block !== ''}>
      <span className={styles.before}>{cut.before}</span>
      <span className={styles.block}>{cut.block}</span>
      <span className={styles.middle}>{cut.middle}</span>
      <span className={styles.end}>{cut.end}</span>
    </bdi>
  )
}
