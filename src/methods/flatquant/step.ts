/** One training step as kernels: forward, bookkeeping, backward, AdamW, and A following P. */
import { Arena } from '../../gpu/arena'
import { type LossBook, recordLoss } from '../../gpu/kernels/record-loss'
import { smallProduct } from '../../gpu/kernels/small-product'
import { type LearnedBuffer, updateParameters } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { backwardPass, type FlatQuantGradients, forwardPass, type LearningProblem } from './gradients'
import type { LearnedState } from './parameters'

/** What a training keeps on the GPU from step to step. */
export interface Training {
  readonly problem: LearningProblem
  readonly state: LearnedState
  readonly book: LossBook
  /** Zeros, as long as the longest parameter: the gradient where nothing is learned. */
  readonly noGradient: GPUBuffer
}

const THETA_RATE = 2
const CLIP_RATE = 5
/** torch's default, which FlatQuant keeps. θ has none: pulling d towards 1 would mean nothing. */
const DECAY = 0.01
/** Restarts from the best state before training stops for good. */
export const MAX_DIVERGENCES = 3
/**
 * A ← A (2I − Pᵀ A) squares the residual I − Pᵀ A, so it converges while a step moves P by less than 1 in norm. A step
 * of Adam moves every entry by about the rate, hence P by at most rate · size: capped at LARGEST_MOVE (which acts on
 * factors wider than 50 at the default rate), four iterations leave at most 0.5^16 of the identity.
 */
const LARGEST_MOVE = 0.5
const NEWTON_ITERATIONS = 4

/**
 * Records step `step` at learning rate `rate` (of P; θ learns at 2 times, clips at 5 times that). 'evaluate' only
 * measures the state and keeps it if it is the best. Temporaries go back to the pool before the caller submits, which
 * the queue's order allows; the step after reuses them.
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
    followInverse(recorder, arena, { size: state.a, p: state.p1, inverse: state.a1 })
    followInverse(recorder, arena, { size: state.b, p: state.p2, inverse: state.a2 })
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
  update(state.theta, gradients?.theta, { rate: THETA_RATE * rate, decay: 0 })
  update(state.p1, gradients?.p1, { rate: Math.min(rate, LARGEST_MOVE / state.a), decay: DECAY })
  update(state.p2, gradients?.p2, { rate: Math.min(rate, LARGEST_MOVE / state.b), decay: DECAY })
  update(state.activationClip, gradients?.activationClip, { rate: CLIP_RATE * rate, decay: DECAY })
  update(state.weightClip, gradients?.weightClip, { rate: CLIP_RATE * rate, decay: DECAY })
  // A is not learned but kept and restored together with its P.
  update(state.a1, noGradient, { rate: 0, decay: 0 })
  update(state.a2, noGradient, { rate: 0, decay: 0 })
}

/** Brings `inverse` = A back to P⁻ᵀ by Newton's iteration from where it stands. */
function followInverse(
  recorder: Recorder,
  arena: Arena,
  { size, p, inverse }: { size: number; p: LearnedBuffer; inverse: LearnedBuffer },
): void {
  let current = inverse.value
  for (let i = 0; i < NEWTON_ITERATIONS; i++) {
    const product = smallProduct(recorder, arena, {
      size,
      left: p.value,
      leftTransposed: true,
      right: current,
      factor: 1,
      addend: current,
      addendFactor: 0,
    })
    current = smallProduct(recorder, arena, {
      size,
      left: current,
      right: product,
      factor: -1,
      addend: current,
      addendFactor: 2,
    })
  }
  recorder.copy(current, inverse.value, 4 * inverse.count)
}
