import { describe, expect, it } from 'vitest'
import type { RotationCauses } from '../../src/experiment/rotation-causes'
import type { FigureSpec } from '../../src/figures/figure'
import {
  attributionTable,
  describeAttribution,
  drawAttribution,
  largestPercent,
} from '../../src/figures/noise-attribution'
import { describeOutlierToken, drawOutlierToken, outlierTokenTable } from '../../src/figures/outlier-token'
import { describePrediction, drawPredictedError, indexTable, predictionTable } from '../../src/figures/predicted-error'
import { rotationStory, verdictOf, verdictSentence } from '../../src/figures/rotation-verdict'
import { causesOf, FAKE_WIDTH } from './rotation-fixtures'

const CAUSES = causesOf({
  weightFormat: 'mxfp4',
  activationFormat: 'mxfp4',
  method: { id: 'quarot', options: {} },
  seed: 0,
  headDim: null,
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: null,
  blockSize: 32,
})

interface Trace {
  readonly name: string
  readonly x: number[]
  readonly y: (number | null)[]
}
const traces = (spec: FigureSpec) => spec.data as unknown as Trace[]
const sum = (values: readonly (number | null)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0)

describe('noise by channel', () => {
  it('draws areas that are the squared errors, before above after, on one axis', () => {
    const spec = drawAttribution(CAUSES, 'channel', 'light')
    const [, before, , after] = traces(spec)
    expect(before.name).toBe('RTN, both noises')
    expect(sum(before.y) / 1e6).toBeCloseTo(CAUSES.before.predicted ** 2, 8)
    expect(sum(after.y) / 1e6).toBeCloseTo(CAUSES.after.predicted ** 2, 8)
    for (const at of [0, 1])
      expect(spec.layout.annotations?.[at].text).toMatch(/: predicted error 0\.\d{4}, the root of the area$/)
    expect(spec.layout.yaxis?.range).toEqual(spec.layout.yaxis2?.range)
    const [weight] = traces(spec)
    expect(sum(weight.y) / sum(before.y)).toBeCloseTo(0.4, 6)
  })

  it('keeps the areas where channels share a step', () => {
    const wide = Float32Array.from({ length: 3000 }, (_, i) => (i % 100 === 0 ? 1e-3 : 1e-6))
    const none = new Float32Array(3000)
    const part = { activationNoise: none, weightNoise: wide, bothNoise: none, predicted: 0.2, measured: 0.2 }
    const spec = drawAttribution({ ...CAUSES, before: part, after: part }, 'channel', 'dark')
    const [, { x, y }] = traces(spec)
    expect(x).toHaveLength(1000)
    expect((3 * sum(y)) / 1e6).toBeCloseTo(
      wide.reduce((total, value) => total + value, 0),
      8,
    )
    expect(x.at(-1)).toBe(2997)
  })

  it('sorts on request, largest first, on a log axis', () => {
    const spec = drawAttribution(CAUSES, 'sorted', 'light')
    const [before] = traces(spec)
    const falling = before.y.map(Number)
    expect(falling).toEqual([...falling].sort((a, b) => b - a))
    expect(before.x).toEqual(Array.from({ length: FAKE_WIDTH }, (_, i) => i))
    expect(spec.layout.yaxis?.type).toBe('log')
    expect(spec.layout.annotations?.at(-1)?.text).toMatch(/, log$/)
  })

  it('says not to read the areas where the sums miss what was measured', () => {
    expect(describeAttribution(CAUSES)).not.toContain('do not read')
    const correlated = { ...CAUSES, before: { ...CAUSES.before, measured: 0.34 } }
    expect(describeAttribution(correlated)).toMatch(
      /Under RTN errors of different channels add up or cancel.*do not read the areas\.$/,
    )
    const text = drawAttribution(correlated, 'channel', 'light').layout.annotations?.[0].text
    expect(text).toContain('RTN: predicted error 0.2000, measured 0.3400: do not read the areas')
  })

  it('says how much the largest channels make', () => {
    // Four channels of weight 30 and four of 1 among 36 of 1: 124 of 156.
    expect(largestPercent(CAUSES.before)).toBeCloseTo((100 * 124) / 156, 4)
    expect(describeAttribution(CAUSES)).toBe(
      'QuaRot spreads the noise over more channels: the 8 channels with most of it make 79 % of the predicted squared error ' +
        'under RTN, 20 % after. Pale is noise of W, full is noise of X.',
    )
    expect(describeAttribution({ ...CAUSES, before: CAUSES.after, after: CAUSES.before })).toMatch(
      /^QuaRot gathers the noise in fewer channels: .* make 20 % .* 79 % after\./,
    )
    expect(describeAttribution({ ...CAUSES, before: CAUSES.after })).toMatch(
      /^QuaRot leaves the noise as spread as it is: .* make 20 % of the predicted squared error, under RTN and after\./,
    )
    const { columns, rows } = attributionTable(CAUSES)
    expect(rows).toHaveLength(FAKE_WIDTH)
    expect(rows[0]).toHaveLength(columns.length)
  })
})

