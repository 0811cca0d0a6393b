import { describe, expect, test } from 'vitest'
import { analyseScales, type OperandQuantizers, planScales, SWEPT_FACTORS } from '../../src/experiment/scale-analysis'
import { quantizersOf, settingOf } from '../../src/experiment/settings'
import { encodeBlock } from '../../src/formats/codec'
import { BLOCK_SIZES, type MxQuantizer } from '../../src/formats/number-format'
import { type MxChoices, STANDARD_MX } from '../../src/formats/quantizer'
import { uploadMatrix, uploadWords } from '../../src/gpu/transfer'
import { fitContext } from '../support/fit'
import { gpuFixture } from '../support/gpu'
import { exactProduct, relativeError, roundMatrix } from '../support/layer-codec'
import { gaussian } from '../support/matrices'

const t = gpuFixture()

function quantizers(weightFormat: string | null, activationFormat: string | null, choices: Partial<MxChoices> = {}) {
  const setting = settingOf({ weightFormat, activationFormat, outputFormat: null })
  const { weight, activation } = quantizersOf(setting, { ...STANDARD_MX, ...choices })
  return { weight, activation }
}

describe('planScales', () => {
  test('replaces power-of-two scales one side at a time, all without pre-scale, and else as chosen', () => {
    const chosen = quantizers('mxfp4', 'mxfp8_e4m3', { preScale: { factor: 0.75, variant: 'exact' }, blockSize: 64 })
    const plain = quantizers('mxfp4', 'mxfp8_e4m3', { preScale: null, blockSize: 64 })
    const { split } = planScales(chosen)
    expect(split?.powerOfTwo).toEqual(plain)
    const fp32 = { scaleRule: 'fp32', preScale: null, blockSize: 64, rounding: 'half-even' }
    expect(split?.weightFp32).toMatchObject({
      weight: { ...fp32, format: { id: 'mxfp4' } },
      activation: chosen.activation,
    })
    expect(split?.activationFp32).toMatchObject({ weight: plain.weight, activation: fp32 })
    expect(split?.bothFp32).toMatchObject({ weight: fp32, activation: fp32 })
  })

  test.each(['exact', 'literal'] as const)(
    'sweeps the %s pre-scale over 4-bit MX operands, ending without it',
    (variant) => {
      expect(SWEPT_FACTORS).toEqual([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1])
      const { preScale } = planScales(quantizers('mxfp8_e4m3', 'mxfp4', { preScale: { factor: 0.75, variant } }))
      expect(preScale).toMatchObject({ values: SWEPT_FACTORS, variant })
      expect(preScale?.points.map(({ activation }) => (activation as MxQuantizer).preScale)).toEqual(
        SWEPT_FACTORS.map((factor) => (factor === 1 ? null : { factor, variant })),
      )
      expect(preScale?.points.map(({ weight }) => (weight as MxQuantizer).preScale)).toEqual(
        SWEPT_FACTORS.map(() => null),
      )
    },
  )

  test('the sweep is exact where the pre-scale is off, and holds a factor in use between its own', () => {
    expect(planScales(quantizers('mxfp4', null)).preScale).toMatchObject({ values: SWEPT_FACTORS, variant: 'exact' })
    const between = quantizers(null, 'mxfp4', { preScale: { factor: 0.72, variant: 'literal' } })
    const { preScale } = planScales(between)
    expect(preScale?.values.slice(3, 7)).toEqual([0.65, 0.7, 0.72, 0.75])
    expect(preScale?.points[5]).toEqual(between)
  })

  test('sweeps the block size of MX operands and no others', () => {
    const { blockSize } = planScales(quantizers('mxfp4', 'nvfp4'))
    expect(blockSize?.values).toEqual(BLOCK_SIZES)
    expect(blockSize?.points.map(({ weight }) => (weight as MxQuantizer).blockSize)).toEqual(BLOCK_SIZES)
    expect(blockSize?.points.every(({ activation }) => activation?.family === 'nvfp')).toBe(true)
  })

  test('has nothing to vary where there is nothing', () => {
    expect(planScales(quantizers('nvfp4', 'int8'))).toEqual({ split: null, preScale: null, blockSize: null })
    expect(planScales(quantizers('mxfp8_e4m3', null)).preScale).toBeNull()
    const fp32 = planScales(quantizers('mxfp4', 'mxfp4', { scaleRule: 'fp32' }))
    expect([fp32.split, fp32.preScale]).toEqual([null, null])
    expect(fp32.blockSize?.points).toHaveLength(BLOCK_SIZES.length)
  })
})

