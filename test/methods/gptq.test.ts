import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import type { Quantizer } from '../../src/formats/number-format'
import { uploadMatrix } from '../../src/gpu/transfer'
import { gatherHessian, type Hessian } from '../../src/methods/gptq/hessian'
import type { ScaleSource } from '../../src/methods/gptq/options'
import { type ColumnOrder, processingOrder } from '../../src/methods/gptq/order'
import { quantizeWithGptq } from '../../src/methods/gptq/quantize-weight'
import { gptqByInverse, gptqByUnitFactor } from '../oracle/gptq'
import { dampedInOrder, upperFactor, upperInverse } from '../oracle/gptq-factor'
import { sharingOf } from '../support/every-quantizer'
import { fitContext } from '../support/fit'
import { codecRounding, correlatedRows, GPTQ_QUANTIZERS } from '../support/gptq'
import { gpuFixture } from '../support/gpu'
import { roundMatrix } from '../support/layer-codec'
import { gaussian, poison, readChecked } from '../support/matrices'

const t = gpuFixture()
const [[, mxfp4]] = GPTQ_QUANTIZERS
const DAMPING = 0.01
const F32 = 2 ** -23

const hessianOf = (rows: Matrix) =>
  gatherHessian(uploadMatrix(t.gpu, t.arena, rows, 'rows'), fitContext(t.gpu, t.arena))

interface Choices {
  readonly quantizer: Quantizer
  readonly order?: ColumnOrder
  readonly scales?: ScaleSource
  readonly damping?: number
}

/** Ŵ without padding, and what was reported. */
async function quantized(weight: Matrix, hessian: Hessian, choices: Choices) {
  const onGpu = uploadMatrix(t.gpu, t.arena, weight, 'weight')
  const request = { order: 'natural', scales: 'fresh', damping: DAMPING, ...choices } as const
  const result = await quantizeWithGptq(onGpu, async () => hessian, request, fitContext(t.gpu, t.arena))
  return { ...result, values: await readChecked(t.gpu, result.weight) }
}

/** The damped Hessian in processing order, in float64. */
async function dampedHessian(hessian: Hessian, order: ArrayLike<number>): Promise<Float64Array> {
  const mean = hessian.meanDiagonal
  return dampedInOrder(await readChecked(t.gpu, hessian.gram), order, { dead: mean, shift: DAMPING * mean })
}

/** Elements that differ by more than `within`; f32 and float64 part ways where a value lies on a rounding boundary. */
const differing = (a: ArrayLike<number>, b: ArrayLike<number>, within = 0) =>
  Array.from(a).filter((value, i) => !(Math.abs(value - b[i]) <= within)).length

/** An fp32 scale follows the weights as they are updated: values under it are off by the rounding of those updates. */
function scaleRounding(quantizer: Quantizer, weight: Matrix): number {
  const isReal = quantizer.family === 'integer' || (quantizer.family === 'mx' && quantizer.scaleRule === 'fp32')
  const largest = weight.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return isReal ? weight.cols * F32 * largest : 0
}

/** One in a thousand: a boundary is met within n · 2^-23 of a value's size, and takes the rest of its row along. */
const FEW = 0.001

const CASES: { order: ColumnOrder; scales: ScaleSource }[] = [
  { order: 'natural', scales: 'fresh' },
  { order: 'group-order', scales: 'fresh' },
  { order: 'act-order', scales: 'static' },
]

