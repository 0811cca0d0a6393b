/**
 * The training loop: AdamW on the log of the layer's output error, all of it on the GPU. The host records steps, reads
 * the loss history one submit late, and decides nothing: best state, restarts and stopping are kernels.
 */

import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { productColumnSums } from '../../gpu/kernels/product-column-sums'
import { BEST_STEP_WORD, DIVERGENCES_WORD, TRAINING_STATE_BYTES } from '../../gpu/kernels/record-loss'
import { Recorder } from '../../gpu/recorder'
import { readFloats, readWords, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { operationsPerSubmit } from '../pace'
import type { LearningProblem } from './gradients'
import { type FlatQuantParameters, type LearnedState, readBest, uploadState } from './parameters'
import { recordStep, type Training } from './step'

export interface TrainingOptions {
  readonly steps: number
  /** Of the factors at the first step; a cosine takes it to a thousandth of that. */
  readonly learningRate: number
}

export interface TrainingResult {
  readonly best: FlatQuantParameters
  /** √L before step 0, 1, …, and after the last: steps + 1 numbers. */
  readonly losses: readonly number[]
  /** Index into losses of the state that was kept. */
  readonly bestStep: number
  /** How often the state was taken back to the best because the error had grown tenfold or was not finite. */
  readonly divergences: number
}

const FINAL_RATE = 1e-3
const MAX_STEPS_PER_SUBMIT = 10

/** Learning rate of `step` of `steps`: a cosine from `rate` to a thousandth of it, without restart. */
export function cosineRate(rate: number, step: number, steps: number): number {
  const low = FINAL_RATE * rate
  return low + ((rate - low) * (1 + Math.cos((Math.PI * step) / steps))) / 2
}

/** So many steps per submit that the queue stays short (docs/performance.md, runtime). */
function stepsPerSubmit(gpu: Gpu, { weight, calibration }: LearningProblem, { p1, p2 }: LearnedState): number {
  const products = 6 * calibration.rows * weight.rows * weight.cols
  const transforms = 12 * (calibration.rows + weight.rows) * weight.cols * (p1.size + p2.size)
  const budget = operationsPerSubmit(gpu)
  return Math.min(MAX_STEPS_PER_SUBMIT, Math.max(1, Math.floor(budget / (products + transforms))))
}

/**
 * Learns from `start` and returns the best state seen, which is the start itself when nothing improved on it.
 * Progress is reported per step with √L, some submits late; the signal is checked before every submit (AbortError).
 * Same seed and device, same bits. Source: FlatQuant, arXiv 2410.09426; AdamW, arXiv 1711.05101; deviations from
 * them in docs/methods.md.
 */
export async function trainFlatQuant(
  problem: LearningProblem,
  start: FlatQuantParameters,
  options: TrainingOptions,
  context: Context,
): Promise<TrainingResult> {
  const { gpu, signal } = context
  const { steps, learningRate } = options
  const arena = new Arena(gpu)
  let pending: Promise<unknown> = Promise.resolve()
  try {
    const training = createTraining(gpu, arena, { problem, start, steps })
    const referenceEnergy = await energyOf(gpu, problem)
    const losses: number[] = []
    const report = async (end: number) => {
      const energies = await readFloats(gpu, training.book.history, end)
      for (let step = losses.length; step < end; step++) {
        losses.push(Math.sqrt(energies[step] / referenceEnergy))
        context.onProgress({ stage: 'FlatQuant', done: step, total: steps, loss: losses[step] })
      }
    }
    const perSubmit = stepsPerSubmit(gpu, problem, training.state)
    for (let step = 0; step <= steps; ) {
      signal.throwIfAborted()
      const recorder = new Recorder(gpu)
      for (const end = Math.min(steps + 1, step + perSubmit); step < end; step++) {
        recordStep(recorder, training, {
          step,
          rate: step < steps ? cosineRate(learningRate, step, steps) : 'evaluate',
        })
      }
      recorder.submit()
      await pending // the submit before this one: at most two are in flight
      pending = report(step)
      pending.catch(() => {}) // seen by the next await; without this a throw in between would count as unhandled
    }
    await pending
    return { ...(await readOutcome(gpu, training)), losses }
  } finally {
    await pending.catch(() => {})
    arena.release()
  }
}

function createTraining(
  gpu: Gpu,
  arena: Arena,
  { problem, start, steps }: { problem: LearningProblem; start: FlatQuantParameters; steps: number },
): Training {
  const state = uploadState(gpu, arena, start)
  const factors = [state.p1, state.p2].flatMap(({ learned, carried }) => [...learned, ...carried])
  const counts = [state.theta, state.activationClip, state.weightClip, ...factors].map(
    (parameter) => parameter?.count ?? 0,
  )
  return {
    problem,
    state,
    book: {
      state: uploadWords(gpu, arena, new Uint32Array(TRAINING_STATE_BYTES / 4), 'training state'),
      history: uploadWords(gpu, arena, new Float32Array(steps + 1), 'loss history'),
    },
    noGradient: uploadWords(gpu, arena, new Float32Array(Math.max(...counts)), 'no gradient'),
  }
}

/** ‖Y‖², columns added in float64. */
async function energyOf(gpu: Gpu, { reference }: LearningProblem): Promise<number> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const sums = productColumnSums(recorder, arena, [{ left: reference, right: reference, sign: 1 }])
    recorder.submit()
    return (await readFloats(gpu, sums, reference.cols)).reduce((total, value) => total + value, 0)
  } finally {
    arena.release()
  }
}

async function readOutcome(gpu: Gpu, { state, book }: Training): Promise<Omit<TrainingResult, 'losses'>> {
  const [best, words] = await Promise.all([readBest(gpu, state), readWords(gpu, book.state, TRAINING_STATE_BYTES / 4)])
  return { best, bestStep: words[BEST_STEP_WORD], divergences: words[DIVERGENCES_WORD] }
}
