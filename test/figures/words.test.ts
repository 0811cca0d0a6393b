import { describe, expect, it } from 'vitest'
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

describe('captions are computed from the numbers', () => {
  const profile = { ...profileOf([11.4, -2, 1, 0.5], 2, 2), kurtosis: 3.1 }
  const quarot = resultOf({ method: 'quarot', error: 10 ** (-14.8 / 20), profile })
  const rtn = resultOf({ method: 'rtn', error: 10 ** (-16.1 / 20), profile })

  it('compares with round-to-nearest where it is there', () => {
    const both = figureOptions([rtn, quarot], { theme: 'light' })
    expect(distribution.describe(quarot, both)).toBe(
      'QuaRot: maximum 11.4, kurtosis 3.1, output SQNR 14.8 dB, 1.3 dB below RTN',
    )
    expect(distribution.describe(rtn, both)).toBe('RTN: maximum 11.4, kurtosis 3.1, output SQNR 16.1 dB')
    const alone = figureOptions([quarot], { theme: 'light' })
    expect(distribution.describe(quarot, alone)).toBe('QuaRot: maximum 11.4, kurtosis 3.1, output SQNR 14.8 dB')
  })

  it('says "above", and "level" where one decimal shows no difference', () => {
    const better = resultOf({ method: 'flatquant', error: 10 ** (-17.9 / 20), profile })
    const same = resultOf({ method: 'gptq', error: 10 ** (-16.13 / 20), profile })
    const all = figureOptions([rtn, better, same], { theme: 'light' })
    expect(distribution.describe(better, all)).toContain('1.8 dB above RTN')
    expect(distribution.describe(same, all)).toContain('level with RTN')
  })

  it('gives the difference of the decibels that are shown', () => {
    const [higher, lower] = [22.55, 22.04].map((sqnr, i) =>
      resultOf({ method: i === 0 ? 'quarot' : 'rtn', error: 10 ** (-(sqnr + 0.001) / 20), profile }),
    )
    const both = figureOptions([lower, higher], { theme: 'light' })
    expect(distribution.describe(higher, both)).toContain('output SQNR 22.6 dB, 0.6 dB above RTN')
  })

  it('says where the largest magnitude is', () => {
    expect(magnitudeMap.describe(quarot, options)).toContain('; largest at channel 0, token 0')
    const map = { rows: 2, cols: 3, values: Float32Array.of(0, 0, 0, 0, 0, 9), tokens: 7, channels: 10 }
    const pooled = resultOf({ method: 'rtn', error: 0.1, profile: { ...profile, map } })
    expect(magnitudeMap.describe(pooled, options)).toContain('; largest at channels 6–9, tokens 3–6')
    expect(envelope.describe(quarot, options)).toContain('; largest in channel 0, whose rms is 8.09')
  })
})

describe('error-curve', () => {
  const figure = errorCurve.build([...TWO_SETTINGS, FAILURE], options)

  it('orders settings from mild to harsh and methods by error', () => {
    expect(figure.layout.xaxis?.categoryarray).toEqual(['W8A8', 'W4A4'])
    expect(errorCurve.describe(TWO_SETTINGS, options)).toBe(
      'Output relative error, least first. W8A8: FlatQuant 0.0221, RTN 0.0277, QuaRot 0.0279. ' +
        'W4A4: FlatQuant* 0.0952, FlatQuant 0.1013, RTN 0.1964, QuaRot 0.2841',
    )
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
    expect(errorCurve.describe([], options)).toBe('No result yet')
    expect(errorCurve.build([], options).data).toEqual([])
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
    expect(errorCurve.describe(custom, options)).toContain('MXFP6 E2M3 / MXINT8: RTN 0.0500')
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
    expect(training.describe(W4A4, options)).toBe('FlatQuant under W4A4: from 0.3100 to 0.1010, kept step 100 of 150')
  })

  it('says so when no method is learned', () => {
    expect(training.describe([W4A4[0]], options)).toBe('None of these methods is learned')
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
    const labels = directLabels([{ text: '▲ QuaRot', x: 'W4A4', y: -0.5 }], [-2, 0], 'light')
    expect(labels[0]).toMatchObject({ text: '▲ QuaRot', x: 'W4A4', y: -0.5, xanchor: 'left' })
  })
})

it('log axes are ticked at 1, 2, 5 over few decades and at powers of ten over many, written as decimals', () => {
  expect(logTicks({ min: 0.018, max: 0.3 })).toEqual({
    tickvals: [0.02, 0.05, 0.1, 0.2],
    ticktext: ['0.02', '0.05', '0.1', '0.2'],
  })
  expect(logTicks({ min: 0.8, max: 2.1e6 }).ticktext).toEqual(['1', '10', '100', '1k', '10k', '100k', '1M'])
})
