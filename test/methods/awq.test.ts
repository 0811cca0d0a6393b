import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../src/core/matrix'
import type { OptionValues } from '../../src/core/options'
import { parseFormat } from '../../src/formats/format-text'
import type { QuantConfig, Quantizer } from '../../src/formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../src/formats/quantizer'
import { clipBlocks } from '../../src/gpu/kernels/clip-blocks'
import { readFloats, readMatrix, uploadMatrix } from '../../src/gpu/transfer'
import { fitAwq } from '../../src/methods/channel-scaling/awq'
import { bestCandidate, scaleCandidates } from '../../src/methods/channel-scaling/awq-grid'
import { CLIP_FACTORS, sampleRows, searchClip } from '../../src/methods/channel-scaling/clip-search'
import { scaleBlock } from '../../src/methods/channel-scaling/scale-block'
import { scaleLosses } from '../../src/methods/channel-scaling/scale-search'
import type { Context } from '../../src/methods/method'
import { awq } from '../../src/methods/transforms/awq'
import {
  oracleClipErrors,
  oracleDuoScales,
  oracleLoss,
  oracleMeans,
  oraclePlainScales,
  oracleShares,
} from '../oracle/channel-scaling'
import { gpuFixture } from '../support/gpu'
import { expectInvariance } from '../support/invariance'
import { roundMatrix } from '../support/layer-codec'
import { gaussian } from '../support/matrices'
import { fitContext, fitInput, gaussianMatrix } from '../support/method-fixture'

const t = gpuFixture()
const PRE_SCALED = { ...STANDARD_MX, preScale: { factor: 0.75, variant: 'exact' } as const }
const formatOf = (text: string, choices = STANDARD_MX) => makeQuantizer(parseFormat(text), choices)
const mxfp4 = formatOf('mxfp4')
const W4A4: QuantConfig = { weight: mxfp4, activation: mxfp4 }
const rounding = (quantizer: Quantizer | null) => (matrix: Matrix) => roundMatrix(matrix, quantizer)

/** Rows whose channel 5 is never used, and channel 3 is 20 times larger than the rest. */
function activationsOf(rows: number, cols: number, seed: number): Matrix {
  const matrix = gaussianMatrix(rows, cols, seed)
  return { rows, cols, data: matrix.data.map((value, i) => (i % cols === 5 ? 0 : value)) }
}

interface Given {
  readonly weight: Matrix
  readonly calibration: Matrix
  readonly config?: QuantConfig
  readonly options?: OptionValues
  readonly context?: Partial<Context>
}

const fitLayer = ({ weight, calibration, config = W4A4, options, context }: Given) =>
  fitAwq(fitInput(t, awq, { weight, calibration, config, options }), { ...fitContext(t, 0), ...context })

describe('the grid of scales', () => {
  const calibration = activationsOf(30, 96, 2)
  const weight = gaussian(20, 96, 1)
  const means = Float64Array.from(oracleMeans(calibration))
  const shares = Float64Array.from(oracleShares(weight, 32))
  const near = (found: readonly { scale: Float32Array }[], expected: readonly number[][]) => {
    expect(found).toHaveLength(expected.length)
    found.forEach(({ scale }, k) => {
      scale.forEach((value, j) => {
        expect(Math.abs(value - expected[k][j])).toBeLessThanOrEqual(2 ** -23 * expected[k][j])
      })
    })
  }

  test('starts without a scale and ends before r = 1', () => {
    const candidates = scaleCandidates('plain', 20, { means, shares })
    expect(candidates[0]).toEqual({ ratio: 0, scale: new Float32Array(96).fill(1) })
    expect(candidates.at(-1)?.ratio).toBe(19 / 20)
    near(candidates, oraclePlainScales([...means], 20))
    near(scaleCandidates('activation-aware', 7, { means, shares }), oraclePlainScales([...means], 7))
  })

  test('duo has the identity first, then r from 0 to 1', () => {
    const candidates = scaleCandidates('duo', 20, { means, shares })
    expect(candidates.map(({ ratio }) => ratio)).toEqual([null, ...Array.from({ length: 19 }, (_, k) => k / 18)])
    near(candidates, oracleDuoScales([...means], [...shares], 20))
  })

  test('channels that are never used keep 1 and do not move the others', () => {
    const alive = { means: means.filter((mean) => mean > 0), shares: shares.filter((_, j) => means[j] > 0) }
    for (const variant of ['plain', 'duo'] as const) {
      const all = scaleCandidates(variant, 6, { means, shares })
      const some = scaleCandidates(variant, 6, alive)
      all.forEach(({ scale }, k) => {
        expect(scale[5]).toBe(1)
        expect(scale.filter((_, j) => j !== 5)).toEqual(some[k].scale)
      })
    }
  })

  test('the smallest loss wins, the first of equals, and none that is not finite', () => {
    expect(bestCandidate([3, 2, 1, 1, 2])).toBe(2)
    expect(bestCandidate([Number.NaN, 4, Infinity, 3])).toBe(3)
    expect(bestCandidate([Number.NaN, Infinity])).toBe(0)
  })
})

