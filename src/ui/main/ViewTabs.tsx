import { SegmentedControl, Tooltip } from '@mantine/core'
import { VIEWS, type View } from '../../store/views'
import { useActions, useApp } from '../use-app'
import { useHoverTip } from './use-hover-tip'
import styles from './ViewTabs.module.css'

/** Which figure is shown. Changes the view, not the run; only Error asks for more results. */
export function ViewTabs() {
  const view = useApp((state) => state.view.view)
  return (
    <nav className={styles.views} aria-label="Views">
      {VIEWS.map((each) => (
        <Tab key={each.id} view={each} chosen={view === each.id} />
      ))}
      {view === 'surface' && <SurfaceSwitch />}
    </nav>
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
