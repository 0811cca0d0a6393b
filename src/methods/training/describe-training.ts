/** What a result says about a training: the same sentences and the same curve for every learned method. */
import type { FitReport } from '../method'
import { MAX_DIVERGENCES, type Trained } from './train'

type Course = Omit<Trained<unknown>, 'best'>

/**
 * Notes for the result; `training` is null when nothing is quantized and there was nothing to learn. `published` says in a
 * clause what the method's paper minimises instead of this layer's output error.
 */
export function trainingNotes(training: Course | null, published: string): readonly string[] {
  if (!training) return ['Nothing is quantized, so nothing was learned.']
  const { losses, bestStep, divergences } = training
  const steps = losses.length - 1
  const notes = [
    `Learned on this layer's own output error, the very number that is compared here, which favours it; ${published}.`,
    `${steps} steps over all calibration rows; kept the state after ${bestStep}, the best of them.`,
  ]
  if (bestStep === 0 && steps > 0) notes.push('No step improved on the start.')
  if (divergences > 0) {
    const often = divergences === 1 ? 'once;' : `${divergences} times; each time`
    notes.push(
      `The error grew tenfold or was not finite ${often} training went back to its best state at half the rate` +
        (divergences >= MAX_DIVERGENCES ? ', and then stopped.' : '.'),
    )
  }
  return notes
}

/** The loss curve of a report. */
export function trainingCurve(training: Course | null): FitReport['training'] {
  return (
    training && {
      steps: training.losses.map((_, step) => step),
      losses: training.losses,
      bestStep: training.bestStep,
    }
  )
}