describe.each(GPTQ_QUANTIZERS)('%s', (_, quantizer) => {
  const weight = gaussian(7, 300, 3)
  const size = Math.min(sharingOf(quantizer, 32), 128)

  test.each(CASES)('$order, $scales scales: the codes of the float64 recursion', async ({ order, scales }) => {
    poison(t.gpu, t.arena, weight.rows, weight.cols)
    const hessian = await hessianOf(correlatedRows(400, weight.cols, 40))
    const places = processingOrder(order, hessian.diagonal, size)
    const layer = {
      weight: weight.data,
      rows: weight.rows,
      hessian: await dampedHessian(hessian, places),
      order: places,
    }
    const round = codecRounding(weight, quantizer, places, scales === 'fresh')
    // With scales known beforehand both forms of the recursion are the same.
    const expected = scales === 'fresh' ? gptqByInverse(layer, round) : gptqByUnitFactor(layer, round)
    const { values } = await quantized(weight, hessian, { quantizer, order, scales })
    const within = scales === 'fresh' ? scaleRounding(quantizer, weight) : 0
    expect(differing(values, expected, within)).toBeLessThanOrEqual(FEW * expected.length)
    expect(differing(values, roundMatrix(weight, quantizer).data)).toBeGreaterThan(0.05 * expected.length)
  })

  test.each(CASES)(
    '$order, $scales scales: a diagonal Hessian gives rounding to nearest, bit for bit',
    async (given) => {
      // One channel per row: all products of different channels are zero.
      const cols = 100
      const data = Float32Array.from({ length: cols * cols }, (_, i) => (i % (cols + 1) === 0 ? 1 + (i % 13) : 0))
      const hessian = await hessianOf({ rows: cols, cols, data })
      const small = gaussian(9, cols, 4)
      const { values } = await quantized(small, hessian, { quantizer, ...given })
      expect(values).toEqual(roundMatrix(small, quantizer).data)
    },
  )
})

test.each([
  ['int4', 7, 1],
  ['mxfp8_e5m2 fp32', 57344, 1024],
] as const)('ties under the fp32 scales of %s are decided exactly', async (name, top, step) => {
  // Half steps of a scale that is rounded, rounded themselves: a little above or below a tie, nearer than f32 can tell.
  const quantizer = GPTQ_QUANTIZERS.find((each) => each[0] === name)?.[1] ?? mxfp4
  const { data: largest } = gaussian(200, 1, 13)
  const data = Float32Array.from({ length: 200 * 32 }, (_, i) => {
    const size = 1 + Math.abs(largest[Math.floor(i / 32)])
    return i % 32 === 0 ? size : (size / top) * step * ((i % 13) - 6.5)
  })
  const weight = { rows: 200, cols: 32, data }
  const identity = { rows: 32, cols: 32, data: new Float32Array(1024).map((_, i) => Number(i % 33 === 0)) }
  const { values } = await quantized(weight, await hessianOf(identity), { quantizer })
  expect(values).toEqual(roundMatrix(weight, quantizer).data)
})

test('the reported objective is (w − ŵ) H (w − ŵ)ᵀ with the damped Hessian, within the rounding of the updates', async () => {
  const weight = gaussian(30, 200, 5)
  const n = weight.cols
  const hessian = await hessianOf(correlatedRows(300, n, 30))
  const order = processingOrder('act-order', hessian.diagonal, 32)
  const h = await dampedHessian(hessian, order)
  const r = upperFactor(h, n)
  const u = upperInverse(r, n)
  const { values, objective } = await quantized(weight, hessian, {
    quantizer: mxfp4,
    order: 'act-order',
    scales: 'static',
  })
  let [expected, bound] = [0, 0]
  for (let row = 0; row < weight.rows; row++) {
    const at = (place: number) => row * n + order[place]
    const e = Float64Array.from(order, (_, place) => weight.data[at(place)] - values[at(place)])
    // e = d U; the computed d belongs to an e that is off by δ, the rounding of the sums behind it.
    const d = e.map((_, j) => e.reduce((sum, value, i) => sum + (i <= j ? value * r[i * n + j] : 0), 0))
    const delta = e.map((_, j) => {
      const updates = d.reduce((sum, value, i) => sum + (i <= j ? Math.abs(value * u[i * n + j]) : 0), 0)
      return (n + 3) * F32 * (Math.abs(weight.data[at(j)]) + updates)
    })
    const off = e.map((_, j) => delta.reduce((sum, value, i) => sum + (i <= j ? value * Math.abs(r[i * n + j]) : 0), 0))
    expected += e.reduce((sum, x, i) => sum + e.reduce((inner, y, j) => inner + x * h[i * n + j] * y, 0), 0)
    bound += 2 * Math.hypot(...d) * Math.hypot(...off) + Math.hypot(...off) ** 2
  }
  expect(objective).not.toBeNull()
  expect(Math.abs(Number(objective) - expected)).toBeLessThanOrEqual(bound + n * F32 * expected)
  expect(bound).toBeLessThan(0.01 * expected)
})