describe('measured and predicted', () => {
  it('draws both errors and the closed form as a line over all', () => {
    const spec = drawPredictedError(CAUSES, 'light')
    expect(traces(spec).map(({ y }) => y)).toEqual([
      [CAUSES.before.measured, CAUSES.after.measured],
      [CAUSES.before.predicted, CAUSES.after.predicted],
    ])
    expect(spec.layout.shapes?.[0]).toMatchObject({ y0: 0.2465, y1: 0.2465 })
    expect(spec.layout.annotations?.[0].text).toBe('closed form 0.2465')
  })

  it('takes the closed form as a rule of thumb, and says what it missed', () => {
    const near = describePrediction(CAUSES)
    expect(near).toContain("RTN's error is within 25 % of it, about as far as the rule can be off, so it cannot tell")
    expect(near).toMatch(
      /^QuaRot raises the output error from 0\.1980 to 0\.2178\. Rule of thumb for a rotation of all channels: 0\.2465, off by \+13\.2 %; /,
    )
    expect(near).toMatch(/; mismatch index 2\.9: large activations meet small weights\.$/)
    const level = { ...CAUSES, after: { ...CAUSES.after, measured: CAUSES.before.measured } }
    expect(describePrediction(level)).toMatch(/^QuaRot leaves the output error at 0\.1980\./)
    expect(describePrediction({ ...CAUSES, closedForm: 0.4 })).toContain(
      '51 % below it, so such a rotation should hurt',
    )
    const far = describePrediction({ ...CAUSES, closedForm: 0.1, mismatch: 0.5 })
    expect(far).toMatch(/98 % above it, so such a rotation should help.*large weights\.$/)
    expect(predictionTable(CAUSES).rows).toEqual([
      ['RTN, from the channels', '0.1980', '0.2000', '+1.0 %'],
      ['QuaRot, from the channels', '0.2178', '0.2200', '+1.0 %'],
      ['QuaRot, closed form', '0.2178', '0.2465', '+13.2 %'],
    ])
    expect(indexTable(CAUSES).rows.map(([name, value]) => [name, value])).toContainEqual(['mismatch index', '2.90'])
  })

  it('says nothing of a closed form where a rotation stays within blocks', () => {
    const within = { ...CAUSES, method: { id: 'block-hadamard', options: {} } }
    expect(drawPredictedError(within, 'light').layout.shapes).toBeUndefined()
    expect(describePrediction(within)).not.toMatch(/should|rule/i)
    expect(describePrediction(within)).toContain('It mixes channels within blocks only')
    expect(predictionTable(within).rows).toHaveLength(2)
  })

  it('names what is rounded', () => {
    const title = (causes: RotationCauses) => drawPredictedError(causes, 'light').layout.xaxis?.title
    expect(title(CAUSES)).toMatchObject({ text: 'weights and activations rounded' })
    expect(title({ ...CAUSES, activationFormat: null })).toMatchObject({ text: 'weights rounded' })
  })
})

