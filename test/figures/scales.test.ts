import { describe, expect, it } from 'vitest'
import type { MethodResult, ScaleAnalysis } from '../../src/experiment/result'
import { blockSizeSweep } from '../../src/figures/block-size-sweep'
import { clipping } from '../../src/figures/clipping'
import { blockRemark } from '../../src/figures/describe'
import { distribution } from '../../src/figures/distribution'
import { errorCurve } from '../../src/figures/error-curve'
import { errorSplit } from '../../src/figures/error-split'
import { figureOptions } from '../../src/figures/options'
import { preScaleSweep } from '../../src/figures/pre-scale-sweep'
import { scales } from '../../src/figures/scales'
import { FAILURE, W4A4 } from './fixtures'

const options = figureOptions(W4A4, { theme: 'light' })
const [rtn, quarot, flatquant] = W4A4

/** `result` with some fields of its analysis replaced. */
function withAnalysis(result: MethodResult, change: Partial<ScaleAnalysis>): MethodResult {
  if (!result.scaleAnalysis) throw new Error('the fixture has an analysis')
  return { ...result, scaleAnalysis: { ...result.scaleAnalysis, ...change } }
}

const integers: MethodResult = {
  ...withAnalysis(rtn, {
    weightScales: null,
    activationScales: null,
    split: null,
    preScaleSweep: null,
    blockSizeSweep: null,
  }),
  weightFormat: 'int4',
  activationFormat: 'nvfp4',
}

/** Values of one key over all traces. */
const all = (figure: { data: readonly object[] }, key: string) => figure.data.map((trace) => Reflect.get(trace, key))

describe('scales', () => {
  it('draws shares of all blocks, so that tiles add up to one less their zero blocks', () => {
    const [activations, weights] = all(scales.build(rtn, options), 'y')
    expect(activations).toEqual([2, 20, 0, 30, 9].map((count) => (100 * count) / 64))
    expect(weights).toEqual([0, 12, 80, 36, 0].map((count) => (100 * count) / 128))
    expect(all(scales.build(rtn, options), 'x')).toEqual([
      [-5, -4, -3, -2, -1],
      [-7, -6, -5, -4, -3],
    ])
  })

  it('shares its axes among the methods', () => {
    const wide = withAnalysis(quarot, {
      activationScales: { firstExponent: 3, counts: [60, 0, 0], zeroBlocks: 0, blocks: 60 },
    })
    const shared = figureOptions([rtn, wide], { theme: 'light' })
    for (const result of [rtn, wide]) {
      const { xaxis, yaxis } = scales.build(result, shared).layout
      expect(xaxis?.range).toEqual([-7, 6])
      expect(yaxis?.range?.[1]).toBeCloseTo(108)
    }
  })

  it('says what is most frequent, and how many blocks are zero', () => {
    expect(scales.describe(rtn, options)).toBe(
      'RTN: X′ takes 5 exponents, −5 to −1; W′ takes 3 exponents, −6 to −4. Most frequent: −2 in X′ (47 % of the ' +
        'blocks) and −5 in W′ (63 % of the blocks); blocks of zeros only: 3 of X′.',
    )
    const narrow = { firstExponent: 2, counts: [60], zeroBlocks: 0, blocks: 60 }
    expect(scales.describe(withAnalysis(quarot, { activationScales: narrow }), options)).toBe(
      'QuaRot: X′ takes one exponent, 2, 4 fewer than RTN; W′ takes 3 exponents, −6 to −4, as many as RTN. ' +
        'Most frequent: 2 in X′ (100 % of the blocks) and −5 in W′ (63 % of the blocks).',
    )
    const wide = { firstExponent: -9, counts: [1, 2, 3, 4], zeroBlocks: 0, blocks: 10 }
    const empty = { firstExponent: 0, counts: [], zeroBlocks: 8, blocks: 8 }
    expect(scales.describe(withAnalysis(quarot, { weightScales: wide, activationScales: empty }), options)).toBe(
      'QuaRot: X′ has no block with a scale; W′ takes 4 exponents, −9 to −6, 1 more than RTN. ' +
        'Most frequent: −6 in W′ (40 % of the blocks); blocks of zeros only: 8 of X′.',
    )
    expect(JSON.stringify(scales.build(rtn, options).layout.annotations)).toContain('all-zero blocks: X′ 3, W′ 0')
    expect(scales.table(rtn, options).rows).toContainEqual(['X′', 'all zero', '3', '4.7 %'])
  })

  it('marks the ends of E8M0 only where blocks come near them', () => {
    expect(scales.build(rtn, options).layout.shapes).toEqual([])
    const tiny = withAnalysis(rtn, { weightScales: { firstExponent: -127, counts: [5], zeroBlocks: 0, blocks: 5 } })
    const { shapes } = scales.build(tiny, figureOptions([tiny], { theme: 'light' })).layout
    expect(shapes).toMatchObject([{ x0: -127, x1: -127 }])
  })

  it('says why there is nothing', () => {
    expect(scales.build(integers, options).data).toEqual([])
    expect(scales.describe(integers, options)).toBe('RTN: no operand has power-of-two scales.')
    const fp32 = { ...integers, weightFormat: 'mxfp4', scaleRule: 'fp32' }
    expect(scales.describe(fp32, options)).toBe('RTN: fp32 scales are no powers of two.')
    expect(scales.describe({ ...rtn, scaleAnalysis: null }, options)).toBe('RTN: the scales were not measured.')
  })
})

