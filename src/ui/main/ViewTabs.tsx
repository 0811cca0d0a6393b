import { Tooltip } from '@mantine/core'
import type { KeyboardEvent } from 'react'
import { VIEW_GROUPS, VIEWS, type View, type ViewGroup, viewById } from '../../store/views'
import { HelpButton } from '../help/HelpButton'
import { useActions, useApp } from '../use-app'
import { VIEW_BAR } from './figures-place'
import { useHoverTip } from './use-hover-tip'
import styles from './ViewTabs.module.css'

const GROUPS = VIEW_GROUPS.map((group) => ({ group, views: VIEWS.filter((view) => view.group === group) }))

/** Which figure is shown: tabs by what they are about, a menu on phones. Changes the view, not the run. */
export function ViewTabs() {
  const chosen = useApp((state) => state.view.view)
  return (
    <nav className={styles.views} id={VIEW_BAR} aria-label="Views" onKeyDown={moveAlong}>
      {GROUPS.map((each) => (
        <Group key={each.group} {...each} chosen={chosen} />
      ))}
      <Menu chosen={chosen} />
      <span className={styles.about}>
        <HelpButton about={`the view ${viewById(chosen).label}`} topics={[`view:${chosen}`]} />
      </span>
    </nav>
  )
}

/** Arrow keys lead along the tabs, from the last to the first; Home and End to the ends. */
function moveAlong(event: KeyboardEvent<HTMLElement>): void {
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('li > button')]
  const at = event.target instanceof HTMLElement ? tabs.indexOf(event.target) : -1
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return
  const places: Readonly<Record<string, number>> = {
    ArrowLeft: (at + tabs.length - 1) % tabs.length,
    ArrowRight: (at + 1) % tabs.length,
    Home: 0,
    End: tabs.length - 1,
  }
  const to = places[event.key]
  if (to === undefined) return
  event.preventDefault()
  tabs[to].focus()
}

interface GroupProps {
  readonly group: ViewGroup
  readonly views: readonly View[]
  readonly chosen: string
}

function Group({ group, views, chosen }: GroupProps) {
  return (
    <div className={styles.group}>
      <span className={styles.name} aria-hidden>
        {group}
      </span>
      <ul className={styles.tabs} aria-label={group}>
        {views.map((view) => (
          <li key={view.id}>
            <Tab view={view} chosen={view.id === chosen} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function Tab({ view: { id, label, help }, chosen }: { readonly view: View; readonly chosen: boolean }) {
  const { setView } = useActions()
  const { tip, target } = useHoverTip()
  return (
    <Tooltip label={help} position="bottom" {...tip}>
      <button
        type="button"
        className={styles.view}
        data-test={`view-${id}`}
        data-label={label}
        // One stop of the Tab key: the view that is shown.
        tabIndex={chosen ? 0 : -1}
        aria-current={chosen ? 'page' : undefined}
        aria-description={help}
        onClick={() => setView(id)}
        {...target}
      >
        {label}
      </button>
    </Tooltip>
  )
}

/** The same on a phone, in one line. */
function Menu({ chosen }: { readonly chosen: string }) {
  const { setView } = useActions()
  return (
    <label className={styles.menu}>
      View
      <select
        data-test="view-menu"
        aria-description={viewById(chosen).help}
        value={chosen}
        onChange={({ currentTarget }) => setView(viewById(currentTarget.value).id)}
      >
        {GROUPS.map(({ group, views }) => (
          <optgroup key={group} label={group}>
            {views.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  )
}