describe('the losses of a scale search', () => {
  const weight = gaussianMatrix(20, 64, 1)

  test.each([
    ['more tokens than channels', 90, false],
    ['fewer tokens than channels', 40, false],
    ['rounded activations', 90, true],
  ])('are those of the definition: %s', async (_, tokens, withActivations) => {
    const calibration = activationsOf(tokens, 64, 2)
    const input = fitInput(t, awq, { weight, calibration, config: W4A4 })
    const means = Float64Array.from(oracleMeans(calibration))
    const candidates = scaleCandidates('plain', 5, { means, shares: means })
    const found = await scaleLosses(input, candidates, { withActivations }, fitContext(t, 0))
    const round = { weight: rounding(mxfp4), activations: rounding(withActivations ? mxfp4 : null) }
    candidates.forEach(({ scale }, k) => {
      const exact = oracleLoss({ weight, activations: calibration }, [...scale], round)
      // Sums of 64 channels and 90 tokens in f32; a code at a tie may fall either way.
      expect(Math.abs(found[k] / exact - 1)).toBeLessThan(1e-4)
    })
  })

  test('rounded activations of a setting that leaves them alone change nothing', async () => {
    const calibration = activationsOf(40, 64, 2)
    const config = { weight: mxfp4, activation: null }
    const input = fitInput(t, awq, { weight, calibration, config })
    const means = Float64Array.from(oracleMeans(calibration))
    const candidates = scaleCandidates('plain', 5, { means, shares: means })
    const losses = (withActivations: boolean) => scaleLosses(input, candidates, { withActivations }, fitContext(t, 0))
    expect(await losses(true)).toEqual(await losses(false))
  })
})

test('the clip search tries bounds from all of the largest weight to 0.55 of it', () => {
  const twentieths = CLIP_FACTORS.map((factor) => 20 * factor)
  expect(twentieths.map(Math.round)).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 12, 11])
  twentieths.forEach((value) => {
    expect(value).toBeCloseTo(Math.round(value), 12)
  })
})

test('takes every floor(tokens / 512)-th row for the clip search', async () => {
  const rows = gaussian(1100, 40, 1)
  const sample = sampleRows(t.recorder, t.arena, uploadMatrix(t.gpu, t.arena, rows, 'x'))
  t.recorder.submit()
  const { rows: count, data } = await readMatrix(t.gpu, sample)
  expect(count).toBe(550)
  expect(data).toEqual(rows.data.filter((_, i) => Math.floor(i / 40) % 2 === 0))
  const few = uploadMatrix(t.gpu, t.arena, gaussian(1023, 8, 1), 'x')
  expect(sampleRows(t.recorder, t.arena, few)).toBe(few)
})

