import { Switch } from '@mantine/core'
import { formatPercent } from '../../figures/format-number'
import { methodStyle } from '../../figures/method-style'
import { narrowestOf } from '../../figures/shared-scales'
import { resultsOf, tiles } from '../../store/selectors'
import { useActions, useApp } from '../use-app'
import styles from './Tile.module.css'

/** Whether the tiles of a distribution share their axes, and what either choice hides. */
export function AxesSwitch() {
  const shared = useApp((state) => state.view.axes === 'shared')
  const { setAxes } = useActions()
  return (
    <div className={styles.options}>
      <Switch
        size="xs"
        label="Shared axes"
        data-test="tile-axes"
        checked={shared}
        onChange={({ currentTarget }) => setAxes(currentTarget.checked ? 'shared' : 'own')}
      />
      {shared ? (
        <Narrow />
      ) : (
        <span data-test="tile-axes-note">Each tile has axes of its own: widths do not compare.</span>
      )}
    </div>
  )
}

/** Which tile is too narrow to be read. */
function Narrow() {
  const text = useApp((state) => {
    const narrowest = narrowestOf(resultsOf(tiles(state), 'live'))
    if (narrowest === null) return null
    const { label } = methodStyle(narrowest.method, 'light')
    return `${label} fills ${formatPercent(100 * narrowest.share)} of the axis: its own axes show its shape.`
  })
  return text === null ? null : <span data-test="tile-axes-note">{text}</span>
}
