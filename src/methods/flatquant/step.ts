/** One training step as kernels: forward, bookkeeping, backward, AdamW, and the inverses following. */
import { Arena } from '../../gpu/arena'
import { type LossBook, recordLoss } from '../../gpu/kernels/record-loss'
import { type LearnedBuffer, updateParameters } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { backwardPass, type FlatQuantGradients, forwardPass, type LearningProblem } from './gradients'
import type { LearnedFactor } from './learned-factor'
import type { LearnedState } from './parameters'

/** What a training keeps on the GPU from step to step. */
export interface Training {
  readonly problem: LearningProblem
  readonly state: LearnedState
  readonly book: LossBook
  /** Zeros, as long as the longest parameter: the gradient where nothing is learned. */
  readonly noGradient: GPUBuffer
}

/** Relative to the learning rate: at its default, clips learn at the paper's 5e-2 and θ at 2e-2. */
const THETA_RATE = 4
const CLIP_RATE = 10
/** torch's default, which FlatQuant keeps. θ has none: pulling d towards 1 would mean nothing. */
const DECAY = 0.01
/** Restarts from the best state before training stops for good. */
export const MAX_DIVERGENCES = 3

/**
 * Records step `step` at learning rate `rate` (of rotations and singular values; θ learns at 4 times, clips at 10 times
 * that). 'evaluate' only measures the state and keeps it if it is the best. Temporaries go back to the pool before the
 * caller submits, which the queue's order allows; the step after reuses them.
 */
export function recordStep(
  recorder: Recorder,
  training: Training,
  { step, rate }: { step: number; rate: number | 'evaluate' },
): void {
  const { problem, state, book } = training
  const arena = new Arena(recorder.gpu)
  const forward = forwardPass(recorder, arena, problem, state)
  recordLoss(recorder, forward.energySums, book, { step, maxDivergences: MAX_DIVERGENCES })
  if (rate === 'evaluate') {
    recordUpdates(recorder, training, null, 0)
  } else {
    recordUpdates(recorder, training, backwardPass(recorder, arena, forward, state), rate)
    state.p1.follow(recorder, arena)
    state.p2.follow(recorder, arena)
  }
  arena.release()
}

function recordUpdates(
  recorder: Recorder,
  { state, book, noGradient }: Training,
  gradients: FlatQuantGradients | null,
  rate: number,
): void {
  const update = (
    parameter: LearnedBuffer | null,
    gradient: GPUBuffer | null | undefined,
    rates: { rate: number; decay: number },
  ) => {
    if (parameter) updateParameters(recorder, parameter, gradient ?? noGradient, { state: book.state, ...rates })
  }
  const updateFactor = (factor: LearnedFactor, found: readonly GPUBuffer[] | undefined) => {
    const rates = { rate: Math.min(rate, factor.largestRate), decay: DECAY }
    factor.learned.forEach((parameter, index) => {
      update(parameter, found?.[index], rates)
    })
    for (const inverse of factor.carried) update(inverse, null, { rate: 0, decay: 0 }) // kept and restored with them
  }
  update(state.theta, gradients?.theta, { rate: THETA_RATE * rate, decay: 0 })
  updateFactor(state.p1, gradients?.p1)
  updateFactor(state.p2, gradients?.p2)
  update(state.activationClip, gradients?.activationClip, { rate: CLIP_RATE * rate, decay: DECAY })
  update(state.weightClip, gradients?.weightClip, { rate: CLIP_RATE * rate, decay: DECAY })
}
