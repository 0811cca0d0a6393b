/**
 * Asks for the causes on the loaded layer: rotations that are at hand by themselves, one question after the other, and a
 * learned one as a run of its own, on request.
 */
import type { ErrorReport } from '../core/errors'
import type { RotationCauses } from '../experiment/rotation-causes'
import type { Answer, RunEnd } from '../worker/protocol'
import type { Asked } from './blocks-view'
import type { StoreContext } from './context'
import { kept } from './kept'
import { layerChoice } from './result-keys'
import { isLearned, type WantedCauses, wantedAtOnce, wantedCauses } from './rotation-causes'
import type { AppState } from './state'

/** Answers kept; several arrays of the layer's width each, some 100 kB of a wide layer. */
const KEPT_CAUSES = 60

export interface CausesActions {
  /** Asks for the causes on the loaded layer where they are not there yet; learned rotations are left out. */
  loadCauses(): void
  /** Trains the learned rotation chosen, and explains it. */
  trainRotation(): void
  cancelTraining(): void
  /** Ends the training of what is no longer on screen, after anything has changed. */
  advanceTraining(): void
  /** Asks again for what failed; a learned rotation that failed is trained again. */
  retryCauses(): void
  /** Asks again for what failed of the pair. */
  retryPair(): void
}

const bug = (error: unknown): ErrorReport => ({ kind: 'bug', code: 'BUG', message: String(error) })

const isOnScreen = ({ view, rotation }: AppState) => view.view === 'rotation' && rotation.controls.part === 'layer'

export function createCausesActions(context: StoreContext): CausesActions {
  const { engine, environment, get, patch } = context
  const { vocabulary } = environment
  let asking = false
  const keep = (key: string, asked: Asked<RotationCauses>) =>
    patch('rotation', { causes: kept(get().rotation.causes, key, asked, KEPT_CAUSES) })

  /** The next question. One that failed would fail for the other seeds of its format too. */
  const lacking = (): WantedCauses | undefined => {
    const { causes } = get().rotation
    const wanted = wantedAtOnce(get(), vocabulary)
    const groupOf = ({ query }: WantedCauses) => JSON.stringify([query.weightFormat, query.activationFormat])
    const failed = new Set(wanted.filter(({ key }) => causes[key]?.kind === 'failed').map(groupOf))
    return wanted.find((each) => causes[each.key] === undefined && !failed.has(groupOf(each)))
  }

  const loadCauses = async (): Promise<void> => {
    if (asking) return
    asking = true
    // One after the other: what is no longer wanted is not begun.
    for (let next = lacking(); next !== undefined; next = lacking()) {
      const { key, query } = next
      const choice = layerChoice(get())
      if (!choice) break
      keep(key, { kind: 'loading', key })
      const answer = await engine.explainRotation(choice, query).catch((error: unknown): Answer<never> => {
        return { ok: false, error: bug(error) }
      })
      keep(key, answer.ok ? { kind: 'ready', key, value: answer.value } : { kind: 'failed', key, error: answer.error })
      if (!isOnScreen(get())) break
    }
    asking = false
  }

  const forget = () => {
    const { causes } = get().rotation
    patch('rotation', {
      causes: Object.fromEntries(Object.entries(causes).filter(([, { kind }]) => kind !== 'failed')),
    })
  }

  const training = createTraining(context, keep)
  return {
    ...training,
    loadCauses: () => void loadCauses(),
    retryCauses: () => {
      forget()
      if (isLearned(get().rotation.controls.rotation)) training.trainRotation()
      void loadCauses()
    },
    retryPair: () => {
      forget()
      void loadCauses()
    },
  }
}

function createTraining(
  { engine, environment, get, patch }: StoreContext,
  keep: (key: string, asked: Asked<RotationCauses>) => void,
) {
  const { vocabulary } = environment
  let runs = 0

  /** Ends the training under `runId`, if it still goes on; what has failed is said in the place of its answer. */
  const finish = (runId: string, key: string, end: RunEnd) => {
    const { training, causes } = get().rotation
    if (training?.runId !== runId) return
    if (end.kind === 'failed') keep(key, { kind: 'failed', key, error: end.error })
    if (end.kind === 'done' && causes[key] === undefined) {
      keep(key, { kind: 'failed', key, error: bug('The training ended without an explanation.') })
    }
    patch('rotation', { training: null })
  }

  const train = async ({ key, query }: WantedCauses) => {
    const choice = layerChoice(get())
    if (choice === null) return
    runs += 1
    const runId = `explanation-${runs}`
    patch('rotation', { training: { key, runId, progress: null, cancelling: false } })
    const end = await engine
      .runExplanation(runId, choice, query, (event) => {
        const { training } = get().rotation
        if (training?.runId !== runId) return
        if (event.kind === 'explained') keep(key, { kind: 'ready', key, value: event.causes })
        else patch('rotation', { training: { ...training, progress: event.progress } })
      })
      .catch((error: unknown): RunEnd => ({ kind: 'failed', error: bug(error) }))
    finish(runId, key, end)
  }

  return {
    trainRotation: () => {
      const { rotation, run } = get()
      const [wanted] = wantedCauses(get(), vocabulary)
      // A run would end the comparison.
      if (!wanted || !isLearned(rotation.controls.rotation) || rotation.training !== null || run.phase !== 'idle')
        return
      void train(wanted)
    },
    cancelTraining: () => {
      const { training } = get().rotation
      if (training === null || training.cancelling) return
      patch('rotation', { training: { ...training, cancelling: true } })
      void engine.cancel(training.runId)
    },
    advanceTraining: () => {
      const { training } = get().rotation
      if (training === null || training.cancelling) return
      const wanted = isOnScreen(get()) ? wantedCauses(get(), vocabulary) : []
      if (wanted.some(({ key }) => key === training.key)) return
      patch('rotation', { training: null })
      void engine.cancel(training.runId)
    },
  }
}
