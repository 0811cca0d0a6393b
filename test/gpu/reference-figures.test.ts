// The table of reference figures, cell by cell: SQNR of every format on every data set, error of the product, and what
// happens to the largest element of each block. Recorded by an exact model (test/golden/formats/README.md).
import { expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { parseFormat } from '../../src/formats/format-text'
import type { Quantizer } from '../../src/formats/number-format'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import type { GpuMatrix } from '../../src/gpu/gpu-matrix'
import { fakeQuantize } from '../../src/gpu/kernels/fake-quantize'
import { matmulNt } from '../../src/gpu/kernels/matmul-nt'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { goldenText, gpuFixture } from '../support/gpu'
import { elementHash, referenceTensors, referenceWeight, rotated } from '../support/reference-data'
import { readGolden } from '../support/safetensors'

const t = gpuFixture()

interface BlockMaximum {
  readonly mean_rel: number
  readonly rms_rel: number
  readonly worst_rel: number
  readonly gain: number
}
const recorded: {
  data: Record<string, { sha256_f32le: string }>
  sqnr_db: Record<string, Record<string, number>>
  matmul_nmse: Record<string, Record<string, number>>
  block_max: Record<string, Record<string, BlockMaximum>>
} = JSON.parse(goldenText('formats/reference_figures.json'))

const mx = (id: string, choices: Partial<MxChoices> = {}) =>
  makeQuantizer(parseFormat(id), { ...STANDARD_MX, ...choices })
const other = (text: string) => makeQuantizer(parseFormat(text), STANDARD_MX)

/** The rows of the table; FP8 with an fp32 scale per row is in the file but is no format of the product. */
const QUANTIZERS: Readonly<Record<string, Quantizer>> = {
  'MXFP8 E4M3': mx('mxfp8_e4m3'),
  'MXFP8 E5M2': mx('mxfp8_e5m2'),
  MXINT8: mx('mxint8'),
  'MXFP6 E2M3': mx('mxfp6_e2m3'),
  'MXFP6 E3M2': mx('mxfp6_e3m2'),
  'MXFP4 floor, ties even': mx('mxfp4'),
  'MXFP4 floor, ties away (microxcaling default)': mx('mxfp4', { rounding: 'half-away' }),
  'MXFP4 floor, truncate': mx('mxfp4', { rounding: 'toward-zero' }),
  'MXFP4 scale even (round amax)': mx('mxfp4', { scaleRule: 'even' }),
  'MXFP4 scale rceil': mx('mxfp4', { scaleRule: 'rceil' }),
  'MXFP4 scale ceil': mx('mxfp4', { scaleRule: 'ceil' }),
  'MXFP4 3/4 pre-scale (after shared exponent)': mx('mxfp4', { preScale: { factor: 0.75, variant: 'exact' } }),
  'MXFP4 3/4 on input, before shared exponent': mx('mxfp4', { preScale: { factor: 0.75, variant: 'literal' } }),
  'MXFP4 best of k,k+1 by MSE': mx('mxfp4', { scaleRule: 'best' }),
  'MXFP4 floor, block 16': mx('mxfp4', { blockSize: 16 }),
  'E2M1 block 32, fp32 scale amax/6 (fig 4 HPS)': mx('mxfp4', { scaleRule: 'fp32' }),
  'E2M1 block 16, fp32 scale amax/6': mx('mxfp4', { scaleRule: 'fp32', blockSize: 16 }),
  NVFP4: other('nvfp4'),
  'NVFP4 4/6 mse': other('nvfp4(four-over-six=mse)'),
  'NVFP4 4/6 mae': other('nvfp4(four-over-six=mae)'),
  'NVFP4 4/6 abs-max': other('nvfp4(four-over-six=max)'),
  'INT4 sym amax/7, group 32': other('int4(group=32)'),
  'INT4 sym amax/7.5, group 128': other('int4(group=128,scheme=sym-half)'),
  'INT4 asym, group 128': other('int4(group=128,scheme=asym)'),
  'INT4 sym amax/7, per row': other('int4'),
  'INT8 sym amax/127, per row': other('int8'),
}
const names = Object.keys(QUANTIZERS)

/** Half a unit of the last printed digit and the spread the specification allows. */
const SQNR_TOLERANCE_DB = 0.02
const NMSE_TOLERANCE = 0.01

const tensors = referenceTensors()
const golden = readGolden('layers/layer-b.safetensors')
const layerB = (name: string): Matrix => {
  const tensor = golden.get(name)
  if (!tensor) throw new Error(`layer-b: no ${name}`)
  return { rows: tensor.shape[0], cols: tensor.shape[1], data: tensor.floats() }
}
const dataSets: Record<string, Matrix> = {
  ...tensors,
  'layer_b.eval.input': layerB('eval.input'),
  'layer_b.weight': layerB('layer.weight'),
}
const weight = referenceWeight()
const weights: Record<string, Matrix> = { weight, weight_rotated: rotated(weight) }

/** Which tensors the recorded products multiply; without roundsX only the weight is rounded. */
const PRODUCTS: Readonly<Record<string, { readonly x: string; readonly w: string; readonly roundsX: boolean }>> = {
  plain: { x: 'outlier_channels', w: 'weight', roundsX: true },
  rotated: { x: 'outlier_rotated', w: 'weight_rotated', roundsX: true },
  layer_b_wa: { x: 'layer_b.eval.input', w: 'layer_b.weight', roundsX: true },
  layer_b_w_only: { x: 'layer_b.eval.input', w: 'layer_b.weight', roundsX: false },
}

/** Σ (a − b)² / Σ a² in float64. */
function normalisedError(a: Float32Array, b: Float32Array): number {
  let [noise, signal] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    noise += (a[i] - b[i]) ** 2
    signal += a[i] ** 2
  }
  return noise / signal
}

