import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import { cayleyStep } from '../../src/gpu/kernels/cayley-step'
import { keepBest } from '../../src/gpu/kernels/keep-best'
import { recordLoss, TRAINING_STATE_BYTES } from '../../src/gpu/kernels/record-loss'
import { packRows, padRows } from '../../src/gpu/kernels/repack-rows'
import { readFloats, readMatrix, uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { multiply, type Table, transposed } from '../oracle/flatquant'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const golden = goldenTensors('transform/gradcheck.safetensors')
const N = 96

const square = (n: number, data: Float64Array): Table => ({ rows: n, cols: n, data })
const combined = (a: Table, b: Table, weightA: number, weightB: number): Table => ({
  ...a,
  data: a.data.map((value, i) => weightA * value + weightB * b.data[i]),
})
const newtonSchulz = (q: Table) => combined(q, multiply(q, multiply(transposed(q), q)), 1.5, -0.5)
const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0)
const orthogonalityError = (r: Table) => {
  const gram = multiply(transposed(r), r)
  return largest(gram.data.map((value, i) => value - Number(i % (r.cols + 1) === 0)))
}

/**
 * The published step in float64, as SpinQuant's optimiser writes it: M = Rᵀ, V = −gᵀ, B = V R, K = B − ½ M (R B),
 * Ω = K − Kᵀ, five times M⁺ ← M + ½ τ Ω (M + M⁺) from M + τ V. `g` is the gradient of log ‖E‖².
 */
function publishedStep(r: Table, g: Table, rate: number): { q: Table; tau: number } {
  const m = transposed(r)
  const v = { ...g, data: transposed(g).data.map((value) => -value) }
  const b = multiply(v, r)
  const k = combined(b, multiply(m, multiply(r, b)), 1, -0.5)
  const omega = combined(k, transposed(k), 1, -1)
  const norm = Math.max(...Array.from({ length: r.cols }, (_, col) => columnSum(omega, col)))
  const tau = Math.min(1 / (norm + 1e-8), rate)
  let next = combined(m, v, 1, tau)
  for (let i = 0; i < 5; i++) next = combined(m, multiply(omega, combined(m, next, 1, 1)), 1, tau / 2)
  return { q: transposed(next), tau }
}

function columnSum({ rows, cols, data }: Table, col: number): number {
  let sum = 0
  for (let row = 0; row < rows; row++) sum += Math.abs(data[row * cols + col])
  return sum
}

const upload = ({ rows, cols, data }: Table, label: string) =>
  uploadMatrix(t.gpu, t.arena, { rows, cols, data: Float32Array.from(data) }, label)

/** The books after evaluations with these energies. */
function books(energies: readonly number[], maxDivergences = 3): GPUBuffer {
  const { gpu, arena, recorder } = t
  const state = uploadWords(gpu, arena, new Uint32Array(TRAINING_STATE_BYTES / 4), 'state')
  const history = uploadWords(gpu, arena, new Float32Array(energies.length), 'history')
  for (const [step, energy] of energies.entries()) {
    const sums = uploadWords(
      gpu,
      arena,
      Float32Array.from({ length: 64 }, (_, i) => (i === 0 ? energy : 0)),
      'sums',
    )
    recordLoss(recorder, sums, { state, history }, { step, maxDivergences })
  }
  return state
}

async function stepped(r: Table, g: Table, { state, rate }: { state: GPUBuffer; rate: number }): Promise<Table> {
  const value = upload(r, 'R')
  cayleyStep(t.recorder, value, upload(g, 'G'), { state, rate })
  t.recorder.submit()
  return square(r.cols, Float64Array.from((await readMatrix(t.gpu, value)).data))
}

/** Eight f32 products of entries below 1: eight times the bound of one, (n + 2) · 2^-23 · Σ|a||b| with Σ|a||b| ≤ 1. */
const tolerance = (n: number) => 8 * (n + 2) * 2 ** -23

test('a step equals the recorded one of the official optimiser, brought back to orthogonal', async () => {
  const recorded = square(N, golden('rot.step1_R'))
  // 2 G / ‖E‖² is the recorded direction, grad_pass / loss.
  const energy = 2 * golden('rot.loss')[0]
  const found = await stepped(square(N, golden('rot.R')), square(N, golden('rot.grad_pass')), {
    state: books([energy]),
    rate: 1.5,
  })
  const expected = newtonSchulz(recorded)
  const distance = largest(combined(found, expected, 1, -1).data)
  expect(distance).toBeLessThan(tolerance(N) / 8)
  expect(orthogonalityError(recorded)).toBeGreaterThan(1e-4)
  expect(orthogonalityError(found)).toBeLessThan(5e-6)
  // The step is far longer than what is tolerated.
  expect(largest(combined(found, square(N, golden('rot.R')), 1, -1).data)).toBeGreaterThan(0.02)
})

