import { describe, expect, it } from 'vitest'
import { DEFAULT_OUTLIER_STUDY } from '../../src/experiment/outlier-defaults'
import type { OutlierPoint } from '../../src/experiment/outlier-study'
import type { FigureSpec } from '../../src/figures/figure'
import { methodStyle } from '../../src/figures/method-style'
import {
  type DrawnStudy,
  describeOutlierPanel,
  drawOutlierPanel,
  outlierTable,
  ratioAt,
  studySentence,
} from '../../src/figures/outlier-study'
import { describePeakedness, drawPeakedness } from '../../src/figures/peakedness-study'
import { THEME_COLOURS } from '../../src/figures/theme'
import { studyPoints } from './rotation-fixtures'

const { formats, methods } = DEFAULT_OUTLIER_STUDY
const STUDY: DrawnStudy = {
  points: studyPoints(DEFAULT_OUTLIER_STUDY),
  methods: methods.map(({ id }) => id),
  strength: 32,
}
const EMPTY: DrawnStudy = { ...STUDY, points: [] }
const changed = (change: (point: OutlierPoint) => Partial<OutlierPoint>): DrawnStudy => ({
  ...STUDY,
  points: STUDY.points.map((point) => ({ ...point, ...change(point) })),
})
const named = (spec: FigureSpec, name: string) => {
  const found = spec.data.find((trace) => 'name' in trace && trace.name === name)
  if (!found) throw new Error(`no trace ${name}`)
  return found as { x: number[]; y: (number | null)[]; line: { width: number; dash: string; color: string } }
}

describe('errors over outlier strength', () => {
  it('draws every method in its style, the closed form thin and dashed, and the strength dotted', () => {
    const spec = drawOutlierPanel(STUDY, 'mxfp4', 'light')
    const quarot = named(spec, 'QuaRot')
    expect(quarot.x).toEqual(DEFAULT_OUTLIER_STUDY.strengths)
    expect(quarot.y[0]).toBeCloseTo(0.16 * 0.94, 12)
    expect(quarot.line).toMatchObject({ color: methodStyle('quarot', 'light').colour, width: 2 })
    expect(named(spec, 'closed form').line).toMatchObject({ width: 1, dash: 'dash' })
    expect(named(spec, 'closed form').y[0]).toBeCloseTo(1.02 * 0.16 * 0.94, 12)
    expect(named(spec, 'strength').x).toEqual([32, 32])
    expect(spec.layout.xaxis?.title).toMatchObject({ text: 'outlier strength k, log' })
    expect(spec.layout.yaxis?.title).toMatchObject({ text: 'output relative error, log' })
  })

  it('has one y axis for all formats, whatever their own errors are', () => {
    const ranges = formats.map((format) => drawOutlierPanel(STUDY, format, 'dark').layout.yaxis?.range)
    expect(new Set(ranges.map(String)).size).toBe(1)
    const [low, high] = ranges[0] as [number, number]
    for (const { evaluation, predictedRotation } of STUDY.points) {
      for (const value of [evaluation ?? 1, predictedRotation]) {
        expect(Math.log10(value)).toBeGreaterThan(low)
        expect(Math.log10(value)).toBeLessThan(high)
      }
    }
  })

  it('rings where a curve crosses that of RTN, on it, and says at which strength', () => {
    const spec = drawOutlierPanel(STUDY, 'mxfp4', 'light')
    // 0.94 + 0.02 log2 k is 1 at k = 8.
    const ring = named(spec, 'crossing')
    expect(ring.x[0]).toBeCloseTo(8, 6)
    expect(ring.y[0]).toBeCloseTo(0.166, 6)
    expect(spec.layout.annotations?.map(({ text }) => text)).toContain('▲ 8.0')
    expect(drawOutlierPanel(STUDY, 'int4', 'light').layout.annotations).toEqual([])
    expect(describeOutlierPanel(STUDY, 'mxfp4')).toBe(
      'MXFP4: at k = 32 RTN is lowest with 0.1700, QuaRot highest with 0.1768, closed form of a rotation 0.1803. ' +
        'QuaRot is worse than RTN above 8.0.',
    )
  })

  it('says in a sentence what rotation does at the strength on screen', () => {
    expect(ratioAt(STUDY.points, 'mxfp4', 'quarot', 32)).toBeCloseTo(1.04, 12)
    expect(studySentence(STUDY, formats)).toBe(
      'At strength 32, QuaRot raises the error of MXFP4 by 4 % and NVFP4 by 4 % and lowers that of INT4 by 50 %',
    )
    expect(studySentence({ ...STUDY, strength: 16 }, ['mxfp4'])).toBe(
      'At strength 16, QuaRot leaves the error of MXFP4 within 2 %',
    )
    expect(studySentence(EMPTY, formats)).toBeNull()
    expect(studySentence({ ...STUDY, strength: 3 }, formats)).toBeNull()
  })

  it('says who is lowest in every case: one method, level ones, none yet', () => {
    const level = changed(({ method }) => ({ evaluation: method === 'rtn' ? 0.2 : 0.1, predictedRotation: Number.NaN }))
    expect(describeOutlierPanel(level, 'mxfp4')).toBe(
      'MXFP4: at k = 32 QuaRot and Block Hadamard are lowest with 0.1000, RTN highest with 0.2000.',
    )
    const same = changed(() => ({ evaluation: 0.2, predictedRotation: Number.NaN }))
    expect(describeOutlierPanel(same, 'mxfp4')).toBe(
      'MXFP4: at k = 32 RTN, QuaRot and Block Hadamard are level at 0.2000.',
    )
    expect(describeOutlierPanel({ ...same, methods: ['rtn'] }, 'mxfp4')).toBe(
      'MXFP4: at k = 32 RTN has an error of 0.2000.',
    )
    expect(describeOutlierPanel(EMPTY, 'mxfp4')).toBe('MXFP4: no error is computed yet.')
    expect(describeOutlierPanel({ ...STUDY, strength: 3 }, 'mxfp4')).toBe('MXFP4: QuaRot is worse than RTN above 8.0.')
  })

  it('names what failed and draws the rest', () => {
    const error = { kind: 'input', code: 'MD-01', message: 'too wide.' } as const
    const study = changed(({ method }) =>
      method === 'quarot' ? { evaluation: null, calibration: null, after: null, error } : {},
    )
    expect(describeOutlierPanel(study, 'nvfp4')).toContain('QuaRot failed (MD-01 too wide.)')
    expect(named(drawOutlierPanel(study, 'nvfp4', 'light'), 'QuaRot').y.every((y) => y === null)).toBe(true)
    expect(outlierTable(study, ['nvfp4']).rows.find(([, method]) => method === 'QuaRot')?.[3]).toBe('failed: too wide.')
    expect(studySentence(study, formats)).toBeNull()
  })

  it('gives every number as a table', () => {
    const { columns, rows } = outlierTable(STUDY, formats)
    expect(rows).toHaveLength(STUDY.points.length)
    for (const row of rows) expect(row).toHaveLength(columns.length)
    expect(rows[0]).toEqual(['MXFP4', 'RTN', '1', '0.1600', '0.1568', '1.00', '0.1534', '3.00', '3.00', '2.20', '2.20'])
  })
})