test.each(Object.keys(recorded.data))('%s is the recorded tensor, bit for bit', (name) => {
  expect(elementHash(dataSets[name])).toBe(recorded.data[name].sha256_f32le)
})

/** Blocks whose largest element is followed, whatever the format's own are. */
const MAXIMUM_BLOCK = 32

/** Error of the largest element of each block (the first of equals), relative and signed by its own sign. */
function blockMaximumErrors(x: Float32Array, y: Float32Array): number[] {
  const errors: number[] = []
  for (let start = 0; start < x.length; start += MAXIMUM_BLOCK) {
    let at = start
    for (let i = start; i < start + MAXIMUM_BLOCK; i++) if (Math.abs(x[i]) > Math.abs(x[at])) at = i
    errors.push(y[at] / x[at] - 1)
  }
  return errors
}

function checkBlockMaxima(x: Float32Array, y: Float32Array, expected: BlockMaximum, set: string) {
  const errors = blockMaximumErrors(x, y)
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
  const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)
  let [inner, energy] = [0, 0]
  for (let i = 0; i < x.length; i++) {
    inner += x[i] * y[i]
    energy += x[i] * x[i]
  }
  // Four printed digits.
  expect(mean, `${set} mean`).toBeCloseTo(expected.mean_rel, 3)
  expect(rms, `${set} rms`).toBeCloseTo(expected.rms_rel, 3)
  expect(Math.max(...errors.map(Math.abs)), `${set} worst`).toBeCloseTo(expected.worst_rel, 3)
  expect(inner / energy, `${set} gain`).toBeCloseTo(expected.gain, 3)
}

const exactProducts = new Map<string, Float32Array>()

test.each(names)('%s: SQNR, error of the product, largest element of each block', async (name) => {
  const quantizer = QUANTIZERS[name]
  const upload = (matrix: Matrix) => uploadMatrix(t.gpu, t.arena, matrix, 'reference data')
  const round = (matrix: GpuMatrix) => fakeQuantize(t.recorder, t.arena, matrix, quantizer)
  const operands = Object.fromEntries(
    Object.entries({ ...dataSets, ...weights }).map(([set, matrix]) => {
      const original = upload(matrix)
      return [set, { original, rounded: round(original) }] as const
    }),
  )
  t.recorder.submit()

  for (const [set, matrix] of Object.entries(dataSets)) {
    const rounded = (await readMatrix(t.gpu, operands[set].rounded)).data
    const sqnr = -10 * Math.log10(normalisedError(matrix.data, rounded))
    expect(Math.abs(sqnr - recorded.sqnr_db[name][set]), `${set}: ${sqnr}`).toBeLessThanOrEqual(SQNR_TOLERANCE_DB)
    const maxima = recorded.block_max[name]?.[set]
    if (maxima) checkBlockMaxima(matrix.data, rounded, maxima, set)
  }

  const product = async (x: GpuMatrix, w: GpuMatrix) => {
    const out = matmulNt(t.recorder, t.arena, x, w)
    t.recorder.submit()
    return (await readMatrix(t.gpu, out)).data
  }
  for (const [key, { x, w, roundsX }] of Object.entries(PRODUCTS)) {
    const pair = `${x} ${w}`
    const exact = exactProducts.get(pair) ?? (await product(operands[x].original, operands[w].original))
    exactProducts.set(pair, exact)
    const left = roundsX ? operands[x].rounded : operands[x].original
    const error = normalisedError(exact, await product(left, operands[w].rounded))
    const expected = recorded.matmul_nmse[name][key]
    expect(Math.abs(error / expected - 1), `${key}: ${error}`).toBeLessThanOrEqual(NMSE_TOLERANCE)
  }
})
