import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { Arena } from '../../src/gpu/arena'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { matmulTn } from '../../src/gpu/kernels/matmul-tn'
import { residualEnergy } from '../../src/gpu/kernels/residual-energy'
import { type LearnedBuffer, updateParameters } from '../../src/gpu/kernels/update-parameters'
import { readFloats, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import type { Context } from '../../src/methods/method'
import { trainingCurve, trainingNotes } from '../../src/methods/training/describe-training'
import type { Learner, LearningProblem } from '../../src/methods/training/learner'
import { MAX_DIVERGENCES, train } from '../../src/methods/training/train'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const TOKENS = 40
const OUT = 8
const IN = 32
const RATE = 0.05
/** Sends every value beyond the range of f32. */
const ABSURD = 1e39

const noise = (seed: number, count: number) => {
  const random = createRandom(seed)
  return Float32Array.from({ length: count }, () => random.normal())
}

/** Y = X Wᵀ with nothing quantized: W can be learned exactly. */
function problem(): LearningProblem {
  const upload = (rows: number, cols: number, data: Float32Array) =>
    uploadMatrix(t.gpu, t.arena, { rows, cols, data }, '')
  const [x, w] = [noise(1, TOKENS * IN), noise(2, OUT * IN)]
  const product = Float32Array.from({ length: TOKENS * OUT }, (_, i) => {
    const [row, col] = [Math.floor(i / OUT), i % OUT]
    let sum = 0
    for (let k = 0; k < IN; k++) sum += x[row * IN + k] * w[col * IN + k]
    return sum
  })
  return {
    calibration: upload(TOKENS, IN, x),
    weight: upload(OUT, IN, w),
    reference: upload(TOKENS, OUT, product),
    config: { weight: null, activation: null },
  }
}

/** Learns the weight itself, from zeros. */
function weightLearner({ calibration, reference }: LearningProblem, arena: Arena): Learner<Float32Array> {
  const zeros = (count: number) => uploadWords(t.gpu, arena, new Float32Array(count), 'zeros')
  const count = OUT * IN
  const value: LearnedBuffer = { count, value: zeros(count), best: zeros(count), moments: zeros(2 * count) }
  const none = zeros(count)
  return {
    stage: 'weights',
    operationsPerStep: 4 * TOKENS * OUT * IN,
    forward: (recorder, inner) => {
      const weight = { rows: OUT, cols: IN, stride: IN, buffer: value.value }
      const estimate = matmulNt(recorder, inner, calibration, weight)
      const { residual, energySums } = residualEnergy(recorder, inner, estimate, reference)
      return {
        energySums,
        update: (state, rate) => {
          const learning = rate !== 'evaluate'
          const gradient = learning ? matmulTn(recorder, inner, residual, calibration).buffer : none
          updateParameters(recorder, value, gradient, { state, rate: learning ? rate : 0, decay: 0 })
        },
      }
    },
    readBest: () => readFloats(t.gpu, value.best, count),
  }
}

async function run(steps: number, rateAt: (step: number) => number = () => RATE, given: Partial<Context> = {}) {
  const layer = problem()
  const context = fitContext(t.gpu, t.arena, given)
  return await train(layer, (arena) => weightLearner(layer, arena), { steps, rateAt }, context)
}

/** ‖X (B − W)ᵀ‖ / ‖X Wᵀ‖ in float64. */
function errorOf(best: Float32Array): number {
  const [x, w] = [noise(1, TOKENS * IN), noise(2, OUT * IN)]
  let [difference, size] = [0, 0]
  for (let row = 0; row < TOKENS; row++) {
    for (let col = 0; col < OUT; col++) {
      let [d, y] = [0, 0]
      for (let k = 0; k < IN; k++) {
        d += x[row * IN + k] * (best[col * IN + k] - w[col * IN + k])
        y += x[row * IN + k] * w[col * IN + k]
      }
      difference += d * d
      size += y * y
    }
  }
  return Math.sqrt(difference / size)
}

test('the loss falls from that of the start, and the state returned is the best of the curve', async () => {
  const seen: { stage: string; done: number; total: number; loss: number | undefined }[] = []
  const { best, losses, bestStep, divergences } = await run(40, undefined, {
    onProgress: ({ stage, done, total, loss }) => seen.push({ stage, done, total, loss }),
  })
  expect(losses).toHaveLength(41)
  expect(losses[0]).toBeCloseTo(1, 5)
  expect(losses[40]).toBeLessThan(0.2)
  expect(losses[bestStep]).toBe(Math.min(...losses))
  expect(errorOf(best) / losses[bestStep]).toBeCloseTo(1, 4)
  expect(divergences).toBe(0)
  expect(seen).toEqual(losses.map((loss, done) => ({ stage: 'weights', done, total: 40, loss })))
})

test('the rate of every step is the one of the schedule', async () => {
  const asked: number[] = []
  await run(12, (step) => {
    asked.push(step)
    return RATE
  })
  expect(asked).toEqual(Array.from({ length: 12 }, (_, step) => step))
  const { losses } = await run(6, (step) => (step < 3 ? RATE : 0))
  expect(losses[2]).toBeLessThan(losses[1])
  expect(losses.slice(4)).toEqual([losses[3], losses[3], losses[3]])
})

test('the same start gives the same bits', async () => {
  const [first, again] = [await run(15), await run(15)]
  expect(again.losses).toEqual(first.losses)
  expect(again.best).toEqual(first.best)
})

test('an error that is not finite in the middle goes back to the best state, goes on from it, and is said', async () => {
  const found = await run(30, (step) => (step === 10 ? ABSURD : RATE))
  const { losses, bestStep, best, divergences } = found
  expect(Number.isFinite(losses[11])).toBe(false)
  expect(losses[12]).toBe(losses[10])
  expect(bestStep).toBeGreaterThan(12)
  expect(losses[bestStep]).toBeLessThan(losses[10])
  expect(errorOf(best) / losses[bestStep]).toBeCloseTo(1, 4)
  expect(divergences).toBe(1)
  expect(trainingNotes(found, 'the paper does otherwise')).toEqual([
    "Learned on this layer's own output error, the very number that is compared here, which favours it; the paper does otherwise.",
    `30 steps over all calibration rows; kept the state after ${bestStep}, the best of them.`,
    'The error grew tenfold or was not finite once; training went back to its best state at half the rate.',
  ])
  expect(trainingCurve(found)).toEqual({ steps: losses.map((_, step) => step), losses, bestStep })
})

test('a rate that always blows up stops at the start after the last restart', async () => {
  const found = await run(20, () => ABSURD)
  expect(found.divergences).toBe(MAX_DIVERGENCES)
  expect(found.bestStep).toBe(0)
  expect(found.best).toEqual(new Float32Array(OUT * IN))
  expect(trainingNotes(found, 'x').join(' ')).toMatch(
    /No step improved on the start\. .* 3 times; .*, and then stopped\.$/,
  )
})

test('no steps: the start is measured and returned', async () => {
  const { losses, bestStep } = await run(0)
  expect(losses).toHaveLength(1)
  expect(bestStep).toBe(0)
})

test('cancelling ends the training with an AbortError; nothing of it stays allocated', async () => {
  const controller = new AbortController()
  const onProgress: Context['onProgress'] = ({ done }) => {
    if (done >= 5) controller.abort()
  }
  await expect(run(1000, undefined, { signal: controller.signal, onProgress })).rejects.toThrow(/abort/i)
})

test('where nothing is quantized the notes say that nothing was learned', () => {
  expect(trainingNotes(null, 'x')).toEqual(['Nothing is quantized, so nothing was learned.'])
  expect(trainingCurve(null)).toBeNull()
})
