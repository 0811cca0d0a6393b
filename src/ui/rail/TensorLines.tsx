import { lazy, Suspense, useRef } from 'react'
import { Line } from './TensorLine'
import styles from './TensorList.module.css'
import { type LinesProps, useChosenLine } from './use-chosen-line'

/** Shorter lists are put on the page whole: no measuring, and the browser's own search finds every row. */
const VIRTUAL_FROM = 60

const LongTensorList = lazy(async () => ({ default: (await import('./LongTensorList')).LongTensorList }))

/** The lines of the tree; of many only those in sight are on the page. */
export function TensorLines(props: LinesProps) {
  if (props.lines.length <= VIRTUAL_FROM) return <ShortList {...props} />
  return (
    <Suspense fallback={<div className={styles.long} />}>
      <LongTensorList {...props} />
    </Suspense>
  )
}

/** Scrolls `list` alone, and only as far as `item` is out of sight. */
function bringIntoSight(list: Element, item: Element): void {
  const [box, line] = [list.getBoundingClientRect(), item.getBoundingClientRect()]
  if (line.top < box.top) list.scrollTop -= box.top - line.top
  else if (line.bottom > box.bottom) list.scrollTop += line.bottom - box.bottom
}

function ShortList({ lines, shortcut, onToggle }: LinesProps) {
  const scroller = useRef<HTMLUListElement>(null)
  useChosenLine(lines, (index) => {
    const list = scroller.current
    const item = list?.children[index]
    if (list && item) bringIntoSight(list, item)
  })
  return (
    <ul className={styles.list} ref={scroller} aria-label="Tensors" aria-keyshortcuts={shortcut}>
      {lines.map((line) => (
        <li key={line.key}>
          <Line line={line} onToggle={onToggle} />
        </li>
      ))}
    </ul>
  )
}
