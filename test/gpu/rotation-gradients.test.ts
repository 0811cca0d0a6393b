import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { QuantConfig } from '../../src/formats/number-format'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { readFloats, readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { denseForm, kroneckerForm, type RotationForm } from '../../src/methods/spinquant/form'
import { rotationPass } from '../../src/methods/spinquant/learner'
import { multiply, type Table, transposed } from '../oracle/flatquant'
import { recordedProblem, recordedQuantizer, relativeError } from '../support/flatquant'
import { goldenTensors } from '../support/golden-tensors'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()
const golden = goldenTensors('transform/gradcheck.safetensors')
/** f32 sums of at most 96 · 24 terms that partly cancel, as in flatquant-gradients.test.ts. */
const GRADIENT_TOLERANCE = 1e-3

const upload = ({ rows, cols, data }: Table, label: string) =>
  uploadMatrix(t.gpu, t.arena, { rows, cols, data: Float32Array.from(data) }, label)

interface Layer {
  readonly x: Table
  readonly w: Table
  readonly y: Table
}

/** ‖E‖² and the gradients of ½‖E‖² from the GPU. */
async function gpuPass({ x, w, y }: Layer, config: QuantConfig, form: RotationForm, matrices: readonly Table[]) {
  const { gpu, arena, recorder } = t
  const problem = { calibration: upload(x, 'x'), weight: upload(w, 'w'), reference: upload(y, 'y'), config }
  const uploaded: readonly GpuMatrix[] = matrices.map((matrix) => upload(matrix, 'R'))
  const pass = rotationPass(recorder, arena, problem, { form, matrices: uploaded })
  const found = pass.gradients(recorder, arena)
  recorder.submit()
  const sums = await readFloats(gpu, pass.energySums, 64)
  const gradients = await Promise.all(found.map((gradient) => readMatrix(gpu, gradient)))
  return { energy: sums.reduce((total, value) => total + value, 0), gradients }
}

test('loss and gradient of R equal the recorded ones, with saturated elements left out', async () => {
  const { problem } = recordedProblem()
  const config = { weight: recordedQuantizer, activation: recordedQuantizer }
  const r = { rows: 96, cols: 96, data: golden('rot.R') }
  const { energy, gradients } = await gpuPass(problem, config, denseForm(96), [r])
  const reference = problem.y.data.reduce((sum, value) => sum + value * value, 0)
  expect(energy / reference / golden('rot.loss')[0]).toBeCloseTo(1, 5)
  const found = gradients[0].data.map((value) => (2 * value) / reference)
  expect(relativeError(found, golden('rot.grad_sat'))).toBeLessThan(GRADIENT_TOLERANCE)
  expect(relativeError(found, golden('rot.grad_pass'))).toBeGreaterThan(0.1)
})

function kroneckerProduct(a: Table, b: Table): Table {
  const n = a.cols * b.cols
  const data = Float64Array.from({ length: n * n }, (_, i) => {
    const [row, col] = [Math.floor(i / n), i % n]
    const left = a.data[Math.floor(row / b.rows) * a.cols + Math.floor(col / b.cols)]
    return left * b.data[(row % b.rows) * b.cols + (col % b.cols)]
  })
  return { rows: n, cols: n, data }
}

/** ½‖X R (W R)ᵀ − Y‖² in float64; R = ⊗ of `matrices`. */
function objective({ x, w, y }: Layer, matrices: readonly Table[]): number {
  const r = matrices.length === 1 ? matrices[0] : kroneckerProduct(matrices[0], matrices[1])
  const estimate = multiply(multiply(x, r), transposed(multiply(w, r)))
  return estimate.data.reduce((sum, value, i) => sum + (value - y.data[i]) ** 2, 0) / 2
}

const STEP = 1e-4
/** So many entries of a gradient are compared at most. */
const ENTRIES = 50

/** Central differences: of third order in the step, 1e-8 relative here. */
function difference(layer: Layer, matrices: readonly Table[], [index, entry]: readonly [number, number]): number {
  const moved = (by: number) =>
    matrices.map((matrix, i) =>
      i === index ? { ...matrix, data: matrix.data.map((value, k) => (k === entry ? value + by : value)) } : matrix,
    )
  return (objective(layer, moved(STEP)) - objective(layer, moved(-STEP))) / (2 * STEP)
}

test.each([
  ['dense, 35 channels', denseForm(35)],
  ['Kronecker, 5 x 7', kroneckerForm({ a: 5, b: 7 })],
  ['Kronecker, 4 x 36', kroneckerForm({ a: 4, b: 36 })],
])('%s: gradients through both operands equal finite differences', async (_, form) => {
  const random = createRandom(5)
  const table = (rows: number, cols: number, gain: number): Table => ({
    rows,
    cols,
    data: Float64Array.from({ length: rows * cols }, () => Math.fround(gain * random.normal())),
  })
  const n = form.sizes.reduce((product, size) => product * size, 1)
  const layer = { x: table(11, n, 1), w: table(6, n, 1), y: table(11, 6, 1) }
  // Any matrix will do: nothing in the gradient is special to orthogonal ones.
  const matrices = form.sizes.map((size) => table(size, size, 1 / Math.sqrt(size)))
  const { energy, gradients } = await gpuPass(layer, { weight: null, activation: null }, form, matrices)
  expect(energy / 2 / objective(layer, matrices)).toBeCloseTo(1, 5)
  for (const [index, size] of form.sizes.entries()) {
    const stride = Math.ceil((size * size) / ENTRIES)
    const entries = Array.from({ length: Math.ceil((size * size) / stride) }, (__, k) => k * stride)
    const expected = entries.map((entry) => difference(layer, matrices, [index, entry]))
    const found = entries.map((entry) => gradients[index].data[entry])
    expect(relativeError(found, expected)).toBeLessThan(GRADIENT_TOLERANCE)
  }
})