describe('error-split', () => {
  const figure = errorSplit.build([...W4A4, FAILURE], options)

  it('gives each operand of each method its share, negative ones included', () => {
    const [owed, elements] = all(figure, 'y') as number[][]
    const expected = [10, 12, 20, 25, 30, 45, -4, 20, 15]
    for (const [i, share] of expected.entries()) {
      expect(owed[i]).toBeCloseTo(share, 9)
      expect(elements[i]).toBeCloseTo(100 - share, 9)
    }
    expect(figure.layout.barmode).toBe('relative')
    expect(errorSplit.describe([flatquant], options)).toBe(
      'Without pre-scale, FlatQuant owes 15 % of its squared output error to power-of-two scales: ' +
        'W −4.0 %, X 20 %, both 15 %. The pre-scale in use changes the squared error by +0.20 %.',
    )
    expect(errorSplit.describe(W4A4, options)).toBe(
      'Without pre-scale, share of the squared output error owed to power-of-two scales: most for QuaRot, 45 %, ' +
        'least for FlatQuant, 15 %. ' +
        'The pre-scale in use changes the squared error by +0.10 % (RTN) to +0.40 % (QuaRot).',
    )
    expect(figure.layout.yaxis?.title).toMatchObject({ text: 'squared error, no pre-scale [%]' })
  })

  it('says so where fp32 scales lower no error, and where all owe the same', () => {
    const split = { powerOfTwo: 0.1, weightFp32: 0.1, activationFp32: 0.1, bothFp32: 0.11, scaleShare: -0.21 }
    const worse = withAnalysis(rtn, { split, preScaleSweep: null })
    expect(errorSplit.describe([worse], options)).toBe(
      'Without pre-scale, fp32 scales would not lower the squared output error of RTN: W 0 %, X 0 %, both −21 %.',
    )
    expect(errorSplit.describe([{ ...worse, activationFormat: null }], options)).toMatch(/of RTN \(0 %\)\.$/)
    expect(errorSplit.describe([{ ...rtn, activationFormat: null }], options)).toContain(
      'RTN owes 10 % of its squared output error to power-of-two scales of W.',
    )
    const same = errorSplit.describe([rtn, { ...rtn, method: 'gptq' }], options)
    expect(same).toContain('scales: 20 % for all 2 results.')
    expect(same).toContain('by +0.10 % for all 2 results.')
    expect(errorSplit.describe([rtn, worse, quarot], options)).toContain(
      'least for RTN, −21 %; fp32 scales would raise the error of RTN.',
    )
  })

  it('says what the pre-scale in use adds or removes, where it was swept', () => {
    const swept = (outputSqnrDb: number, change: Partial<MethodResult> = {}) => {
      const split = { powerOfTwo: 0.1, weightFp32: 0.1, activationFp32: 0.1, bothFp32: 0.1, scaleShare: 0 }
      const preScaleSweep = { variant: 'literal' as const, values: [0.5, 0.72, 1], outputSqnrDb: [0, outputSqnrDb, 20] }
      const used = { preScale: 0.72, preScaleVariant: 'literal' as const, ...change }
      return errorSplit.describe([{ ...withAnalysis(rtn, { split, preScaleSweep }), ...used }], options)
    }
    expect(swept(19)).toMatch(/changes the squared error by \+26 %\.$/)
    expect(swept(21)).toMatch(/changes the squared error by −21 %\.$/)
    expect(swept(20)).toMatch(/changes the squared error by 0 %\.$/)
    for (const other of [
      { preScale: null },
      { preScale: 1 },
      { preScale: 0.6 },
      { preScaleVariant: 'exact' as const },
    ]) {
      expect(swept(19, other), JSON.stringify(other)).not.toContain('changes the squared error')
    }
  })

  it('leaves out operands whose scales are no powers of two', () => {
    const weightOnly = { ...rtn, activationFormat: null }
    expect(errorSplit.table([weightOnly], options).rows.map(([, , operands]) => operands)).toEqual(['W'])
    expect(errorSplit.build([integers], options).data).toEqual([])
    expect(errorSplit.describe([integers], options)).toContain('No operand has power-of-two scales')
  })

  it('divides nothing by an error of zero', () => {
    const split = { powerOfTwo: 0, weightFp32: 0, activationFp32: 0, bothFp32: 0, scaleShare: 0 }
    expect(errorSplit.build([withAnalysis(rtn, { split })], options).data).toEqual([])
  })
})

