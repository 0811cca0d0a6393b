import { describe, expect, it } from 'vitest'
import type { MethodResult } from '../../src/experiment/result'
import { directLabels, spread } from '../../src/figures/direct-labels'
import { distribution } from '../../src/figures/distribution'
import { envelope } from '../../src/figures/envelope'
import { errorCurve } from '../../src/figures/error-curve'
import { logTicks } from '../../src/figures/log-ticks'
import { magnitudeMap } from '../../src/figures/magnitude-map'
import { figureOptions } from '../../src/figures/options'
import { training } from '../../src/figures/training'
import { FAILURE, profileOf, resultOf, TWO_SETTINGS, W4A4 } from './fixtures'

const options = figureOptions(W4A4, { theme: 'light' })

describe('captions of distributions', () => {
  const shaped = (values: readonly number[], kurtosis: number) => ({ ...profileOf(values, 2, 2), kurtosis })
  const loaded = shaped([118, -2, 0.5, 0.8], 95)
  const flat = shaped([12, -9, 10, 9.5], 3.1)
  const at = (method: string, decibels: number, profile = loaded) =>
    resultOf({ method, error: 10 ** (-decibels / 20), profile })
  const rtn = at('rtn', 16.1)
  const against = (result: MethodResult, reference = rtn) =>
    distribution.describe(result, figureOptions([reference, result], { theme: 'light' }))

  it('say what a method does to the activations as loaded, and what that is worth', () => {
    expect(against(at('quarot', 14.8, flat))).toBe(
      'QuaRot lowers the largest magnitude from 118 to 12.0 and the kurtosis from 95.0 to 3.1. ' +
        'Output SQNR 14.8 dB, 1.3 dB below RTN.',
    )
    expect(against(at('quarot', 17.9, shaped([240, 1, 1, 1], 40)))).toBe(
      'QuaRot raises the largest magnitude from 118 to 240 and lowers the kurtosis from 95.0 to 40.0. ' +
        'Output SQNR 17.9 dB, 1.8 dB above RTN.',
    )
    expect(against(at('quarot', 16.13, shaped([118.2, 1, 1, 1], 3)))).toBe(
      'QuaRot leaves the largest magnitude at 118 and lowers the kurtosis from 95.0 to 3.0. ' +
        'Output SQNR 16.1 dB, level with RTN.',
    )
  })

  it('say so where nothing is reshaped, or there is nothing to compare with', () => {
    expect(against(rtn)).toBe(
      'RTN leaves the activations as loaded: largest magnitude 118, kurtosis 95.0. Output SQNR 16.1 dB.',
    )
    expect(against(at('gptq', 17))).toMatch(/^GPTQ leaves the activations as loaded: /)
    const alone = at('quarot', 14.8, flat)
    expect(distribution.describe(alone, figureOptions([alone], { theme: 'light' }))).toBe(
      'QuaRot: largest magnitude 12.0, kurtosis 3.1. Output SQNR 14.8 dB.',
    )
  })

  it('have words for an exact output, a silent layer and one that has no SQNR', () => {
    expect(against(at('quarot', Number.POSITIVE_INFINITY, flat))).toMatch(/3\.1\. The output is exact\.$/)
    const exactReference = at('rtn', Number.POSITIVE_INFINITY)
    expect(against(at('quarot', 14.8, flat), exactReference)).toMatch(/Output SQNR 14\.8 dB\.$/)
    const silent = at('quarot', Number.NaN, { ...shaped([1, 1, 1, 1], Number.NaN), maxAbsolute: 0 })
    expect(against(silent)).toBe('QuaRot: all elements are zero. The output SQNR is not defined.')
    expect(against(at('quarot', 10, { ...flat, kurtosis: Number.NaN }))).toMatch(/^QuaRot lowers .* to 12\.0\. /)
  })

  it('give the difference of the decibels that are shown', () => {
    expect(against(at('quarot', 22.551, flat), at('rtn', 22.041))).toContain('Output SQNR 22.6 dB, 0.6 dB above RTN.')
  })

  it('of the map and the surface say where the largest magnitude goes, and how many cells stand out', () => {
    const cells = (values: readonly number[], change = {}) => {
      const map = { rows: 2, cols: 2, values: Float32Array.from(values), tokens: 2, channels: 2, ...change }
      return { ...loaded, map, maxAbsolute: Math.max(...values) }
    }
    const words = (result: MethodResult, reference: MethodResult | null) =>
      magnitudeMap.describe(result, { ...options, reference })
    const before = at('rtn', 16, cells([118, 0.5, 0.5, 0.5]))
    const mapped = (values: readonly number[], change = {}) => at('quarot', 16, cells(values, change))
    expect(words(before, before)).toBe(
      'RTN: the largest magnitude, 118, is at channel 0, token 0. 25 % of the cells exceed ten times the median cell.',
    )
    expect(words(mapped([4, 3, 12, 3]), before)).toBe(
      'QuaRot moves the largest magnitude from channel 0, token 0 to channel 0, token 1 and lowers it from 118 to ' +
        '12.0. None of the cells exceeds ten times the median cell, 25 % as loaded.',
    )
    expect(words(mapped([1, 118, 1, 1]), before)).toContain('to channel 1, token 0 and leaves it at 118.')
    expect(words(mapped([240, 1, 1, 1]), before)).toContain(
      'QuaRot raises the largest magnitude, at channel 0, token 0, from 118 to 240.',
    )
    expect(words(mapped([118, 1, 1, 1]), before)).toContain('leaves the largest magnitude, 118, at channel 0, token 0.')
    expect(words(mapped([0, 0, 0, 9], { tokens: 7, channels: 10 }), null)).toContain('is at channels 5–9, tokens 3–6.')
    expect(words(mapped([0, 0, 0, 0]), before)).toBe('QuaRot: all activations are zero.')
  })

  it('of the channels compare the largest with the median', () => {
    expect(envelope.describe(at('quarot', 14.8, flat), { ...options, reference: rtn })).toBe(
      'QuaRot lowers the largest magnitude from 118 to 12.0 and the maximum of the median channel from 60.0 to 10.8. ' +
        'Channel 0 is the largest, 1.1 times the median channel and 1.1 times its own rms.',
    )
    const silent = { ...flat, maxAbsolute: 0, channelMax: new Float32Array(2), channelRms: new Float32Array(2) }
    expect(envelope.describe(at('quarot', 1, silent), { ...options, reference: rtn })).toBe(
      'QuaRot: all elements are zero.',
    )
  })
})

