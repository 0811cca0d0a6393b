// Low-rank correction on the golden layers against the recorded errors of the published code (LQER, QERA) and of a float64
// model (SVDQuant's order). `npm run references` runs it; LOW_RANK_ONLY restricts it to cases that start with it.
import { afterAll, expect, test } from 'vitest'
import { completeOptions, type OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig, Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../../src/gpu/kernels/output-error-sums'
import { scaleColumns } from '../../src/gpu/kernels/scale-columns'
import { Recorder } from '../../src/gpu/recorder'
import { uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { addCorrection } from '../../src/methods/low-rank/correct-weight'
import type { FittedTransform, QuantizedWeight } from '../../src/methods/method'
import { gptq as gptqMitigation } from '../../src/methods/mitigations/gptq'
import { withLowRank } from '../../src/methods/mitigations/low-rank'
import { roundToNearest } from '../../src/methods/mitigations/round-to-nearest'
import { fitContext } from '../support/fit'
import { goldenText, gpuFixture } from '../support/gpu'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

/** At most 1 % above the recorded error. */
const BAR = 1.01

interface Recorded {
  readonly method: string
  readonly impl: string
  readonly setting: string
  readonly prescale: string
  readonly err_calib: number
  readonly err_eval: number
}
const layers: Record<string, { file: string; results: Recorded[] }> = JSON.parse(
  goldenText('reference-errors-compensation.json'),
).layers

/** By recorded name without rank and star: the options, and whether channels are smoothed first (SmoothQuant, α = 0.5). */
interface Recipe {
  readonly options: OptionValues
  readonly smooth: boolean
  readonly gptq?: boolean
}
const METHODS: Record<string, Recipe> = {
  'svd-error': { options: { weighting: 'plain' }, smooth: false },
  lqer: { options: { weighting: 'lqer' }, smooth: false },
  'qera-approx': { options: { weighting: 'qera-approx' }, smooth: false },
  'qera-exact': { options: { weighting: 'qera-exact' }, smooth: false },
  'gptq-actorder+qera-exact': { options: { weighting: 'qera-exact' }, smooth: false, gptq: true },
  'svdquant-nosmooth': { options: { weighting: 'plain', branch: 'weight-first' }, smooth: false },
  'svdquant-smooth0.5': { options: { weighting: 'plain', branch: 'weight-first' }, smooth: true },
}

interface Case {
  readonly name: string
  readonly layer: string
  readonly recipe: Recipe
  readonly rank: number
  readonly recorded: Recorded
}
const cases: Case[] = Object.entries(layers).flatMap(([layer, { results }]) =>
  results.flatMap((recorded) => {
    // A star: GPTQ on what is rounded.
    const [, method, rank, star] = /^(.*)-r(\d+)(\*?)$/.exec(recorded.method) ?? []
    if (!(method in METHODS)) return []
    const { impl, setting, prescale } = recorded
    const recipe = { ...METHODS[method], ...(star ? { gptq: true } : {}) }
    const name = [layer, method + star, rank, setting, prescale, impl].join(' ')
    return [{ name, layer, recipe, rank: Number(rank), recorded }]
  }),
)
const wanted = cases.filter(({ name }) => name.startsWith(process.env.LOW_RANK_ONLY ?? ''))

const lowRank = withLowRank(roundToNearest, { id: 'low-rank', label: 'Low-rank correction' })
const gptqLowRank = withLowRank(gptqMitigation, { id: 'gptq-low-rank', label: 'GPTQ and low-rank correction' })
const lines: string[] = []

test.each(wanted.map((each) => [each.name, each] as const))('%s', async (name, { layer, recipe, rank, recorded }) => {
  const { smooth, options, gptq } = recipe
  const mitigation = gptq ? gptqLowRank : lowRank
  const { weight, calibration, evaluation } = uploadLayer(layers[layer].file)
  const transformed = smooth ? smoothed(layers[layer].file, weight) : untouched(weight)
  const config = configOf(recorded)
  const input = {
    weight,
    calibration,
    reference: calibration,
    config,
    options: completeOptions({ id: mitigation.id, code: 'MD-03' }, mitigation.options, {
      ...(gptq ? { scales: 'static', order: 'act-order' } : {}),
      ...options,
      rank,
    }),
    headDim: null,
  }
  const result = await mitigation.quantizeWeight(transformed, input, fitContext(t.gpu, t.arena))
  const found: number[] = []
  for (const rows of [calibration, evaluation]) {
    found.push(await errorOf(result, { config, rows, reference: weight, transformed }))
  }
  const ratios = [found[0] / recorded.err_calib, found[1] / recorded.err_eval]
  lines.push(
    `${name.padEnd(48)} ${found.map((error) => error.toFixed(5)).join(' / ')} ratios ${ratios.map((ratio) => ratio.toFixed(4)).join(' / ')}`,
  )
  for (const ratio of ratios) expect(ratio, lines.at(-1)).toBeLessThanOrEqual(BAR)
})

afterAll(() => console.log(lines.join('\n')))

function uploadLayer(file: string) {
  const golden = readGolden(file)
  const upload = (tensor: string) => {
    const { shape, floats } = golden.get(tensor) ?? { shape: [0, 0], floats: () => new Float32Array() }
    return uploadMatrix(t.gpu, t.arena, { rows: shape[0], cols: shape[1], data: floats() }, tensor)
  }
  return { weight: upload('layer.weight'), calibration: upload('calib.input'), evaluation: upload('eval.input') }
}

function configOf({ setting, prescale }: Recorded): QuantConfig {
  const [, weightBits, activationBits] = /^W(\d+)A(\d+)$/.exec(setting) ?? []
  const preScale = prescale === '3/4' ? ({ factor: 0.75, variant: 'exact' } as const) : null
  const quantizer = (bits: string): Quantizer | null =>
    bits === '16'
      ? null
      : makeQuantizer(parseFormat(bits === '4' ? 'mxfp4' : 'mxfp8_e4m3'), {
          ...STANDARD_MX,
          rounding: 'half-away',
          preScale,
        })
  return { weight: quantizer(weightBits), activation: quantizer(activationBits) }
}

function untouched(weight: GpuMatrix): FittedTransform {
  const report = { notes: [], training: null, onlineOperations: 0, onlineBytes: 0 }
  return { weight, apply: (rows) => rows, online: [], clip: null, report }
}

/** SmoothQuant with α = 0.5, its scales from the definition: s = √(max|x| / max|w|), X' = X / s, W' = W s. */
function smoothed(file: string, weight: GpuMatrix): FittedTransform {
  const golden = readGolden(file)
  const maxima = (tensor: string) => {
    const values = golden.get(tensor)?.floats() ?? new Float32Array()
    const largest = new Float32Array(weight.cols)
    values.forEach((value, i) => {
      largest[i % weight.cols] = Math.max(largest[i % weight.cols], Math.abs(value))
    })
    return largest
  }
  const [x, w] = [maxima('calib.input'), maxima('layer.weight')]
  const scales = Float64Array.from(x, (value, i) => Math.sqrt(value / Math.max(w[i], 1e-5)))
  const upload = (values: Float64Array) => uploadWords(t.gpu, t.arena, Float32Array.from(values), 'scales')
  const scaled = (matrix: GpuMatrix, values: Float64Array) => {
    const recorder = new Recorder(t.gpu)
    const out = scaleColumns(recorder, t.arena, matrix, upload(values))
    recorder.submit()
    return out
  }
  const inverse = scales.map((scale) => 1 / scale)
  return { ...untouched(scaled(weight, scales)), apply: (rows) => scaled(rows, inverse) }
}

/** ‖Ŷ − Y‖ / ‖Y‖ of `rows`, Ŷ with the branch. */
async function errorOf(
  { weight, correction }: QuantizedWeight,
  plan: {
    readonly config: QuantConfig
    readonly rows: GpuMatrix
    readonly reference: GpuMatrix
    readonly transformed: FittedTransform
  },
): Promise<number> {
  const { config, rows, reference, transformed } = plan
  const recorder = new Recorder(t.gpu)
  const full = transformed.apply(rows)
  const quantized = config.activation ? fakeQuantize(recorder, t.arena, full, config.activation) : full
  const product = matmulNt(recorder, t.arena, quantized, weight)
  const x = correction?.input === 'quantized' ? quantized : full
  const estimate = correction ? addCorrection(recorder, t.arena, { product, x }, correction) : product
  const sums = outputErrorSums(recorder, t.arena, matmulNt(recorder, t.arena, rows, reference), estimate)
  recorder.submit()
  const { errorEnergy, referenceEnergy } = await readOutputErrors(t.gpu, sums)
  return Math.sqrt(errorEnergy / referenceEnergy)
}
