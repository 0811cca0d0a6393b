import { LOCAL_KEYS, SHORTCUTS } from '../../store/shortcuts'
import { InfoDialog } from '../status/InfoDialog'
import { useActions, useApp } from '../use-app'
import styles from './ShortcutsDialog.module.css'

/** Every key that does something, and the switch that turns single letters off. */
export function ShortcutsDialog() {
  const on = useApp((state) => state.guide.singleKeys)
  const { showShortcuts, setSingleKeys } = useActions()
  return (
    <InfoDialog title="Keyboard shortcuts" hook="shortcuts" onClose={() => showShortcuts(false)}>
      <label className={styles.choice}>
        <input
          type="checkbox"
          data-test="single-keys"
          checked={on}
          onChange={({ currentTarget }) => setSingleKeys(currentTarget.checked)}
        />
        <span>Keys without Ctrl are shortcuts, except inside fields. Kept on this device; Escape always works.</span>
      </label>
      <dl className={styles.keys}>
        {[...SHORTCUTS, ...LOCAL_KEYS].map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key === 'Escape' ? 'Esc' : key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </InfoDialog>
  )
}
