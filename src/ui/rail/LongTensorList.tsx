import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { FACTS_HEIGHT, Line } from './TensorLine'
import styles from './TensorList.module.css'
import { type LinesProps, useChosenLine } from './use-chosen-line'

const LINE_HEIGHT = 26
const TOUCH_HEIGHT = 44

/** A list of which only the lines in sight are on the page. */
export function LongTensorList({ lines, onToggle }: LinesProps) {
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