describe('error-curve', () => {
  const figure = errorCurve.build([...TWO_SETTINGS, FAILURE], options)

  it('orders settings from mild to harsh', () => {
    expect(figure.layout.xaxis?.categoryarray).toEqual(['W8A8', 'W4A4'])
  })

  it('marks the setting in use where there are several', () => {
    expect(figure.layout.shapes).toMatchObject([{ x0: 'W4A4', x1: 'W4A4' }])
    expect(JSON.stringify(figure.layout.annotations)).toContain('small hollow: calibration rows, dotted: in use, W4A4')
    const unmarked = [errorCurve.build(W4A4, options), errorCurve.build(TWO_SETTINGS, { ...options, setting: 'W4A8' })]
    for (const { layout } of unmarked) expect(layout.shapes).toEqual([])
  })

  it('draws calibration as hollow marks without a line, evaluation as a line, and nothing for a failure', () => {
    const modes = figure.data.map((trace) => ('mode' in trace ? trace.mode : ''))
    expect(modes).toEqual([
      'markers',
      'lines+markers',
      'markers',
      'lines+markers',
      'markers',
      'lines+markers',
      'markers',
      'lines+markers',
    ])
    for (const trace of figure.data) {
      if ('mode' in trace && trace.mode === 'markers') expect(JSON.stringify(trace)).toContain('-open"')
    }
    expect(JSON.stringify(figure)).not.toContain('MR-GPTQ')
  })

  it('leaves the calibration marks out when both are measured on the same rows', () => {
    const same = W4A4.map((result) => ({ ...result, calibration: result.evaluation }))
    expect(errorCurve.build(same, options).data.length).toBe(W4A4.length)
  })

  it('names failures with their reason in words and in the table', () => {
    const outcomes = [...W4A4, FAILURE]
    expect(errorCurve.describe(outcomes, options)).toContain('MR-GPTQ under W4A4 failed: the device ran out of memory')
    expect(errorCurve.table(outcomes, options).rows[3][2]).toBe('failed: the device ran out of memory')
  })

  it('says so when there is nothing yet', () => {
    expect(errorCurve.describe([], options)).toBe('No result yet.')
    expect(errorCurve.build([], options).data).toEqual([])
  })
})

