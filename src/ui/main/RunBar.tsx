import { Button } from '@mantine/core'
import type { MemoryPlan } from '../../experiment/memory-plan'
import { runStepText } from '../../store/run-step'
import { runProgress } from '../../store/selectors'
import { byteText } from '../../store/tensor-rows'
import { useActions, useApp } from '../use-app'
import styles from './Main.module.css'

/** How far the run is, and how to stop it or start it again. Takes no room while all is computed. */
export function RunBar() {
  const { phase, runId, end } = useApp(({ run }) => ({ phase: run.phase, runId: run.runId, end: run.end }))
  const ready = useApp((state) => state.device.status === 'ready')
  const { done, total } = useApp(runProgress)
  const { cancel, run } = useActions()
  if (runId !== null) {
    return (
      <div className={styles.run} data-test="run-bar">
        <progress max={total} value={done} aria-label="Results computed" />
        <span>
          {done} of {total} results
        </span>
        <CurrentStep />
        <Button
          size="compact-xs"
          variant="default"
          data-test="cancel"
          disabled={phase === 'cancelling'}
          onClick={cancel}
        >
          {phase === 'cancelling' ? 'Cancelling' : 'Cancel'}
        </Button>
      </div>
    )
  }
  if (phase === 'scheduled' || !ready || done === total || end === null) return null
  return (
    <div className={styles.run} data-test="run-bar">
      <span className={styles.missing}>
        {end.kind === 'cancelled' ? 'Cancelled.' : 'Stopped.'} {total - done} of {total} results are missing.
      </span>
      <Button size="compact-xs" data-test="run" onClick={run}>
        Run
      </Button>
    </div>
  )
}

function CurrentStep() {
  const text = useApp(runStepText)
  const memory = useApp(({ run }) => (run.current === null ? null : run.memory))
  return (
    <span className={styles.step} title={memory ? limitText(memory) : undefined}>
      {text}
      {memory && memoryText(memory)}
    </span>
  )
}

/** What the run takes on the GPU, and in how many pieces where the layer is not taken whole. */
function memoryText({ peakBytes, pieces }: MemoryPlan): string {
  const cut = pieces && pieces.weightPieces > 1 ? ` in ${pieces.weightPieces} pieces` : ''
  return ` · plan ${byteText(peakBytes)}${cut}`
}

const limitText = ({ peakBytes, limitBytes }: MemoryPlan) =>
  `At most about ${byteText(peakBytes)} of GPU memory at once; one buffer may take ${byteText(limitBytes)}.`
