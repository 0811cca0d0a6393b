import { PhoneStatus } from '../status/PhoneStatus'
import { useApp } from '../use-app'
import { ActivationsSection } from './ActivationsSection'
import { LayerSection } from './LayerSection'
import { MethodsSection } from './MethodsSection'
import styles from './Rail.module.css'
import { SettingSection } from './SettingSection'

/** What is compared, under which setting, by which methods. */
export function Rail() {
  const pane = useApp((state) => state.view.pane)
  const open = useApp((state) => state.view.railOpen)
  return (
    <aside className={styles.rail} aria-label="Setup" data-pane={pane} data-open={open} id="setup-rail">
      <div className={styles.group} data-group="layer">
        <LayerSection />
        <ActivationsSection />
        <PhoneStatus />
      </div>
      <div className={styles.group} data-group="setup">
        <SettingSection />
        <MethodsSection />
      </div>
    </aside>
  )
}