describe('the caption of the error curve', () => {
  const of = (method: string, error: number, setting = 'W4A4') =>
    resultOf({ method, setting, error, profile: W4A4[0].profile })
  const says = (...results: readonly MethodResult[]) => errorCurve.describe(results, options)

  it('says who is lowest, and who is above or below RTN', () => {
    expect(says(of('rtn', 0.2))).toBe('RTN has an output relative error of 0.2000 under W4A4.')
    expect(says(...W4A4)).toBe(
      'Under W4A4 FlatQuant is lowest with an output relative error of 0.1013. ' +
        'Against RTN QuaRot is above and FlatQuant is below.',
    )
    expect(errorCurve.describe([...TWO_SETTINGS, FAILURE], options)).toBe(
      'Lowest output relative error: FlatQuant under W8A8 (0.0221), FlatQuant* under W4A4 (0.0952). Against RTN QuaRot ' +
        'is above and FlatQuant and FlatQuant* are below wherever both are computed; MR-GPTQ under W4A4 failed: the ' +
        'device ran out of memory.',
    )
  })

  it('says over which settings a method stays lowest', () => {
    const rtn = [of('rtn', 0.03, 'W8A8'), of('rtn', 0.2)]
    const flat = [of('flatquant', 0.02, 'W8A8'), of('flatquant', 0.1)]
    expect(says(...rtn, ...flat)).toBe(
      'FlatQuant stays lowest from W8A8 to W4A4, with 0.0200 to 0.1000. ' +
        'Against RTN FlatQuant is below wherever both are computed.',
    )
    expect(says(...rtn, ...flat, of('rtn', 0.3, 'int4/int4'), of('flatquant', 0.2, 'int4/int4'))).toContain(
      'FlatQuant stays lowest in all 3 settings, with 0.0200 to 0.2000.',
    )
    expect(says(...rtn)).toBe('RTN has an output relative error of 0.0300 to 0.2000 from W8A8 to W4A4.')
    expect(says(...rtn, of('quarot', 0.03, 'W8A8'), of('quarot', 0.2))).toBe(
      'RTN and QuaRot stay level and lowest from W8A8 to W4A4, with 0.0300 to 0.2000. ' +
        'Against RTN QuaRot is level wherever both are computed.',
    )
  })

  it('calls level what reads the same, counts many names, and says where a method is on both sides of RTN', () => {
    expect(says(of('rtn', 0.2), of('quarot', 0.10001), of('flatquant', 0.1))).toContain(
      'Under W4A4 QuaRot and FlatQuant are level and lowest with an output relative error of 0.1000.',
    )
    const four = ['quarot', 'flatquant', 'awq', 'gptq'].map((method) => of(method, 0.1))
    expect(says(of('rtn', 0.2), ...four)).toContain('4 methods are level and lowest')
    expect(says(of('rtn', 0.03, 'W8A8'), of('rtn', 0.2), of('quarot', 0.04, 'W8A8'), of('quarot', 0.1))).toContain(
      'Against RTN QuaRot is above or below depending on the setting.',
    )
  })

  it('has words for an exact output, for none that can be compared, and for failures alone', () => {
    expect(says(of('rtn', 0.2), of('quarot', 0))).toContain('QuaRot is lowest with an output relative error of 0.0000.')
    expect(says(of('rtn', Number.NaN), of('quarot', Number.NaN))).toBe('No output error is a finite number.')
    expect(errorCurve.describe([FAILURE], options)).toBe(
      'No result yet. MR-GPTQ under W4A4 failed: the device ran out of memory.',
    )
  })
})