describe('sweeps', () => {
  it('draw one line per method and mark the value in use', () => {
    const figure = preScaleSweep.build([...W4A4, FAILURE], options)
    expect(all(figure, 'name')).toEqual(['RTN, W4A4', 'QuaRot, W4A4', 'FlatQuant, W4A4'])
    expect(figure.layout.shapes).toMatchObject([{ x0: 0.75, x1: 0.75 }])
    const blocks = blockSizeSweep.build(W4A4, options)
    expect(blocks.layout.shapes).toMatchObject([{ x0: 5, x1: 5 }])
    expect(all(blocks, 'x')[0]).toEqual([3, 4, 5, 6, 7])
  })

  it('mark the factor 1 where no pre-scale is used, and a factor between those swept where it lies', () => {
    const off = preScaleSweep.build([{ ...rtn, preScale: null }], options)
    expect(off.layout.shapes).toMatchObject([{ x0: 1 }])
    expect(JSON.stringify(off.layout.annotations)).toContain('dotted: in use, 1 (off)')
    const between = [{ ...rtn, preScale: 0.72 }]
    expect(preScaleSweep.build(between, options).layout.shapes).toMatchObject([{ x0: 0.72 }])
    expect(preScaleSweep.describe(between, options)).not.toContain('in use')
  })

  it('name the variant that was swept, and mark no value of another one', () => {
    const swept = rtn.scaleAnalysis?.preScaleSweep
    if (!swept) throw new Error('the fixture has a sweep')
    const literal = withAnalysis(rtn, { preScaleSweep: { ...swept, variant: 'literal' } })
    const figure = preScaleSweep.build([{ ...literal, preScaleVariant: 'literal' }], options)
    expect(figure.layout.xaxis?.title).toMatchObject({ text: 'pre-scale factor, literal variant [×]' })
    expect(figure.layout.shapes).toMatchObject([{ x0: 0.75 }])
    expect(preScaleSweep.table([literal], options).columns[2]).toBe('pre-scale factor, literal variant [×]')
    expect(preScaleSweep.describe([literal], options)).toMatch(
      /^Pre-scale, literal variant: output SQNR of RTN [^.]*14\.1 dB [^.]*\.\d to 1 \(off\)\.$/,
    )
    const other = preScaleSweep.build([literal], options)
    expect(other.layout.shapes).toEqual([])
    expect(JSON.stringify(other.layout.annotations)).not.toContain('in use')
    const off = preScaleSweep.build([{ ...literal, preScale: null, preScaleVariant: null }], options)
    expect(off.layout.shapes).toMatchObject([{ x0: 1 }])
  })

  it('say how it goes, which value is best, and what the one in use costs', () => {
    const bent = { variant: 'exact' as const, values: [0.5, 0.75, 0.9, 1], outputSqnrDb: [12, 13.5, 14.2, 14] }
    expect(preScaleSweep.describe([withAnalysis(rtn, { preScaleSweep: bent })], options)).toBe(
      'Pre-scale, exact variant: output SQNR of RTN rises to 14.2 dB at 0.9, then falls to 14.0 dB at 1 (off). ' +
        '0.75, in use, is 0.7 dB below the best.',
    )
    expect(blockSizeSweep.describe([quarot], options)).toBe(
      'Block size: output SQNR of QuaRot falls from 13.9 dB at 8 to 7.9 dB at 128. ' +
        '32, in use, is 3.0 dB below the best.',
    )
    expect(blockSizeSweep.describe(W4A4, options)).toBe(
      'Block size: output SQNR falls from 8 to 128 for all 3 lines, most for QuaRot (6.0 dB). ' +
        '32, in use, is up to 3.0 dB below the best (QuaRot).',
    )
    const silent = { values: [8, 16], outputSqnrDb: [Number.NaN, Number.NaN] }
    expect(blockSizeSweep.describe([withAnalysis(rtn, { blockSizeSweep: silent })], options)).toBe(
      'Block size: no output SQNR is a number.',
    )
  })

  it('say that they leave the output alone where the setting quantizes it', () => {
    const cached = [{ ...rtn, outputFormat: 'mxfp4' }]
    expect(blockSizeSweep.describe(cached, options)).toContain('below the best; Y is not quantized here.')
    expect(errorSplit.describe(cached, options)).toContain('; Y is not quantized here.')
    expect(errorSplit.describe([rtn], options)).not.toContain('Y is not')
  })

  it('leave a gap for an exact product, which has no decibels', () => {
    const exact = withAnalysis(rtn, { blockSizeSweep: { values: [8, 16], outputSqnrDb: [Infinity, 20] } })
    const figure = blockSizeSweep.build([exact], options)
    expect(all(figure, 'y')).toEqual([[null, 20]])
    expect(figure.layout.yaxis?.range).toEqual([19.5, 20.5])
    expect(blockSizeSweep.table([exact], options).rows[0]).toEqual(['RTN', 'W4A4', '8', '∞'])
  })

  it('say why there is nothing', () => {
    expect(preScaleSweep.build([integers], options).data).toEqual([])
    expect(preScaleSweep.describe([integers], options)).toContain('No operand has a 4-bit MX format')
    expect(blockSizeSweep.describe([integers], options)).toContain('No operand has an MX format')
  })
})

