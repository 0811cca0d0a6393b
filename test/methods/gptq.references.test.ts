// GPTQ in its forms on the golden layers, against the recorded errors of the published code and of a float64 reference.
// Prints one line per case: error on calibration and held-out rows, found / recorded, and their ratios.
import { afterAll, describe, expect, test } from 'vitest'
import { parseSetting, quantizersOf } from '../../src/experiment/settings'
import type { Quantizer } from '../../src/formats/number-format'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { Arena } from '../../src/gpu/arena'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { hadamard } from '../../src/gpu/kernels/hadamard'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gatherHessian } from '../../src/methods/gptq/hessian'
import type { ScaleSource } from '../../src/methods/gptq/options'
import type { ColumnOrder } from '../../src/methods/gptq/order'
import { quantizeWithGptq } from '../../src/methods/gptq/quantize-weight'
import { fitContext } from '../support/fit'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

interface Recorded {
  readonly method: string
  readonly impl: string
  readonly setting: string
  readonly prescale: string
  readonly err_calib: number
  readonly err_eval: number
}
const recorded: Record<string, { results: readonly Recorded[] }> = JSON.parse(
  goldenText('reference-errors-compensation.json'),
).layers

/** A form of GPTQ and what it is held against; `rotated`: after a Hadamard rotation of every 32 channels. */
interface Form {
  readonly method: string
  readonly impl: 'published' | 'own'
  readonly order: ColumnOrder
  readonly scales: ScaleSource
  readonly rotated: boolean
  /** Largest and smallest ratio of the error to the recorded one. */
  readonly bar: number
  readonly floor: number
}

/** The same recursion: codes differ where f32 and float64 part ways, activations by their rule for ties. */
const SAME = { bar: 1.005, floor: 0.995 }
/** The published loop of natural order takes the scales of three blocks out of four from stale weights. */
const STALE = { bar: 1.05, floor: 0.95 }

const FORMS: readonly Form[] = [
  { method: 'gptq', impl: 'published', order: 'natural', scales: 'fresh', rotated: false, ...STALE },
  { method: 'gptq-fresh', impl: 'own', order: 'natural', scales: 'fresh', rotated: false, ...SAME },
  { method: 'gptq-static', impl: 'published', order: 'natural', scales: 'static', rotated: false, ...SAME },
  { method: 'gptq-actorder', impl: 'published', order: 'act-order', scales: 'static', rotated: false, ...SAME },
  { method: 'gptq-actorder-mse', impl: 'own', order: 'act-order', scales: 'searched', rotated: false, ...SAME },
  { method: 'gptq-gar-fresh', impl: 'own', order: 'group-order', scales: 'fresh', rotated: false, ...SAME },
  {
    method: 'fpquant-gptq-mse-act',
    impl: 'published',
    order: 'act-order',
    scales: 'observer',
    rotated: false,
    ...SAME,
  },
  { method: 'mr-gptq-32-plain', impl: 'published', order: 'natural', scales: 'static', rotated: true, ...SAME },
  { method: 'mr-gptq-32', impl: 'published', order: 'act-order', scales: 'observer', rotated: true, ...SAME },
  { method: 'mr-gptq-32', impl: 'own', order: 'act-order', scales: 'searched', rotated: true, ...SAME },
]

const SETTINGS: readonly [setting: string, prescale: string][] = [
  ...['W4A16', 'W4A8', 'W4A4'].flatMap((setting) => ['none', '3/4'].map((scale): [string, string] => [setting, scale])),
  ['W8A8', 'none'],
]

const lines: string[] = []
afterAll(() => console.log(lines.join('\n')))

interface GoldenLayer {
  readonly weight: GpuMatrix
  readonly calibration: GpuMatrix
  readonly evaluation: GpuMatrix
}