describe('analyseScales', () => {
  const outDim = 12
  const weight = gaussian(outDim, 72, 11)
  const activations = gaussian(9, 72, 12)
  // A block of zeros, and one short block of 8.
  activations.data.fill(0, 32, 64)

  async function analyse(given: OperandQuantizers, clip: { weight: GPUBuffer | null } | null = null) {
    const progress: string[] = []
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }) =>
      progress.push(`${stage} ${done}/${total}`)
    const reference = { rows: 9, cols: outDim, data: Float32Array.from(exactProduct(activations, weight)) }
    const layer = {
      weight: uploadMatrix(t.gpu, t.arena, weight, 'weight'),
      activations: uploadMatrix(t.gpu, t.arena, activations, 'activations'),
      clip: clip && { activation: null, weight: clip.weight, activationBlocks: null, weightBlocks: null },
      reference: uploadMatrix(t.gpu, t.arena, reference, 'reference'),
    }
    return { analysis: await analyseScales(layer, given, fitContext(t.gpu, t.arena, { onProgress })), progress }
  }

  const reference = exactProduct(activations, weight)

  /** The error of both operands rounded by the scalar codec, product in float64. */
  function oracleError({ weight: w, activation: x }: OperandQuantizers, from = weight): number {
    return relativeError(reference, exactProduct(roundMatrix(activations, x), roundMatrix(from, w)))
  }

  // f32 products and sums of 72 terms against float64, relative to errors of a few percent of the output.
  const digits = 5

  test('every number is that of the scalar codec', async () => {
    const chosen = quantizers('mxfp4', 'mxfp4', { preScale: { factor: 0.75, variant: 'exact' } })
    const plan = planScales(chosen)
    const { analysis } = await analyse(chosen)
    if (!analysis.split || !plan.split) throw new Error('no split')
    for (const key of ['powerOfTwo', 'weightFp32', 'activationFp32', 'bothFp32'] as const) {
      expect(analysis.split[key], key).toBeCloseTo(oracleError(plan.split[key]), digits)
    }
    const { powerOfTwo, bothFp32 } = analysis.split
    expect(analysis.split.scaleShare).toBe(1 - bothFp32 ** 2 / powerOfTwo ** 2)
    for (const [sweep, planned] of [
      [analysis.preScaleSweep, plan.preScale],
      [analysis.blockSizeSweep, plan.blockSize],
    ] as const) {
      expect(sweep?.values).toEqual(planned?.values)
      const expected = planned?.points.map((point) => -20 * Math.log10(oracleError(point))) ?? []
      for (const [index, sqnrDb] of expected.entries()) expect(sweep?.outputSqnrDb[index]).toBeCloseTo(sqnrDb, 3)
    }
  })

  test('the exponents are those of the blocks, zeros counted apart', async () => {
    const chosen = quantizers('mxfp4', 'mxfp4')
    const { analysis } = await analyse(chosen)
    for (const [{ rows, cols, data }, quantizer, found] of [
      [weight, chosen.weight, analysis.weightScales],
      [activations, chosen.activation, analysis.activationScales],
    ] as const) {
      const exponents: number[] = []
      for (let row = 0; row < rows; row++) {
        for (const start of [0, 32, 64]) {
          const block = data.subarray(row * cols + start, row * cols + Math.min(start + 32, cols))
          const { scale } = encodeBlock(block, quantizer as MxQuantizer)
          if (scale.kind === 'e8m0' && block.some((value) => value !== 0)) exponents.push(scale.byte - 127)
        }
      }
      const first = Math.min(...exponents)
      const counts = Array.from({ length: Math.max(...exponents) - first + 1 }, (_, i) => {
        return exponents.filter((exponent) => exponent === first + i).length
      })
      expect(found).toEqual({ firstExponent: first, counts, zeroBlocks: 3 * rows - exponents.length, blocks: 3 * rows })
    }
    expect(analysis.activationScales?.zeroBlocks).toBe(1)
  })

  test('a side without power-of-two scales has no exponents; without any there is nothing', async () => {
    const { analysis } = await analyse(quantizers('mxfp4', 'int8'))
    expect(analysis.activationScales).toBeNull()
    expect(analysis.weightScales?.blocks).toBe(3 * outDim)
    expect(analysis.split?.weightFp32).toBe(analysis.split?.bothFp32)
    expect(analysis.split?.activationFp32).toBe(analysis.split?.powerOfTwo)
    expect((await analyse(quantizers(null, 'bf16'))).analysis).toEqual({
      ...{ weightScales: null, activationScales: null, split: null, preScaleSweep: null, blockSizeSweep: null },
    })
  })

  test("the method's clip comes before rounding", async () => {
    const bounds = uploadWords(t.gpu, t.arena, new Float32Array(2 * outDim).fill(0.5), 'bounds')
    const chosen = quantizers('mxfp4', null)
    const clipped = weight.data.map((value, i) => {
      const row = weight.data.subarray(i - (i % 72), i - (i % 72) + 72)
      return Math.min(Math.max(value, 0.5 * Math.min(...row)), 0.5 * Math.max(...row))
    })
    const { analysis } = await analyse(chosen, { weight: bounds })
    expect(analysis.split?.powerOfTwo).toBeCloseTo(oracleError(chosen, { ...weight, data: clipped }), digits)
    expect(Math.abs((analysis.split?.powerOfTwo ?? 0) - oracleError(chosen))).toBeGreaterThan(0.01)
  })

  test('computes each product once, says how far it is, and gives its temporaries back', async () => {
    const before = t.gpu.pool.liveBytes
    const { progress } = await analyse(quantizers('mxfp4', 'mxfp4'))
    // 4 of the split, 11 factors and 5 sizes; factor 1 and size 32 are the setting itself.
    expect(progress).toEqual(Array.from({ length: 18 }, (_, i) => `scale analysis ${i + 1}/18`))
    // With a factor between those swept: the split starts from factor 1, size 32 is the setting.
    const preScale = { factor: 0.72, variant: 'literal' } as const
    expect((await analyse(quantizers('mxfp4', 'mxfp4', { preScale }))).progress).toHaveLength(19)
    t.arena.release()
    expect(t.gpu.pool.liveBytes).toBe(before)
  })

  test('stops when it is cancelled', async () => {
    const controller = new AbortController()
    const context = fitContext(t.gpu, t.arena, {
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    })
    const matrix = uploadMatrix(t.gpu, t.arena, gaussian(32, 32, 1), 'matrix')
    const layer = { weight: matrix, activations: matrix, clip: null, reference: matrix }
    const before = t.gpu.pool.liveBytes
    await expect(analyseScales(layer, quantizers('mxfp4', 'mxfp4'), context)).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(t.gpu.pool.liveBytes).toBe(before)
  })
})
