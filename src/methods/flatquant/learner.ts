/** FlatQuant as a learner: forward, backward, AdamW, and the inverses following. */
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { type LearnedBuffer, updateParameters } from '../../gpu/kernels/update-parameters'
import type { Recorder } from '../../gpu/recorder'
import { uploadWords } from '../../gpu/transfer'
import type { Learner, LearningProblem } from '../training/learner'
import { backwardPass, type FlatQuantGradients, forwardPass } from './gradients'
import type { LearnedFactor } from './learned-factor'
import { type FlatQuantParameters, type LearnedState, readBest, uploadState } from './parameters'

/** Relative to the learning rate: at its default, clips learn at the paper's 5e-2 and θ at 2e-2. */
const THETA_RATE = 4
const CLIP_RATE = 10
/** torch's default, which FlatQuant keeps. θ has none: pulling d towards 1 would mean nothing. */
const DECAY = 0.01

/**
 * Learns from `start` at rates (of rotations and singular values; θ learns at 4 times, clips at 10 times that).
 * Source: FlatQuant, arXiv 2410.09426; AdamW, arXiv 1711.05101; deviations from them in docs/methods.md.
 */
export function flatquantLearner(
  gpu: Gpu,
  arena: Arena,
  problem: LearningProblem,
  start: FlatQuantParameters,
): Learner<FlatQuantParameters> {
  const state = uploadState(gpu, arena, start)
  const noGradient = uploadWords(gpu, arena, new Float32Array(longestOf(state)), 'no gradient')
  return {
    stage: 'FlatQuant',
    operationsPerStep: operationsPerStep(problem, state),
    forward: (recorder, inner) => {
      const forward = forwardPass(recorder, inner, problem, state)
      return {
        energySums: forward.energySums,
        update: (book, rate) => {
          if (rate === 'evaluate') {
            recordUpdates(recorder, state, null, { rate: 0, book, noGradient })
            return
          }
          const gradients = backwardPass(recorder, inner, forward, state)
          recordUpdates(recorder, state, gradients, { rate, book, noGradient })
          state.p1.follow(recorder, inner)
          state.p2.follow(recorder, inner)
        },
      }
    },
    readBest: () => readBest(gpu, state),
  }
}

/** Three products of the layer's size and twelve Kronecker products with their gradients. */
function operationsPerStep({ weight, calibration }: LearningProblem, { p1, p2 }: LearnedState): number {
  const products = 6 * calibration.rows * weight.rows * weight.cols
  const transforms = 12 * (calibration.rows + weight.rows) * weight.cols * (p1.size + p2.size)
  return products + transforms
}

/** Floats of the longest parameter. */
function longestOf({ theta, p1, p2, activationClip, weightClip }: LearnedState): number {
  const factors = [p1, p2].flatMap(({ learned, carried }) => [...learned, ...carried])
  return Math.max(...[theta, activationClip, weightClip, ...factors].map((parameter) => parameter?.count ?? 0))
}

/** Without gradients nothing is learned; `noGradient` are zeros. The best state is kept or restored either way. */
function recordUpdates(
  recorder: Recorder,
  state: LearnedState,
  gradients: FlatQuantGradients | null,
  { rate, book, noGradient }: { rate: number; book: GPUBuffer; noGradient: GPUBuffer },
): void {
  const update = (
    parameter: LearnedBuffer | null,
    gradient: GPUBuffer | null | undefined,
    rates: { rate: number; decay: number },
  ) => {
    if (parameter) updateParameters(recorder, parameter, gradient ?? noGradient, { state: book, ...rates })
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