function readLayer(name: string, rotated: boolean): GoldenLayer {
  const golden = readGolden(`layers/layer-${name}.safetensors`)
  const upload = (tensorName: string) => {
    const tensor = golden.get(tensorName)
    if (!tensor) throw new Error(`layer ${name}: no ${tensorName}`)
    const [rows, cols] = tensor.shape
    const matrix = uploadMatrix(t.gpu, t.arena, { rows, cols, data: tensor.floats() }, tensorName)
    return rotated ? rotateBlocks(matrix) : matrix
  }
  return { weight: upload('layer.weight'), calibration: upload('calib.input'), evaluation: upload('eval.input') }
}

/** Every 32 channels by themselves: rows of 32. */
function rotateBlocks(matrix: GpuMatrix): GpuMatrix {
  const plan = { n: 32, order: 1, log2: 5, kind: 'sylvester', base: null, signs: null } as const
  const blocks = { ...matrix, rows: (matrix.rows * matrix.cols) / 32, cols: 32, stride: 32 }
  const { buffer } = hadamard(t.recorder, t.arena, blocks, plan)
  t.recorder.submit()
  return { ...matrix, buffer }
}

interface Rows {
  readonly activations: GpuMatrix
  readonly reference: GpuMatrix
}

function rowsOf(weight: GpuMatrix, activations: GpuMatrix): Rows {
  const reference = matmulNt(t.recorder, t.arena, activations, weight)
  t.recorder.submit()
  return { activations, reference }
}

async function outputError(rounded: GpuMatrix, { activations, reference }: Rows, quantizer: Quantizer | null) {
  const arena = new Arena(t.gpu)
  try {
    const recorder = new Recorder(t.gpu)
    const x = quantizer ? fakeQuantize(recorder, arena, activations, quantizer) : activations
    const sums = outputErrorSums(recorder, arena, reference, matmulNt(recorder, arena, x, rounded))
    recorder.submit()
    const { errorEnergy, referenceEnergy } = await readOutputErrors(t.gpu, sums)
    return Math.sqrt(errorEnergy / referenceEnergy)
  } finally {
    arena.release()
  }
}

describe.each(['a', 'b'])('layer %s', (name) => {
  test.each(FORMS)('$method ($impl): $order, $scales', async (form) => {
    const layer = readLayer(name, form.rotated)
    const [calibration, evaluation] = [layer.calibration, layer.evaluation].map((rows) => rowsOf(layer.weight, rows))
    const hessian = await gatherHessian(layer.calibration, fitContext(t.gpu, t.arena))
    const misses: string[] = []
    const weights = new Map<string, GpuMatrix>()
    for (const [setting, prescale] of SETTINGS) {
      const expected = recorded[name].results.find(
        (each) =>
          each.method === form.method &&
          each.impl === form.impl &&
          each.setting === setting &&
          each.prescale === prescale,
      )
      if (!expected) continue
      const { weight: quantizer, activation } = quantizersOf(parseSetting(setting), {
        ...STANDARD_MX,
        rounding: form.scales === 'observer' ? 'half-even' : 'half-away',
        preScale: prescale === 'none' ? null : { factor: 0.75, variant: 'exact' },
      })
      if (!quantizer) throw new Error(`${setting}: no weight format`)
      const key = `${quantizer.format.id} ${prescale}`
      const request = { quantizer, scales: form.scales, order: form.order, damping: 0.01 }
      const known = weights.get(key)
      const rounded =
        known ?? (await quantizeWithGptq(layer.weight, async () => hessian, request, fitContext(t.gpu, t.arena))).weight
      weights.set(key, rounded)
      const found = [
        await outputError(rounded, calibration, activation),
        await outputError(rounded, evaluation, activation),
      ]
      const wanted = [expected.err_calib, expected.err_eval]
      const ratios = found.map((error, i) => error / wanted[i])
      const text = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(' / ')
      const line = `| ${name} | ${form.method} ${form.impl} | ${form.order}, ${form.scales} | ${setting} ${prescale} | ${text(found)} | ${text(wanted)} | ${text(ratios)} |`
      lines.push(line)
      if (!ratios.every((ratio) => ratio <= form.bar && ratio >= form.floor)) misses.push(line)
    }
    expect(misses).toEqual([])
    expect(weights.size).toBeGreaterThan(1)
  })
})
