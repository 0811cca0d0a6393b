import { SegmentedControl } from '@mantine/core'
import { useActions, useApp } from '../use-app'

/** Magnitudes as a map or as a surface. */
export function SurfaceSwitch() {
  const shape = useApp((state) => state.view.surface)
  const { setSurface } = useActions()
  return (
    <SegmentedControl
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
