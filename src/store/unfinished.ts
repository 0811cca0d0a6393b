/** Trainings that have no result: the one that goes on, and those that were cancelled. */
import { methodLabel } from '../figures/describe'
import type { UnfinishedTraining } from '../figures/figure'
import type { AppState, CancelledRun } from './state'
import type { Vocabulary } from './vocabulary'
import { wantedOutcomes } from './wanted'

/** The option that every learned method has, and no other. */
const STEPS = 'steps'

/** What the Training view draws beside results: of shown methods, on the layer and under the setting on screen. */
export function unfinishedTrainings(state: AppState, vocabulary: Vocabulary): readonly UnfinishedTraining[] {
  const { current, learning, cancelled, runId } = state.run
  if (state.source.pendingLink !== null) return []
  return wantedOutcomes(state, vocabulary.settings)
    .filter(({ method }) => !method.hidden)
    .flatMap(({ key, method, setting }): UnfinishedTraining[] => {
      const running = runId !== null && current?.key === key
      const own = running ? learning : (cancelled[key]?.learning ?? null)
      return own === null || Object.hasOwn(state.run.results, key)
        ? []
        : [{ method: method.id, setting: setting.id, state: running ? 'running' : 'cancelled', ...own }]
    })
}

/** "cancelled at step 41 of 2000"; without a step for a method that had not begun to learn. */
export function cancelledText({ learning }: CancelledRun): string {
  return learning === null ? 'cancelled' : `cancelled at step ${learning.losses.length - 1} of ${learning.steps}`
}

/** The methods that learn: those shown, and those that only learn a transform. */
export function learnedMethods(state: AppState, { methods }: Pick<Vocabulary, 'methods'>) {
  const learned = methods.filter(({ options }) => options.some(({ key }) => key === STEPS))
  return {
    chosen: learned.filter(({ id }) => state.setup.methods.some((each) => each.id === id && !each.hidden)),
    plain: learned.filter(({ column }) => column === 'round-to-nearest'),
  }
}

/** Why the Training view has no curve to show, and what would bring one. */
export function noTrainingText(state: AppState, vocabulary: Pick<Vocabulary, 'methods'>): string {
  const { chosen, plain } = learnedMethods(state, vocabulary)
  if (chosen.length === 0) {
    return `None of the chosen methods is learned. Learned are ${plain.map(({ label }) => label).join(', ')}.`
  }
  const names = chosen.map(({ label }) => label).join(', ')
  const { current, phase } = state.run
  if (phase === 'idle') return `No training of ${names} has taken a step.`
  return chosen.some(({ id }) => id === current?.method)
    ? `${methodLabel(current?.method ?? '')} is preparing; its curve begins with the first step.`
    : `Waiting for ${names}.`
}
