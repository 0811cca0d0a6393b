import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { smoothingScale } from '../../src/methods/channel-scaling/smoothing'
import { columnMaxima, columnMeans, columnShares } from '../../src/methods/channel-scaling/statistics'
import { smoothquant } from '../../src/methods/transforms/smoothquant'
import { oracleMeans, oracleShares, oracleSmoothing } from '../oracle/channel-scaling'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'
import { gaussian } from '../support/matrices'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const config = { weight: null, activation: null }

/** `matrix` with zeros in channel `dead`. */
const without = ({ rows, cols, data }: Matrix, dead: number): Matrix => {
  return { rows, cols, data: data.map((value, i) => (i % cols === dead ? 0 : value)) }
}

const fitLayer = (weight: Matrix, calibration: Matrix, options = {}) =>
  smoothquant.fit(fitInput(t, smoothquant, { weight, calibration, config, options }), fitContext(t, 0))

describe('smoothingScale', () => {
  test('is max|x|^α / max|w|^(1−α), its floors those of the published code', () => {
    expect(smoothingScale([4, 9], [1, 4], 0.5)).toEqual(Float32Array.of(2, 1.5))
    expect(smoothingScale([4], [9], 0)).toEqual(Float32Array.of(1 / 9))
    expect(smoothingScale([4], [9], 1)).toEqual(Float32Array.of(4))
    expect(smoothingScale([1e-4], [0], 0)).toEqual(Float32Array.of(1e5))
    expect(smoothingScale([1e-12], [100], 1)).toEqual(Float32Array.of(1e-5))
  })

  test('leaves a channel alone that no activation uses, at every α', () => {
    for (const alpha of [0, 0.5, 1]) expect(smoothingScale([0], [7], alpha)).toEqual(Float32Array.of(1))
  })
})

test.each([
  [3, 32],
  [64, 37],
  [150, 100],
])('statistics of %i rows and %i columns are those of all rows', async (rows, cols) => {
  const matrix = without(gaussian(rows, cols, 9), 5)
  const onGpu = uploadMatrix(t.gpu, t.arena, matrix, 'x')
  const maxima = Array.from({ length: cols }, (_, j) =>
    Math.max(...matrix.data.filter((_, i) => i % cols === j).map(Math.abs)),
  )
  expect([...(await columnMaxima(t.gpu, onGpu))]).toEqual(maxima)
  const close = (found: Float64Array, expected: number[]) =>
    found.forEach((value, j) => {
      expect(Math.abs(value - expected[j])).toBeLessThanOrEqual((64 + 3) * 2 ** -23 * expected[j])
    })
  close(await columnMeans(t.gpu, onGpu), oracleMeans(matrix))
  close(await columnShares(t.gpu, onGpu, 16), oracleShares(matrix, 16))
  close(await columnShares(t.gpu, onGpu, 'row'), oracleShares(matrix, cols))
})

test.each([32, 100])('multiplies the weight by s and divides the activations, %i channels', async (cols) => {
  const weight = gaussianMatrix(70, cols, 1)
  const calibration = without(gaussianMatrix(90, cols, 2), 7)
  const s = oracleSmoothing(calibration, weight, 0.5)
  const fitted = await fitLayer(weight, calibration)
  const scaledWeight = await readMatrix(t.gpu, fitted.weight)
  const x = gaussianMatrix(5, cols, 3)
  const scaledX = await readMatrix(t.gpu, fitted.apply(uploadMatrix(t.gpu, t.arena, x, 'x')))
  // s is rounded, its reciprocal is rounded, and so is each product.
  scaledWeight.data.forEach((value, i) => {
    const exact = weight.data[i] * s[i % cols]
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(2 * 2 ** -24 * 1.01 * Math.abs(exact))
  })
  scaledX.data.forEach((value, i) => {
    const exact = x.data[i] / s[i % cols]
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(3 * 2 ** -24 * 1.01 * Math.abs(exact))
  })
})

test.each([32, 96, 100, 320])("X'W'ᵀ equals XWᵀ with %i channels, for rows it was not fitted on", async (cols) => {
  const weight = gaussianMatrix(24, cols, 10)
  for (const alpha of [0, 0.5, 1]) {
    const fitted = await fitLayer(weight, without(gaussianMatrix(40, cols, 20), 2), { alpha })
    await expectInvariance(t, fitted, weight, gaussianMatrix(7, cols, 30))
  }
})

test('says which channels are dead, what is folded and what it costs', async () => {
  const { report } = await fitLayer(gaussian(4, 64, 1), without(gaussian(20, 64, 2), 3), { alpha: 0.85 })
  expect(report.notes[0]).toMatch(/^s = max\|x\|\^0\.85 \/ max\|w\|\^0\.15 per channel, from [\d.]+ to [\d.]+\.$/)
  expect(report.notes[1]).toBe('Channels that are zero on all calibration rows and keep s = 1: 1.')
  expect(report.notes[2]).toContain('64 multiplications per token')
  expect(report).toMatchObject({ training: null, onlineOperations: 64, onlineBytes: 2 * 64 })
  expect((await fitLayer(gaussian(4, 64, 1), gaussian(20, 64, 2))).report.notes).toHaveLength(2)
})

test('a cancelled fit stops', async () => {
  const controller = new AbortController()
  controller.abort()
  const input = fitInput(t, smoothquant, { weight: gaussian(4, 32, 1), calibration: gaussian(4, 32, 2), config })
  const context = { ...fitContext(t, 0), signal: controller.signal }
  await expect(smoothquant.fit(input, context)).rejects.toMatchObject({ name: 'AbortError' })
})