describe('the clip search', () => {
  test.each<[string, Quantizer]>([
    ['MXFP4', mxfp4],
    ['MXFP4 pre-scaled', formatOf('mxfp4', PRE_SCALED)],
    ['MXFP4 in blocks of 8', formatOf('mxfp4', { ...STANDARD_MX, blockSize: 8 })],
    ['MXFP4 in blocks of 128', formatOf('mxfp4', { ...PRE_SCALED, blockSize: 128 })],
    ['MXFP8 E4M3', formatOf('mxfp8_e4m3')],
    ['NVFP4', formatOf('nvfp4')],
    ['INT4 in groups of 32', formatOf('int4(group=32)')],
    ['INT4 per row', formatOf('int4')],
  ])('of %s finds the bound with the smallest output error of every block', async (_, quantizer) => {
    const [weight, rows] = [gaussian(9, 100, 1), activationsOf(70, 100, 2)]
    const width = scaleBlock(quantizer) ?? 'row'
    const onGpu = uploadMatrix(t.gpu, t.arena, weight, 'weight')
    const found = await searchClip(
      onGpu,
      uploadMatrix(t.gpu, t.arena, rows, 'rows'),
      { width, quantizer },
      fitContext(t, 0),
    )
    const step = { width: width === 'row' ? 100 : width, step: 1, factors: CLIP_FACTORS, round: rounding(quantizer) }
    const errors = oracleClipErrors(weight, rows, step)
    const chosen = await readFloats(t.gpu, found.bounds.factors, found.blocks)
    expect(found.blocks).toBe(errors[0].length)
    let clipped = 0
    chosen.forEach((factor, block) => {
      const tried = errors.map((error) => error[block])
      const place = CLIP_FACTORS.map(Math.fround).indexOf(factor)
      const best = Math.min(...tried)
      // f32 sums may tell two bounds apart that float64 sees within rounding of each other, not more.
      expect(tried[place]).toBeLessThanOrEqual(best + 1e-4 * tried[0])
      if (tried[0] === best) expect(factor).toBe(1)
      clipped += Number(factor < 1)
    })
    expect(found.clippedBlocks).toBe(clipped)
    if (quantizer.family !== 'mx' || quantizer.preScale) expect(clipped).toBeGreaterThan(0)
  })

  test('stops between bounds', async () => {
    const controller = new AbortController()
    const seen: number[] = []
    const context = {
      ...fitContext(t, 0),
      signal: controller.signal,
      onProgress: ({ done }: { done: number }) => {
        seen.push(done)
        if (done === 2) controller.abort()
      },
    }
    const matrices = [gaussian(4, 64, 1), gaussian(8, 64, 2)].map((m) => uploadMatrix(t.gpu, t.arena, m, 'x'))
    const search = searchClip(matrices[0], matrices[1], { width: 32, quantizer: mxfp4 }, context)
    await expect(search).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen).toEqual([1, 2])
  })
})