test('a literal pre-scale leaves the objective in units of the weight', async () => {
  const weight = gaussian(30, 96, 5)
  const hessian = await hessianOf(correlatedRows(300, 96))
  const objectives = await Promise.all(
    ['mxfp4 literal 3/4', 'mxfp4 3/4'].map(async (wanted) => {
      const quantizer = GPTQ_QUANTIZERS.find(([name]) => name === wanted)?.[1] ?? mxfp4
      return Number((await quantized(weight, hessian, { quantizer })).objective)
    }),
  )
  // The same grids but for the choice of the exponent, which moves the error by less than a factor of 0.75².
  expect(objectives[0] / objectives[1]).toBeGreaterThan(0.75)
  expect(objectives[0] / objectives[1]).toBeLessThan(4 / 3)
})

describe('on correlated channels', () => {
  const weight = gaussian(40, 160, 8)

  /** ‖X (W − Ŵ)ᵀ‖² */
  async function loss(hessian: Hessian, values: ArrayLike<number>): Promise<number> {
    const gram = await readChecked(t.gpu, hessian.gram)
    let sum = 0
    for (let row = 0; row < weight.rows; row++) {
      const e = Float64Array.from({ length: 160 }, (_, i) => weight.data[row * 160 + i] - values[row * 160 + i])
      sum += e.reduce((outer, x, i) => outer + e.reduce((inner, y, j) => inner + x * gram[i * 160 + j] * y, 0), 0)
    }
    return sum
  }

  test.each(['fresh', 'static', 'searched', 'observer'] as const)(
    '%s scales beat rounding to nearest by half',
    async (scales) => {
      const hessian = await hessianOf(correlatedRows(1300, 160))
      const { values } = await quantized(weight, hessian, { quantizer: mxfp4, scales })
      const nearest = await loss(hessian, roundMatrix(weight, mxfp4).data)
      expect(await loss(hessian, values)).toBeLessThan((2 / 3) * nearest)
    },
  )

  test('the same run twice gives the same bits', async () => {
    const hessian = await hessianOf(correlatedRows(300, 160))
    const run = async () => (await quantized(weight, hessian, { quantizer: mxfp4 })).values
    expect(await run()).toEqual(await run())
  })

  test('permuting the calibration rows changes nothing beyond rounding', async () => {
    const rows = correlatedRows(300, 160)
    const data = Float32Array.from(rows.data, (_, i) => rows.data[(299 - Math.floor(i / 160)) * 160 + (i % 160)])
    const [first, second] = [await hessianOf(rows), await hessianOf({ ...rows, data })]
    const a = (await quantized(weight, first, { quantizer: mxfp4 })).values
    const b = (await quantized(weight, second, { quantizer: mxfp4 })).values
    expect(differing(a, b)).toBeLessThanOrEqual(FEW * a.length)
  })

  test('weights of dead channels are rounded to nearest, and keep their value', async () => {
    const hessian = await hessianOf(correlatedRows(300, 160, 20))
    const { values } = await quantized(weight, hessian, { quantizer: mxfp4, order: 'act-order', scales: 'static' })
    const nearest = roundMatrix(weight, mxfp4).data
    for (let i = 1; i < values.length; i += 20) expect(values[i]).toBe(nearest[i])
    expect(differing(values, nearest)).toBeGreaterThan(0.05 * values.length)
  })
})
