import { Button } from '@mantine/core'
import { methodLabel } from '../../figures/describe'
import { formatRelativeError } from '../../figures/format-number'
import { Announcement, quarters } from '../Announcement'
import { PanelState } from '../PanelState'
import { useActions, useApp } from '../use-app'
import styles from './rotation.module.css'

/** A learned rotation before it is explained: what it costs, how far its training is, and how to end it. */
export function Training({ method }: { readonly method: string }) {
  const training = useApp((state) => state.rotation.training)
  const isBusy = useApp((state) => state.run.phase !== 'idle')
  const { trainRotation, cancelTraining } = useActions()
  if (training === null) {
    const label = isBusy ? 'Waiting for the comparison' : 'Train and explain'
    return (
      <div className={styles.empty}>
        <PanelState
          kind="empty"
          title={`${methodLabel(method)} is learned`}
          text="It is trained on the output error of this layer first, which takes a while."
          actions={[{ label, hook: 'causes-run', disabled: isBusy, onClick: trainRotation }]}
        />
      </div>
    )
  }
  const { progress, cancelling } = training
  return (
    <div className={styles.empty}>
      <div className={styles.progress} data-test="causes-training">
        <Announcement
          text={quarters(progress?.stage ?? 'Training', progress?.done ?? 0, progress?.total ?? 1)}
          hook="causes-announcement"
        />
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
