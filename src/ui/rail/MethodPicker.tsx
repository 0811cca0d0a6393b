import { Popover } from '@mantine/core'
import { useState } from 'react'
import type { MethodEntry } from '../../experiment/catalog'
import { methodGrid } from '../../store/method-grid'
import { moveFocus } from '../cell-focus'
import { MethodMark } from '../MethodMark'
import { useActions, useApp, useVocabulary } from '../use-app'
import styles from './MethodPicker.module.css'

/** "+ add": the whole grid of transforms and mitigations. */
export function MethodPicker() {
  const [opened, setOpened] = useState(false)
  return (
    // Where there is no room beside the button, as on a phone, it may lie over it.
    <Popover
      transitionProps={{ duration: 0 }}
      opened={opened}
      onChange={setOpened}
      position="right-end"
      shadow="md"
      trapFocus
      middlewares={{ flip: false, shift: { crossAxis: true } }}
    >
      <Popover.Target>
        <button type="button" className={styles.add} data-test="method-add" onClick={() => setOpened(!opened)}>
          + add
        </button>
      </Popover.Target>
      <Popover.Dropdown className={styles.dropdown} aria-label="Methods by transform and mitigation">
        <div className={styles.sheet}>
          <div className={styles.scroll}>
            <MethodGrid />
          </div>
          <button type="button" className={styles.done} data-test="method-grid-done" onClick={() => setOpened(false)}>
            Done
          </button>
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}

function MethodGrid() {
  const { methods } = useVocabulary()
  const { columns, rows } = methodGrid(methods)
  return (
    <table className={styles.grid} data-test="method-grid" onKeyDown={moveFocus}>
      <caption className={styles.caption}>
        Rows change the basis, columns choose the codes. In bold what a paper names or reports. Arrow keys move.
      </caption>
      <thead>
        <tr>
          <th scope="col">Transform</th>
          {columns.map(({ id, label }) => (
            <th key={id} scope="col">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, label, cells }) => (
          <tr key={id}>
            <th scope="row">{label}</th>
            {cells.map((entries, at) => (
              <td key={columns[at].id}>
                {entries.map((entry) => (
                  <Toggle key={entry.id} entry={entry} />
                ))}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Toggle({ entry }: { readonly entry: MethodEntry }) {
  const on = useApp((state) => state.setup.methods.some(({ id, hidden }) => id === entry.id && !hidden))
  const chosen = useApp((state) => state.setup.methods.some(({ id }) => id === entry.id))
  const { toggleMethod, showMethod } = useActions()
  return (
    <button
      type="button"
      className={styles.cell}
      data-test={`grid-${entry.id}`}
      data-published={entry.published}
      aria-pressed={on}
      aria-description={entry.summary}
      title={entry.summary}
      onClick={() => (chosen && !on ? showMethod(entry.id, true) : toggleMethod(entry.id))}
    >
      <MethodMark id={entry.id} /> {entry.label}
    </button>
  )
}