describe('how flat the activations are', () => {
  it('draws what they are dotted and what each method makes of them', () => {
    const spec = drawPeakedness(STUDY, { measure: 'kurtosis', format: 'mxfp4' }, 'light')
    expect(named(spec, 'as it is').y).toEqual([3, 6, 12, 24, 48, 96, 192, 384])
    expect(named(spec, 'QuaRot').y.every((y) => y === 3)).toBe(true)
    expect(spec.data.some((trace) => 'name' in trace && trace.name === 'RTN')).toBe(false)
    expect(describePeakedness(STUDY, { measure: 'kurtosis', format: 'mxfp4' })).toBe(
      'Kurtosis of the activations at k = 32: 96.0 as it is; QuaRot and Block Hadamard lower it to 3.00.',
    )
    expect(describePeakedness(STUDY, { measure: 'crest', format: 'int4' })).toMatch(
      /^Mean crest factor of INT4 blocks at k = 32: 12\.4 as it is/,
    )
    const kurtosisOf: Readonly<Record<string, number>> = { rtn: 96, quarot: 120, 'block-hadamard': 96.01 }
    const mixed = changed(({ method }) => ({
      before: { kurtosis: 96, crest: 1 },
      after: { kurtosis: kurtosisOf[method], crest: 1 },
    }))
    expect(describePeakedness(mixed, { measure: 'kurtosis', format: 'mxfp4' })).toBe(
      'Kurtosis of the activations at k = 32: 96.0 as it is; QuaRot raises it to 120 and Block Hadamard leaves it at 96.0.',
    )
    expect(describePeakedness({ ...mixed, methods: ['rtn'] }, { measure: 'kurtosis', format: 'mxfp4' })).toBe(
      'Kurtosis of the activations at k = 32: 96.0 as it is.',
    )
    expect(describePeakedness(EMPTY, { measure: 'kurtosis', format: 'mxfp4' })).toBe(
      'Kurtosis of the activations: nothing is computed yet.',
    )
  })
})

it('draws nothing, silence and failures without a NaN or an infinity, and colours no text', () => {
  const silent = changed(() => ({
    evaluation: 0,
    predictedRotation: Number.NaN,
    before: { kurtosis: Number.NaN, crest: Number.NaN },
    after: null,
  }))
  const { ink, mutedInk } = THEME_COLOURS.dark
  for (const study of [EMPTY, silent]) {
    const specs = [
      drawOutlierPanel(study, 'mxfp4', 'dark'),
      drawPeakedness(study, { measure: 'crest', format: 'mxfp4' }, 'dark'),
    ]
    for (const spec of specs) {
      const text = JSON.stringify(spec, (_, value) =>
        typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
      )
      expect(text).not.toContain('BAD')
      for (const { font } of spec.layout.annotations ?? []) expect([ink, mutedInk]).toContain(font?.color)
    }
    const words = [
      describeOutlierPanel(study, 'mxfp4'),
      describePeakedness(study, { measure: 'crest', format: 'mxfp4' }),
      ...outlierTable(study, formats).rows.flat(),
    ]
    expect(words.join(' ')).not.toMatch(/NaN|undefined|Infinity/)
  }
})
