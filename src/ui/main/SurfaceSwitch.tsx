import { SegmentedControl } from '@mantine/core'
import { useActions, useApp } from '../use-app'
import styles from './Tile.module.css'

/** Magnitudes as a map or as a surface. */
export function SurfaceSwitch() {
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
