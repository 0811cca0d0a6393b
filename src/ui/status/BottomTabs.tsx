import type { Pane } from '../../store/state'
import { useActions, useApp } from '../use-app'
import styles from './Status.module.css'

const PANES: readonly { readonly id: Pane; readonly label: string }[] = [
  { id: 'layer', label: 'Layer' },
  { id: 'setup', label: 'Setup' },
  { id: 'figures', label: 'Figures' },
  { id: 'table', label: 'Table' },
]

/** The four panes of a phone. */
export function BottomTabs() {
  const pane = useApp((state) => state.view.pane)
  const { setPane } = useActions()
  return (
    <nav className={styles.tabs} aria-label="Panes">
      {PANES.map(({ id, label }) => (
        <button
          key={id}
          type="button"
          data-test={`pane-${id}`}
          aria-current={pane === id ? 'page' : undefined}
          onClick={() => setPane(id)}
        >
          {label}
        </button>
      ))}
    </nav>
  )
}
