import { Button } from '@mantine/core'
import { studyModel } from '../../store/rotation-view'
import { Announcement, quarters } from '../Announcement'
import { useActions, useApp } from '../use-app'
import styles from './rotation.module.css'

/** How far the study is, and how to stop it or start it again. */
export function StudyProgress() {
  const { done, total } = useApp(studyModel)
  const { phase, stopped, running } = useApp(({ rotation }) => ({
    phase: rotation.phase,
    stopped: rotation.stopped,
    running: rotation.runId !== null,
  }))
  const device = useApp((state) => state.device.status)
  const { cancelStudy, runStudy } = useActions()
  if (phase !== 'idle') {
    return (
      <div className={styles.progress}>
        <Announcement text={quarters('Errors computed', done, total)} hook="study-announcement" />
        <progress max={total} value={done} aria-label="Errors computed" />
        <span>
          {done} of {total} errors{running ? '' : ', waiting for the comparison'}
        </span>
        <Button
          size="compact-xs"
          variant="default"
          data-test="study-cancel"
          disabled={phase === 'cancelling'}
          onClick={cancelStudy}
        >
          {phase === 'cancelling' ? 'Cancelling' : 'Cancel'}
        </Button>
      </div>
    )
  }
  if (done === total) return null
  const ready = device === 'ready'
  return (
    <div className={styles.progress}>
      {stopped?.end.kind === 'failed' && (
        <span role="alert">
          {stopped.end.error.message} ({stopped.end.error.code})
        </span>
      )}
      <span data-test="study-state">
        {ready ? `${done} of ${total} errors computed` : 'Computing the errors needs a GPU device'}
      </span>
      {ready && stopped !== null && (
        <Button size="compact-xs" data-test="study-run" onClick={runStudy}>
          {done > 0 ? 'Continue' : 'Run'}
        </Button>
      )}
    </div>
  )
}