function randomProblem(n: number, seed: number): { r: Table; g: Table } {
  const random = createRandom(seed)
  const normal = (gain: number) => Float64Array.from({ length: n * n }, () => gain * random.normal())
  let r = square(n, normal(0.5 / Math.sqrt(n)))
  for (let i = 0; i < 40; i++) r = newtonSchulz(r)
  return { r, g: square(n, normal(1)) }
}

test.each([
  ['7 columns, rate 1.5: the norm of Ω decides', 7, 1.5, (tau: number) => tau < 1.5],
  ['70 columns, rate 0.001: the rate decides', 70, 1e-3, (tau: number) => tau === 1e-3],
])('%s', async (_, n, rate, decides) => {
  const { r, g } = randomProblem(n, n)
  const energy = 3
  const { q, tau } = publishedStep(r, { ...g, data: g.data.map((value) => (2 / energy) * value) }, rate)
  expect(decides(tau)).toBe(true)
  const found = await stepped(r, g, { state: books([energy]), rate })
  expect(largest(combined(found, newtonSchulz(q), 1, -1).data)).toBeLessThan(tolerance(n))
})

test('the rate is halved after a divergence, and the step that diverged is not taken', async () => {
  const { r, g } = randomProblem(20, 1)
  const scaled = { ...g, data: g.data.map((value) => (2 / 5) * value) }
  const diverged = await stepped(r, g, { state: books([5, 51]), rate: 1e-3 })
  expect(largest(combined(diverged, r, 1, -1).data)).toBeLessThan(2 ** -24)
  const after = await stepped(r, g, { state: books([5, 51, 5]), rate: 1e-3 })
  const expected = newtonSchulz(publishedStep(r, scaled, 5e-4).q)
  expect(largest(combined(after, expected, 1, -1).data)).toBeLessThan(1e-6)
  expect(largest(combined(after, r, 1, -1).data)).toBeGreaterThan(1e-4)
})

test('no step once training has stopped, and none that is not finite', async () => {
  const { r, g } = randomProblem(20, 2)
  const stopped = await stepped(r, g, { state: books([5, 51, 5], 1), rate: 1 })
  expect(largest(combined(stopped, r, 1, -1).data)).toBeLessThan(2 ** -24)
  const broken = { ...g, data: g.data.map(() => Number.NaN) }
  const kept = await stepped(r, broken, { state: books([5, Number.NaN]), rate: 1 })
  expect(largest(combined(kept, r, 1, -1).data)).toBeLessThan(2 ** -24)
})

test('an exact product, energy 0, leaves the rotation where it is', async () => {
  const { r, g } = randomProblem(20, 3)
  const found = await stepped(r, { ...g, data: g.data.map(() => 0) }, { state: books([0]), rate: 1 })
  expect(largest(combined(found, r, 1, -1).data)).toBeLessThan(tolerance(20))
})

test('the best state is kept after an improvement and brought back after a divergence', async () => {
  const { gpu, recorder } = t
  const course = [5, 4, 4.5, Number.NaN, 3]
  const values = course.map((_, i) =>
    square(
      5,
      Float64Array.from({ length: 25 }, (__, k) => 100 * i + k),
    ),
  )
  const seen: (readonly [number, number])[] = []
  const best = upload(square(5, new Float64Array(25)), 'best')
  for (let i = 0; i < course.length; i++) {
    const value = upload(values[i], 'value')
    keepBest(recorder, { value, best }, books(course.slice(0, i + 1)))
    recorder.submit()
    const read = await Promise.all([value, best].map((matrix) => readMatrix(gpu, matrix)))
    for (const { data } of read) expect(data.map((entry) => entry - data[0])).toEqual(Float32Array.from(values[0].data))
    seen.push([read[0].data[0], read[1].data[0]])
  }
  expect(seen).toEqual([
    [0, 0],
    [100, 100],
    [200, 100],
    [100, 100],
    [400, 400],
  ])
})

test('packed rows and padded rows hold the same elements, the padding is zero', async () => {
  const { gpu, arena, recorder } = t
  const data = Float32Array.from({ length: 35 }, (_, i) => i + 1)
  const matrix = uploadMatrix(gpu, arena, { rows: 5, cols: 7, data }, 'm')
  const packed = packRows(recorder, arena, matrix)
  const padded = padRows(recorder, arena, packed, { rows: 5, cols: 7 })
  recorder.submit()
  expect(await readFloats(gpu, packed, 35)).toEqual(data)
  const rows = await readFloats(gpu, padded.buffer, 5 * padded.stride)
  expect(rows.filter((value) => value !== 0)).toEqual(data)
  expect(rows.subarray(7, padded.stride)).toEqual(new Float32Array(padded.stride - 7))
})
