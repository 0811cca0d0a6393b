import { formatRelativeError } from '../../figures/format-number'
import { useApp } from '../use-app'
import styles from './Tile.module.css'

const WIDTH = 200
const HEIGHT = 40
const NONE: readonly number[] = []

/** Step n of m of the method that runs, with its loss as a line when it learns. */
export function TileProgress() {
  const progress = useApp((state) => state.run.progress)
  const losses = useApp((state) => state.run.learning?.losses ?? NONE)
  const compiling = useApp((state) => state.run.compiling)
  const begun = compiling ? 'Compiling kernels' : 'Running'
  const text = progress && progress.total > 1 ? `Step ${progress.done} of ${progress.total}` : begun
  return (
    <div className={styles.progress}>
      <p>{text}</p>
      {losses.length > 1 && (
        <>
          <svg
            viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
            preserveAspectRatio="none"
            className={styles.loss}
            aria-hidden="true"
            focusable="false"
          >
            <polyline points={lossPoints(losses)} fill="none" stroke="currentColor" vectorEffect="non-scaling-stroke" />
          </svg>
          <p>output relative error {formatRelativeError(losses[losses.length - 1])} on calibration rows</p>
        </>
      )}
    </div>
  )
}

/** Corners of the loss line in the viewBox, the largest loss at the top. */
function lossPoints(losses: readonly number[]): string {
  const top = Math.max(...losses)
  const span = top - Math.min(...losses) || 1
  return losses
    .map(
      (loss, i) => `${((WIDTH * i) / (losses.length - 1)).toFixed(1)},${((HEIGHT * (top - loss)) / span).toFixed(1)}`,
    )
    .join(' ')
}
