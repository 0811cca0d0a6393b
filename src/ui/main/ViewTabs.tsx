import { SegmentedControl, Tooltip } from '@mantine/core'
import { VIEWS } from '../../store/views'
import { useActions, useApp } from '../use-app'
import styles from './ViewTabs.module.css'

/** Which figure is shown. Changes the view, not the run; only Error asks for more results. */
export function ViewTabs() {
  const view = useApp((state) => state.view.view)
  const { setView } = useActions()
  return (
    <nav className={styles.views} aria-label="Views">
      {VIEWS.map(({ id, label, help }) => (
        <Tooltip key={id} label={help} position="bottom">
          <button
            type="button"
            className={styles.view}
            data-test={`view-${id}`}
            aria-current={view === id ? 'page' : undefined}
            onClick={() => setView(id)}
          >
            {label}
          </button>
        </Tooltip>
      ))}
      {view === 'surface' && <SurfaceSwitch />}
    </nav>
  )
}

function SurfaceSwitch() {
  const shape = useApp((state) => state.view.surface)
  const { setSurface } = useActions()
  return (
    <SegmentedControl
      className={styles.switch}
      size="xs"
      aria-label="Shape of the magnitudes"
      value={shape}
      onChange={(value) => setSurface(value === '3d' ? '3d' : 'map')}
      data={[
        { value: 'map', label: <span data-test="surface-map">Map</span> },
        { value: '3d', label: <span data-test="surface-3d">3-D</span> },
      ]}
    />
  )
}