describe('awq', () => {
  const options = { points: 6 }

  test.each(['plain', 'duo', 'activation-aware'])('%s keeps X Wᵀ, clip or not', async (variant) => {
    for (const [cols, tokens] of [
      [32, 60],
      [100, 40],
      [320, 40],
    ]) {
      const weight = gaussianMatrix(24, cols, 10)
      const calibration = activationsOf(tokens, cols, 20)
      const config = { weight: formatOf('mxfp4', PRE_SCALED), activation: mxfp4 }
      const fitted = await fitLayer({ weight, calibration, config, options: { ...options, variant } })
      expect(fitted.clip).not.toBe(null)
      await expectInvariance(t, fitted, weight, gaussianMatrix(7, cols, 30))
    }
  })

  test('the clip cuts the scaled weight, and only where a block asks for it', async () => {
    const config = { weight: formatOf('mxfp4', PRE_SCALED), activation: null }
    const fitted = await fitLayer({
      weight: gaussian(30, 96, 1),
      calibration: activationsOf(200, 96, 2),
      config,
      options,
    })
    if (!fitted.clip?.weightBlocks) throw new Error('no clip')
    const clipped = clipBlocks(t.recorder, t.arena, fitted.weight, fitted.clip.weightBlocks)
    t.recorder.submit()
    const [before, after] = [await readMatrix(t.gpu, fitted.weight), await readMatrix(t.gpu, clipped)]
    const changed = new Set(
      Array.from(before.data.keys())
        .filter((i) => after.data[i] !== before.data[i])
        .map((i) => Math.floor(i / 32)),
    )
    const note = fitted.report.notes.find((text) => text.includes('clipped'))
    expect(note).toContain(`${((100 * changed.size) / 90).toFixed(1)} % of 90 weight blocks are clipped.`)
    expect(changed.size).toBeGreaterThan(0)
    const without = await fitLayer({
      weight: gaussian(30, 96, 1),
      calibration: activationsOf(200, 96, 2),
      config,
      options: { ...options, clip: 'off' },
    })
    expect(without.clip).toBe(null)
    expect((await readMatrix(t.gpu, without.weight)).data).toEqual(before.data)
  })

  test('the clip is searched in the scaled basis', async () => {
    const weight = formatOf('mxfp4', PRE_SCALED)
    const calibration = activationsOf(90, 96, 2)
    const fitted = await fitLayer({
      weight: gaussian(30, 96, 1),
      calibration,
      config: { weight, activation: null },
      options,
    })
    const scaled = await readMatrix(t.gpu, fitted.weight)
    const rows = await readMatrix(t.gpu, fitted.apply(uploadMatrix(t.gpu, t.arena, calibration, 'x')))
    const errors = oracleClipErrors(scaled, rows, {
      width: 32,
      step: 1,
      factors: CLIP_FACTORS,
      round: rounding(weight),
    })
    if (!fitted.clip?.weightBlocks) throw new Error('no clip')
    const factors = await readFloats(t.gpu, fitted.clip.weightBlocks.factors, 90)
    factors.forEach((factor, block) => {
      const tried = errors.map((error) => error[block])
      const chosen = tried[CLIP_FACTORS.map(Math.fround).indexOf(factor)]
      expect(chosen).toBeLessThanOrEqual(Math.min(...tried) + 1e-4 * tried[0])
    })
  })

  test('says which point of the grid it chose, what is dead and what it costs', async () => {
    const { report } = await fitLayer({ weight: gaussian(20, 64, 1), calibration: activationsOf(90, 64, 2), options })
    expect(report.notes[0]).toMatch(
      /^r = 0\.\d+, the best of 6 grid points \(plain\): output error 0\.\d+ of that without a scale\.$/,
    )
    expect(report.notes[1]).toBe('Channels that are zero on all calibration rows and keep s = 1: 1.')
    expect(report).toMatchObject({ training: null, onlineOperations: 64, onlineBytes: 2 * 64 })
  })

  test.each<[string, QuantConfig, string]>([
    ['weights stay as they are', { weight: null, activation: mxfp4 }, 'Nothing that counts'],
    ['every channel is dead', W4A4, 'Every channel is zero'],
  ])('has no scale to search where %s', async (_, config, note) => {
    const calibration = config.weight ? { rows: 3, cols: 64, data: new Float32Array(3 * 64) } : gaussian(9, 64, 2)
    const weight = gaussian(5, 64, 1)
    const fitted = await fitLayer({ weight, calibration, config, options })
    expect(fitted.report.notes[0]).toContain(note)
    expect((await readMatrix(t.gpu, fitted.weight)).data).toEqual(weight.data)
  })

  test('searches for rounded activations alone, and clips nothing without a scale per block', async () => {
    const [weight, calibration] = [gaussian(9, 64, 1), activationsOf(70, 64, 2)]
    const aware = { ...options, variant: 'activation-aware' }
    const config = { weight: null, activation: mxfp4 }
    const activationsOnly = await fitLayer({ weight, calibration, config, options: aware })
    expect(activationsOnly.report.notes[0]).toContain('the best of 6 grid points (activation-aware)')
    expect(activationsOnly.clip).toBe(null)
    const bf16 = await fitLayer({
      weight,
      calibration,
      config: { weight: formatOf('bf16'), activation: null },
      options,
    })
    expect(bf16.clip).toBe(null)
  })

  test('reports every grid point and every bound, and keeps no buffers when it is stopped', async () => {
    const [weight, calibration] = [gaussian(9, 64, 1), activationsOf(70, 64, 2)]
    const stages: string[] = []
    const onProgress: Context['onProgress'] = ({ stage, done, total }) => stages.push(`${stage} ${done}/${total}`)
    await fitLayer({ weight, calibration, options, context: { onProgress } })
    const ticks = (stage: string, total: number) =>
      Array.from({ length: total }, (_, k) => `${stage} ${k + 1}/${total}`)
    expect(stages).toEqual(['AWQ statistics 70/70', ...ticks('AWQ scale search', 6), ...ticks('AWQ clip search', 10)])
    const controller = new AbortController()
    const stop: Context['onProgress'] = ({ stage }) => stage === 'AWQ scale search' && controller.abort()
    const stopped = fitLayer({ weight, calibration, options, context: { onProgress: stop, signal: controller.signal } })
    await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('the same run gives the same bits', async () => {
    const run = async () => {
      const fitted = await fitLayer({ weight: gaussian(9, 96, 1), calibration: activationsOf(70, 96, 2), options })
      return { weight: (await readMatrix(t.gpu, fitted.weight)).data, report: fitted.report }
    }
    expect(await run()).toEqual(await run())
  })
})