describe('a setting of formats by hand', () => {
  const custom = ['rtn', 'quarot'].map((method) =>
    resultOf({ method, setting: 'mxfp6_e2m3/mxint8', error: 0.05, profile: W4A4[0].profile }),
  )
  const figure = errorCurve.build([...TWO_SETTINGS, ...custom], options)

  it('is written by the labels of its formats', () => {
    expect(figure.layout.xaxis).toMatchObject({
      categoryarray: ['W8A8', 'W4A4', 'MXFP6 E2M3 / MXINT8'],
      ticktext: ['W8A8', 'W4A4', 'MXFP6 E2M3 /<br>MXINT8'],
    })
    expect(errorCurve.describe(custom, options)).toBe(
      'Under MXFP6 E2M3 / MXINT8 RTN and QuaRot are level with an output relative error of 0.0500. ' +
        'Against RTN QuaRot is level.',
    )
    expect(errorCurve.table(custom, options).rows[0][1]).toBe('MXFP6 E2M3 / MXINT8')
  })

  it('stands alone: no line leads to it', () => {
    const rtn = figure.data.find((trace) => 'name' in trace && trace.name === 'RTN')
    expect(rtn).toMatchObject({ y: [0.0277, 0.1964, null, 0.05], mode: 'lines+markers' })
    expect(rtn).not.toHaveProperty('connectgaps', true)
  })
})

describe('training', () => {
  it('draws learned methods only and marks the step that was kept', () => {
    const figure = training.build(W4A4, options)
    expect(figure.data.map((trace) => ('x' in trace ? trace.x : null))).toEqual([[0, 50, 100, 150], [100]])
    expect(training.describe(W4A4, options)).toBe(
      'FlatQuant under W4A4: training lowers the error by 67 %, from 0.3100 to 0.1010 at step 100 of 150, which is kept.',
    )
  })

  it('says so when no method is learned', () => {
    expect(training.describe([W4A4[0]], options)).toBe('None of these methods is learned.')
  })
})

describe('labels at line ends', () => {
  it('keep their order and a distance, inside the axis', () => {
    const placed = spread([0.5, 0.51, 0.52, 0.99], 0.1, [0, 1])
    expect(placed).toEqual([0.5, expect.closeTo(0.6), expect.closeTo(0.7), 0.99])
    const top = spread([1, 0.98, 0.97], 0.1, [0, 1])
    expect(top).toEqual([1, expect.closeTo(0.9), expect.closeTo(0.8)])
  })

  it('stand at the end of their line with glyph and name', () => {
    const labels = directLabels([{ text: '▲ QuaRot', method: 'quarot', x: 'W4A4', y: -0.5 }], [-2, 0], 'light')
    expect(labels[0]).toMatchObject({ name: 'quarot', text: '▲ QuaRot', x: 'W4A4', y: -0.5, xanchor: 'left' })
  })
})

it('log axes are ticked at 1, 2, 5 over few decades and at powers of ten over many, written as decimals', () => {
  expect(logTicks({ min: 0.018, max: 0.3 })).toEqual({
    tickvals: [0.02, 0.05, 0.1, 0.2],
    ticktext: ['0.02', '0.05', '0.1', '0.2'],
  })
  expect(logTicks({ min: 0.8, max: 2.1e6 }).ticktext).toEqual(['1', '10', '100', '1k', '10k', '100k', '1M'])
})
