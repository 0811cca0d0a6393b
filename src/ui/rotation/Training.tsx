import { Button } from '@mantine/core'
import { methodLabel } from '../../figures/describe'
import { formatRelativeError } from '../../figures/format-number'
import { useActions, useApp } from '../use-app'
import styles from './rotation.module.css'

/** A learned rotation before it is explained: what it costs, how far its training is, and how to end it. */
export function Training({ method }: { readonly method: string }) {
  const training = useApp((state) => state.rotation.training)
  const isBusy = useApp((state) => state.run.phase !== 'idle')
  const { trainRotation, cancelTraining } = useActions()
  if (training === null) {
    return (
      <div className={styles.empty}>
        <p>
          {methodLabel(method)} is learned: it is trained on the output error of this layer first, which takes a while.
        </p>
        <Button size="compact-sm" data-test="causes-run" disabled={isBusy} onClick={trainRotation}>
          {isBusy ? 'Waiting for the comparison' : 'Train and explain'}
        </Button>
      </div>
    )
  }
  const { progress, cancelling } = training
  return (
    <div className={styles.empty}>
      <div className={styles.progress} role="status" data-test="causes-training">
        <progress max={progress?.total ?? 1} value={progress?.done ?? 0} aria-label="Training steps" />
        <span>
          {progress ? `${progress.stage}, ${progress.done} of ${progress.total}` : 'Training begins'}
          {progress?.loss !== undefined && `, error ${formatRelativeError(progress.loss)} on calibration rows`}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          data-test="causes-cancel"
          disabled={cancelling}
          onClick={cancelTraining}
        >
          {cancelling ? 'Cancelling' : 'Cancel'}
        </Button>
      </div>
    </div>
  )
}