describe('clipping', () => {
  it('draws both ends of the grid on axes of their own, with the numbers written', () => {
    const figure = clipping.build([rtn, FAILURE], options)
    expect(all(figure, 'text')).toEqual([
      ['0 %', '0.12 %'],
      ['9.8 %', '31 %'],
    ])
    expect(figure.layout.yaxis2?.range?.[1]).toBeCloseTo(39)
    expect(clipping.describe([rtn], options)).toBe(
      'RTN zeroes 31 % of X′ and 9.8 % of W′. RTN clips 0.12 % of X′ and nothing of W′.',
    )
    const whole = { ...rtn, weight: null, activation: { sqnrDb: 40, clippedPercent: 0, flushedPercent: 0 } }
    expect(clipping.describe([whole, { ...whole, method: 'gptq' }], options)).toBe(
      'Nothing is zeroed. Nothing is clipped.',
    )
    const kept = { ...quarot, activation: { sqnrDb: 17, clippedPercent: 0.12, flushedPercent: 5 }, weight: null }
    expect(clipping.describe([rtn, kept], options)).toBe(
      'Zeroed: 5.0 % (QuaRot) to 31 % (RTN) of X′ and 9.8 % of W′. Clipped: 0.12 % of X′ and nothing of W′.',
    )
  })

  it('shows the operands that are quantized, whatever their family', () => {
    expect(clipping.table([{ ...integers, activation: null }], options).rows).toHaveLength(1)
    expect(clipping.describe([{ ...rtn, weight: null, activation: null }], options)).toBe('No operand is quantized.')
  })
})

describe('a block size that is not the standard one', () => {
  const large = { ...rtn, blockSize: 64 }

  it('stands in the caption of every drawing of the result', () => {
    expect(distribution.describe(large, options)).toContain('dB in blocks of 64 (non-standard).')
    expect(errorCurve.describe([large, { ...quarot, blockSize: 64 }], options)).toContain(
      '; MX formats in blocks of 64 (non-standard).',
    )
    expect(errorCurve.describe(W4A4, options)).not.toContain('blocks of')
  })

  it('is no remark where the setting has no MX tensor, and so no block size', () => {
    expect(blockRemark({ ...large, blockSize: null })).toBeNull()
  })

  it('is no remark where no MX format has it', () => {
    expect(blockRemark({ ...large, weightFormat: 'nvfp4', activationFormat: null })).toBeNull()
  })
})
