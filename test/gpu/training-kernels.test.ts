import { expect, test } from 'vitest'
import { BEST_STEP_WORD, recordLoss, TRAINING_STATE_BYTES } from '../../src/gpu/kernels/record-loss'
import { updateParameters } from '../../src/gpu/kernels/update-parameters'
import { readFloats, readWords, uploadWords } from '../../src/gpu/transfer'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const RATE = 0.1
const DECAY = 0.01
const start = [0.5, -2, 3]
const gradient = [0.3, -0.7, 1e-3]

/** AdamW of arXiv 1711.05101 in float64, on gradients of log energy; moments restart after a restore. */
function adamw() {
  const value = [...start]
  const [m, v] = [start.map(() => 0), start.map(() => 0)]
  let taken = 0
  return {
    value,
    restart: () => {
      m.fill(0)
      v.fill(0)
      taken = 0
    },
    step: (energy: number, rate: number) => {
      taken++
      value.forEach((old, i) => {
        const g = (2 * gradient[i]) / energy
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        const direction = m[i] / (1 - 0.9 ** taken) / (Math.sqrt(v[i] / (1 - 0.999 ** taken)) + 1e-8)
        value[i] = old * (1 - rate * DECAY) - rate * direction
      })
    },
  }
}

/** Plays a course of energies and returns the parameter after each, with the state at the end. */
async function play(energies: readonly number[], maxDivergences = 3) {
  const { gpu, arena, recorder } = t
  const upload = (values: readonly number[], label: string) => uploadWords(gpu, arena, Float32Array.from(values), label)
  const parameter = {
    count: start.length,
    value: upload(start, 'value'),
    best: upload(start, 'best'),
    moments: upload([0, 0, 0, 0, 0, 0], 'moments'),
  }
  const book = {
    state: uploadWords(gpu, arena, new Uint32Array(TRAINING_STATE_BYTES / 4), 'state'),
    history: uploadWords(gpu, arena, new Float32Array(energies.length), 'history'),
  }
  const values: number[][] = []
  for (const [step, energy] of energies.entries()) {
    const sums = upload([energy, ...new Array(63).fill(0)], 'sums')
    recordLoss(recorder, sums, book, { step, maxDivergences })
    updateParameters(recorder, parameter, upload(gradient, 'gradient'), { state: book.state, rate: RATE, decay: DECAY })
    recorder.submit()
    values.push([...(await readFloats(gpu, parameter.value, start.length))])
  }
  const best = [...(await readFloats(gpu, parameter.best, start.length))]
  return { values, best, bestStep: (await readWords(gpu, book.state, TRAINING_STATE_BYTES / 4))[BEST_STEP_WORD] }
}

function expectClose(found: readonly number[], expected: readonly number[]) {
  // A dozen f32 operations per step, 1 − β2^t to one ULP; a handful of steps.
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i] - value)).toBeLessThan(1e-5 * Math.abs(value))
}

test('steps follow AdamW on the gradient of the log energy, and the lowest energy is kept', async () => {
  const energies = [4, 2, 3, 5]
  const { values, best, bestStep } = await play(energies)
  const expected = adamw()
  for (const [step, energy] of energies.entries()) {
    expected.step(energy, RATE)
    expectClose(values[step], expected.value)
  }
  expect(bestStep).toBe(1)
  expect(best).toEqual(values[0]) // the state energy 2 was measured at, before its own update
})

test.each([
  ['above ten times the start', 41],
  ['infinite', Number.POSITIVE_INFINITY],
  ['not a number', Number.NaN],
])('an energy %s restores the best state, restarts the moments and halves the rate', async (_, bad) => {
  const { values } = await play([4, 2, 3, bad, 3])
  expect(values[3]).toEqual(values[0])
  const expected = adamw()
  expected.step(4, RATE)
  expected.restart()
  expected.step(3, RATE / 2)
  expectClose(values[4], expected.value)
})

test('after the last divergence allowed the state stays at the best', async () => {
  const { values } = await play([4, 2, 100, 100, 2], 2)
  expect(values[2]).toEqual(values[0])
  expect(values[4]).toEqual(values[0])
})

test('energy zero, a perfect state, takes no step', async () => {
  const { values } = await play([4, 0, 0])
  expect(values[1]).toEqual(values[0])
  expect(values[2]).toEqual(values[0])
})
