import { Popover } from '@mantine/core'
import type { TileModel } from '../../store/selectors'
import { deferred } from '../deferred'
import styles from './ResultsTable.module.css'

const MENU = deferred(async () => (await import('./TableMenu')).TableMenu)

/** Opens what is chosen of the table as a whole: its columns, and copies of it. */
export function MenuButton({ models }: { readonly models: readonly TileModel[] }) {
  return (
    <Popover position="top-start" shadow="md" withArrow trapFocus>
      <Popover.Target>
        <button
          type="button"
          className={styles.menu}
          data-test="table-menu"
          aria-label="Columns and copies of the table"
        >
          Columns
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <MENU.Component room={styles.menuRoom} models={models} />
      </Popover.Dropdown>
    </Popover>
  )
}
