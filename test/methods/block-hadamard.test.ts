import { describe, expect, test } from 'vitest'
import type { OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig, Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import type { Transform } from '../../src/methods/method'
import { hadamardSize } from '../../src/methods/rotation/block'
import { blockHadamard } from '../../src/methods/transforms/block-hadamard'
import { quarot } from '../../src/methods/transforms/quarot'
import { scaledHadamard } from '../../src/methods/transforms/scaled-hadamard'
import { smoothquant } from '../../src/methods/transforms/smoothquant'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const formatOf = (text: string, blockSize = 32) => makeQuantizer(parseFormat(text), { ...STANDARD_MX, blockSize })
const FULL: QuantConfig = { weight: null, activation: null }

/** `transform` fitted on a layer with `cols` channels. */
function fitLayer(transform: Transform, cols: number, options: OptionValues = {}, config = FULL) {
  const weight = gaussianMatrix(12, cols, 1)
  const layer = { weight, calibration: gaussianMatrix(40, cols, 2), config, options }
  return transform.fit(fitInput(t, transform, layer), fitContext(t, 3))
}

const applied = async (fitted: Awaited<ReturnType<typeof fitLayer>>, cols: number) =>
  (await readMatrix(t.gpu, fitted.apply(uploadMatrix(t.gpu, t.arena, gaussianMatrix(5, cols, 4), 'x')))).data

describe('the size of a block Hadamard rotation', () => {
  const mx = formatOf('mxfp4')
  test.each<[string, Quantizer | null, Quantizer | null, string, number]>([
    ['the block of the weight', formatOf('mxfp4', 64), mx, 'scale-block', 64],
    ['16 for NVFP4', formatOf('nvfp4'), mx, 'scale-block', 16],
    ['the group of integers', formatOf('int4(group=128)'), mx, 'scale-block', 128],
    ['the block of the activations where the weight has none', null, formatOf('nvfp4'), 'scale-block', 16],
    ['the same for a weight with a scale per row', formatOf('int4'), formatOf('nvfp4'), 'scale-block', 16],
    ['32 where neither has blocks', formatOf('bf16'), null, 'scale-block', 32],
    ['what is asked for', mx, mx, '128', 128],
  ])('is %s', (_, weight, activation, option, size) => {
    expect(hadamardSize({ weight, activation }, option)).toBe(size)
  })
})

describe('block-hadamard', () => {
  test.each([
    ['16', 48],
    ['32', 96],
    ['64', 320],
    ['128', 384],
  ])("X'W'ᵀ equals XWᵀ with blocks of %s in %i channels", async (size, cols) => {
    const fitted = await fitLayer(blockHadamard, cols, { size })
    await expectInvariance(t, fitted, gaussianMatrix(12, cols, 1), gaussianMatrix(7, cols, 30))
  })

  test('is its own inverse and mixes no two blocks', async () => {
    const fitted = await fitLayer(blockHadamard, 64)
    const data = new Float32Array(64)
    data[40] = 1
    const x = uploadMatrix(t.gpu, t.arena, { rows: 1, cols: 64, data }, 'x')
    const once = fitted.apply(x)
    const values = (await readMatrix(t.gpu, once)).data
    expect(values.subarray(0, 32).every((value) => value === 0)).toBe(true)
    expect(values.subarray(32).every((value) => Math.abs(value) === Math.fround(32 ** -0.5))).toBe(true)
    const twice = (await readMatrix(t.gpu, fitted.apply(once))).data
    twice.forEach((value, i) => {
      expect(Math.abs(value - data[i])).toBeLessThanOrEqual(2 ** -21)
    })
  })

  test('says its size and what it costs', async () => {
    const weight = formatOf('mxfp4')
    const { report, clip } = await fitLayer(blockHadamard, 96, {}, { weight, activation: null })
    expect(report).toEqual({
      notes: ['Sylvester matrix of order 32 in each of 3 blocks, without signs.'],
      training: null,
      onlineOperations: 96 * 5,
      onlineBytes: 0,
    })
    expect(clip).toBe(null)
  })

  test('refuses a width that is no multiple of its size', async () => {
    const refused = fitLayer(blockHadamard, 96, { size: '64' })
    await expect(refused).rejects.toThrow('block Hadamard rotation: expected a multiple of 64 channels, found 96.')
    await expect(refused).rejects.toMatchObject({ code: 'MD-08' })
  })
})

describe('scaled-hadamard', () => {
  test.each(['full', 'block'])("X'W'ᵀ equals XWᵀ after a %s rotation", async (rotation) => {
    for (const cols of [32, 96, 320]) {
      const fitted = await fitLayer(scaledHadamard, cols, { rotation })
      await expectInvariance(t, fitted, gaussianMatrix(12, cols, 1), gaussianMatrix(7, cols, 30))
    }
  })

  test.each([
    ['full', quarot, 96 * (3 + 12)],
    ['block', blockHadamard, 96 * 5],
  ] as const)('scales first, then rotates (%s)', async (rotation, rotate, operations) => {
    const smoothed = await fitLayer(smoothquant, 96, { alpha: 0.3 })
    const rotated = await fitLayer(rotate, 96)
    const both = await fitLayer(scaledHadamard, 96, { rotation })
    const x = smoothed.apply(uploadMatrix(t.gpu, t.arena, gaussianMatrix(5, 96, 4), 'x'))
    expect(await applied(both, 96)).toEqual((await readMatrix(t.gpu, rotated.apply(x))).data)
    const weight = rotated.apply(smoothed.weight)
    expect((await readMatrix(t.gpu, both.weight)).data).toEqual((await readMatrix(t.gpu, weight)).data)
    expect(both.report.onlineOperations).toBe(rotated.report.onlineOperations + 96)
    expect(rotated.report.onlineOperations).toBe(operations)
    // Beside what the rotation stores, 1 / s in 16 bits per channel.
    expect(both.report.onlineBytes).toBe(rotated.report.onlineBytes + 2 * 96)
    expect(both.report.notes[0]).toMatch(/^s = max\|x\|\^0\.3 \/ max\|w\|\^0\.7 /)
    expect(both.report.notes).toEqual(expect.arrayContaining([...rotated.report.notes]))
  })

  test('α moves more or less of the outliers', async () => {
    const [some, all] = [await fitLayer(scaledHadamard, 96), await fitLayer(scaledHadamard, 96, { alpha: 1 })]
    expect(await applied(some, 96)).not.toEqual(await applied(all, 96))
  })

  test('refuses the widths its rotation refuses', async () => {
    await expect(fitLayer(scaledHadamard, 100, { rotation: 'block' })).rejects.toMatchObject({ code: 'MD-08' })
    expect((await fitLayer(scaledHadamard, 100)).report.notes.join()).toContain('100')
  })
})