describe('the verdict', () => {
  const judged = (ratios: readonly number[], seeds = ratios.length, isRandom = true) => ({
    method: 'quarot',
    ratios,
    seeds,
    isRandom,
  })

  it('is by the mean over the seeds, with a margin of 2 %, and not before all are there', () => {
    expect(verdictOf(judged([1.03, 1.02, 1.03]))).toBe('hurts')
    expect(verdictOf(judged([1.05, 0.99]))).toBe('undecided')
    expect(verdictOf(judged([1.01, 1.02]))).toBe('undecided')
    expect(verdictOf(judged([0.97, 0.97]))).toBe('helps')
    expect(verdictOf(judged([1.5, 1.5], 5))).toBe('pending')
    expect(verdictSentence(judged([1.5, 1.5], 5))).toBe(
      'QuaRot is being measured: error over that of RTN 1.50 with this seed, 2 of 5 seeds so far',
    )
    expect(verdictSentence(judged([1.1, 1.2]))).toBe(
      'QuaRot hurts here: error over that of RTN 1.15 on average over 2 seeds (1.10 to 1.20), 1.10 with this one',
    )
    expect(verdictSentence(judged([Number.NaN]))).toBeNull()
  })

  it('takes 10 % of one random rotation alone, and 2 % of one without a random choice', () => {
    expect(verdictOf(judged([1.08]))).toBe('undecided')
    expect(verdictOf(judged([1.12]))).toBe('hurts')
    expect(verdictOf(judged([1.08], 1, false))).toBe('hurts')
    expect(verdictSentence(judged([1.36], 1, false))).toBe(
      'QuaRot hurts here: error over that of RTN 1.36, without a random choice',
    )
  })

  it('has a story that depends on how the formats scale', () => {
    expect(rotationStory('mxfp4', 'mxfp4')).toContain('four-bit floats round badly')
    expect(rotationStory('int4', 'int4')).toContain('An integer row has one scale')
    expect(rotationStory('int8', 'int8')).toContain('With more than four bits')
    expect(rotationStory('int4', null)).toContain('no token is rounded')
    expect(rotationStory('int4', 'int4')).not.toContain('four-bit floats')
  })
})

describe('the outlier token', () => {
  it('draws every channel, and how many channels have each value', () => {
    const spec = drawOutlierToken(CAUSES, 'light')
    const [values, histogram, rotated, twoValued] = traces(spec)
    expect(values.y[7]).toBe(64)
    expect(sum(histogram.x)).toBe(FAKE_WIDTH)
    expect(sum(twoValued.x)).toBe(FAKE_WIDTH)
    expect(rotated.y).toHaveLength(FAKE_WIDTH)
    // Nothing near zero after the rotation.
    const middle = twoValued.y.findIndex((centre) => Math.abs(Number(centre)) < 1e-9)
    expect(twoValued.x[middle]).toBe(0)
    expect(histogram.x[middle]).toBeGreaterThan(30)
  })

  it('keeps the outlier where channels share points', () => {
    const values = new Float32Array(9000).fill(0.5)
    values[4567] = -80
    const state = { ...CAUSES.token.before, values }
    const spec = drawOutlierToken({ ...CAUSES, token: { ...CAUSES.token, before: state, after: state } }, 'dark')
    const [{ x, y }] = traces(spec)
    expect(x.length).toBeLessThanOrEqual(4096)
    expect(y[x.indexOf(4567)]).toBe(-80)
  })

  it('says what happens to the other channels', () => {
    expect(describeOutlierToken(CAUSES)).toBe(
      'In evaluation token 12 channel 7 holds 99.5 % of the energy; QuaRot lowers its kurtosis from 38.6 to 1.2 ' +
        '(two-valued: 1). QuaRot raises the rounding error of its other channels from 23 % to 38 % of their norm.',
    )
    const { token } = CAUSES
    const exact = { ...token.before, otherChannelsError: 0 }
    expect(describeOutlierToken({ ...CAUSES, token: { ...token, before: exact, after: exact } })).toBe(
      'In evaluation token 12 channel 7 holds 99.5 % of the energy; QuaRot leaves its kurtosis at 38.6 (two-valued: 1).',
    )
    expect(outlierTokenTable(CAUSES).rows[7].slice(0, 2)).toEqual(['7', '64.0'])
  })
})

it('draws a layer of zeros without a NaN or an infinity', () => {
  const none = new Float32Array(8)
  const part = { activationNoise: none, weightNoise: none, bothNoise: none, predicted: 0, measured: 0 }
  const state = { values: none, kurtosis: Number.NaN, largestShare: 0, otherChannelsError: Number.NaN }
  const silent: RotationCauses = {
    ...CAUSES,
    before: part,
    after: part,
    closedForm: 0,
    mismatch: Number.NaN,
    token: { token: 0, channel: 0, before: state, after: state },
  }
  const specs = [
    drawAttribution(silent, 'channel', 'light'),
    drawAttribution(silent, 'sorted', 'light'),
    drawPredictedError(silent, 'light'),
    drawOutlierToken(silent, 'light'),
  ]
  for (const spec of specs) {
    const text = JSON.stringify(spec, (_, value) =>
      typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
    )
    expect(text).not.toContain('BAD')
  }
  const words = [describeAttribution(silent), describePrediction(silent), describeOutlierToken(silent)]
  const cells = [attributionTable, predictionTable, outlierTokenTable].flatMap((table) => table(silent).rows.flat())
  expect([...words, ...cells].join(' ')).not.toMatch(/NaN|undefined|Infinity/)
})
