/**
 * The training loop of every learned method: steps on one layer's output error, all of it on the GPU. The host records
 * steps, reads the loss history one submit late, and decides nothing: best state, restarts and stopping are kernels.
 */
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { productColumnSums } from '../../gpu/kernels/product-column-sums'
import {
  BEST_STEP_WORD,
  DIVERGENCES_WORD,
  type LossBook,
  recordLoss,
  TRAINING_STATE_BYTES,
} from '../../gpu/kernels/record-loss'
import { Recorder } from '../../gpu/recorder'
import { readFloats, readWords, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { operationsPerSubmit } from '../pace'
import type { Learner, LearningProblem } from './learner'

export interface Schedule {
  readonly steps: number
  /** Learning rate of step 0 … steps − 1. */
  readonly rateAt: (step: number) => number
}

export interface Trained<Best> {
  readonly best: Best
  /** √L before step 0, 1, …, and after the last: steps + 1 numbers. */
  readonly losses: readonly number[]
  /** Index into losses of the state that was kept. */
  readonly bestStep: number
  /** How often the state was taken back to the best because the error had grown tenfold or was not finite. */
  readonly divergences: number
}

/** Restarts from the best state before training stops for good. */
export const MAX_DIVERGENCES = 3
const MAX_STEPS_PER_SUBMIT = 10
const FINAL_RATE = 1e-3

/** Learning rate of `step` of `steps`: a cosine from `rate` to a thousandth of it, without restart. */
export function cosineRate(rate: number, step: number, steps: number): number {
  const low = FINAL_RATE * rate
  return low + ((rate - low) * (1 + Math.cos((Math.PI * step) / steps))) / 2
}

/**
 * Lets the learner that `createLearner` makes in an arena of the training take its steps, and returns the best state
 * seen, which is its start when nothing improved on it. Progress is reported per step with √L, some submits late; the
 * signal is checked before every submit (AbortError). Same seed and device, same bits.
 */
export async function train<Best>(
  problem: LearningProblem,
  createLearner: (arena: Arena) => Learner<Best>,
  schedule: Schedule,
  context: Context,
): Promise<Trained<Best>> {
  const { gpu, signal } = context
  const { steps } = schedule
  const arena = new Arena(gpu)
  let pending: Promise<unknown> = Promise.resolve()
  try {
    const learner = createLearner(arena)
    const book = createBook(gpu, arena, steps)
    const referenceEnergy = await energyOf(gpu, problem)
    const losses: number[] = []
    const report = async (end: number) => {
      const energies = await readFloats(gpu, book.history, end)
      for (let step = losses.length; step < end; step++) {
        losses.push(Math.sqrt(energies[step] / referenceEnergy))
        context.onProgress({ stage: learner.stage, done: step, total: steps, loss: losses[step] })
      }
    }
    const perSubmit = stepsPerSubmit(gpu, learner.operationsPerStep)
    for (let step = 0; step <= steps; ) {
      signal.throwIfAborted()
      const recorder = new Recorder(gpu)
      for (const end = Math.min(steps + 1, step + perSubmit); step < end; step++) {
        recordStep(recorder, { learner, book }, { step, rate: step < steps ? schedule.rateAt(step) : 'evaluate' })
      }
      recorder.submit()
      await pending // the submit before this one: at most two are in flight
      pending = report(step)
      pending.catch(() => {}) // seen by the next await; without this a throw in between would count as unhandled
    }
    await pending
    const [best, words] = await Promise.all([learner.readBest(), readWords(gpu, book.state, TRAINING_STATE_BYTES / 4)])
    return { best, losses, bestStep: words[BEST_STEP_WORD], divergences: words[DIVERGENCES_WORD] }
  } finally {
    await pending.catch(() => {})
    arena.release()
  }
}

/**
 * Records one step. Its temporaries go back to the pool before the caller submits, which the queue's order allows as
 * long as the learner uploads nothing; the step after reuses them.
 */
export function recordStep<Best>(
  recorder: Recorder,
  { learner, book }: { learner: Learner<Best>; book: LossBook },
  { step, rate }: { step: number; rate: number | 'evaluate' },
): void {
  const arena = new Arena(recorder.gpu)
  const evaluation = learner.forward(recorder, arena)
  recordLoss(recorder, evaluation.energySums, book, { step, maxDivergences: MAX_DIVERGENCES })
  evaluation.update(book.state, rate)
  arena.release()
}

/** So many steps per submit that the queue stays short (docs/performance.md, runtime). */
function stepsPerSubmit(gpu: Gpu, operationsPerStep: number): number {
  return Math.min(MAX_STEPS_PER_SUBMIT, Math.max(1, Math.floor(operationsPerSubmit(gpu) / operationsPerStep)))
}

/** Empty books for `steps` steps. */
export function createBook(gpu: Gpu, arena: Arena, steps: number): LossBook {
  return {
    state: uploadWords(gpu, arena, new Uint32Array(TRAINING_STATE_BYTES / 4), 'training state'),
    history: uploadWords(gpu, arena, new Float32Array(steps + 1), 'loss history'),
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
