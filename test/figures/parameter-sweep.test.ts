import { describe, expect, it } from 'vitest'
import type { OutputErrors, SweepPoint } from '../../src/experiment/result'
import { methodStyle } from '../../src/figures/method-style'
import {
  bestSwept,
  describeParameterSweep,
  drawParameterSweep,
  type ParameterSweep,
  parameterSweepTable,
} from '../../src/figures/parameter-sweep'
import { THEME_COLOURS } from '../../src/figures/theme'

const errors = (outputRelativeError: number): OutputErrors => ({
  outputRelativeError,
  outputSqnrDb: -20 * Math.log10(outputRelativeError),
  gain: 1,
  cosine: 1,
  maxAbsoluteError: 1,
  tokens: 32,
})
const point = (value: number, evaluation: number, calibration = evaluation): SweepPoint => ({
  value,
  evaluation: errors(evaluation),
  calibration: errors(calibration),
  error: null,
})
const failed: SweepPoint = {
  value: 1,
  evaluation: null,
  calibration: null,
  error: { kind: 'input', code: 'MD-01', message: 'too wide.' },
}

const SWEEP: ParameterSweep = {
  label: 'Migration strength α',
  lines: [
    {
      method: 'smoothquant',
      inUse: 0.5,
      points: [point(0, 0.2, 0.19), point(0.5, 0.1, 0.08), point(0.75, 0.12, 0.05)],
    },
    { method: 'smoothquant+gptq', inUse: 0.25, points: [point(0.25, 0.1, 0.1), point(0.5, 0.05, 0.04), failed] },
  ],
}

const xAxis = (sweep: ParameterSweep) => drawParameterSweep(sweep, 'light').layout.xaxis
const ranks = [0, 4, 8, 16, 32, 64].map((rank) => point(rank, 0.2 - rank / 1000))

describe('a sweep over one parameter', () => {
  it('draws evaluation errors thick in the style of the method, calibration errors thin', () => {
    const { data, layout } = drawParameterSweep(SWEEP, 'light')
    expect(data).toHaveLength(4)
    const { colour, dash } = methodStyle('smoothquant+gptq', 'light')
    expect(data[2]).toMatchObject({ mode: 'lines', line: { color: colour, width: 1, dash: 'dash' } })
    expect(data[3]).toMatchObject({ mode: 'lines+markers', line: { color: colour, width: 2, dash } })
    expect(data[1]).toMatchObject({ x: [0, 0.5, 0.75] })
    const [, decibels] = (data[1] as { y: number[] }).y
    expect(decibels).toBeCloseTo(20, 12)
    expect(data[3]).toMatchObject({ y: [expect.any(Number), expect.any(Number), null] })
    expect(layout.shapes?.map(({ x0 }) => x0)).toEqual([0.25, 0.5])
    expect(layout.annotations?.map(({ text }) => text)).toEqual([
      '■ SmoothQuant',
      '□ SmoothQuant*',
      'thin: calibration rows, dotted: in use, 0.25, 0.5',
    ])
  })

  it('leaves the thin lines out where both sets of rows are the same', () => {
    const same = { label: 'α', lines: [{ method: 'smoothquant', inUse: 0, points: [point(0, 0.2), point(1, 0.1)] }] }
    const { data, layout } = drawParameterSweep(same, 'dark')
    expect(data).toHaveLength(1)
    expect(layout.annotations?.at(-1)?.text).toBe('dotted: in use, 0')
  })

  it('spaces values by powers where they are spread so, with zero one doubling before the least', () => {
    const axis = xAxis({ label: 'Rank', lines: [{ method: 'low-rank', inUse: 32, points: ranks }] })
    expect(axis?.tickvals).toEqual([1, 2, 3, 4, 5, 6])
    expect(axis?.ticktext).toEqual(['0', '4', '8', '16', '32', '64'])
    expect(axis?.title).toMatchObject({ text: 'Rank, spaced by powers' })
    const three = [64, 128, 256].map((tokens) => point(tokens, 0.1))
    const tokens = xAxis({ label: 'Tokens', lines: [{ method: 'gptq', inUse: 256, points: three }] })
    expect(tokens?.tickvals).toEqual([6, 7, 8])
    const even = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map((value) => point(value, 0.1))
    const linear = xAxis({ label: 'α', lines: [{ method: 'smoothquant', inUse: 0.05, points: even }] })
    expect(linear?.tickvals).toEqual([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    expect(linear?.title).toMatchObject({ text: 'α' })
  })

  it('says what is best on either set of rows, what is in use, and what failed', () => {
    expect(describeParameterSweep(SWEEP)).toBe(
      'Migration strength α: output SQNR is highest at 0.5 for all 2 lines. 0.5 and 0.25, in use, are up to 6.0 dB ' +
        'below the best (SmoothQuant*); on calibration rows SmoothQuant is best at 0.75; ' +
        'SmoothQuant* fails at 1 (MD-01 too wide.).',
    )
    const broken = { label: 'Rank', lines: [{ method: 'low-rank', inUse: 1, points: [failed] }] }
    expect(describeParameterSweep(broken)).toBe('Rank: Low rank fails at 1 (MD-01 too wide.).')
    expect(describeParameterSweep({ label: 'Rank', lines: [] })).toBe('No value is computed yet.')
  })

  const line = (method: string, errorsOf: readonly number[], inUse = 9) => ({
    method,
    inUse,
    points: errorsOf.map((error, value) => point(value, error)),
  })
  it.each([
    [[0.1], 'Low rank is computed at 0 only: 20.0 dB.'],
    [[0.1, 0.1], 'Low rank stays at 20.0 dB from 0 to 1.'],
    [[0.2, 0.1], 'Low rank rises from 14.0 dB at 0 to 20.0 dB at 1.'],
    [[0.2, 0.1, 0.1001], 'Low rank rises from 14.0 dB at 0 to 20.0 dB at 1 and stays there.'],
    [[0.1, 0.2], 'Low rank falls from 20.0 dB at 0 to 14.0 dB at 1.'],
    [[0.2, 0.1, 0.15], 'Low rank rises to 20.0 dB at 1, then falls to 16.5 dB at 2.'],
    [[0.2, 0.1, 0.15, 0.12], 'Low rank is highest at 1 with 20.0 dB and lowest at 0 with 14.0 dB.'],
    [[0.2, 0.1, 0], 'Low rank rises from 14.0 dB at 0 to an exact output at 2.'],
  ])('has words for one line through %j', (errorsOf, words) => {
    const text = describeParameterSweep({ label: 'Rank', lines: [line('low-rank', errorsOf)] })
    expect(text).toBe(`Rank: output SQNR of ${words}`)
  })

  it.each([
    [[0.2, 0.1], 1, '1, in use, is level with the best.'],
    [[0.2, 0.1], 0, '0, in use, is 6.0 dB below the best.'],
    [[0.2, 0], 0, '0, in use, is not exact, the best is.'],
    [[0, 0, 0.1], 1, '1, in use, is level with the best.'],
  ])('says what the value in use costs: %j at %d', (errorsOf, inUse, words) => {
    expect(describeParameterSweep({ label: 'Rank', lines: [line('low-rank', errorsOf, inUse)] })).toContain(
      `. ${words}`,
    )
  })

  it('compares several lines by where they are best', () => {
    const says = (...lines: ParameterSweep['lines']) => describeParameterSweep({ label: 'Rank', lines })
    const [up, steeper] = [line('low-rank', [0.2, 0.1]), line('quarot+low-rank', [0.4, 0.1])]
    expect(says(up, steeper)).toBe(
      'Rank: output SQNR rises from 0 to 1 for all 2 lines, most for QuaRot + low rank (12.0 dB).',
    )
    expect(says(up, up)).toBe('Rank: output SQNR rises from 0 to 1 for all 2 lines.')
    expect(says(up, line('rtn', [0.1, 0.2]), line('awq', [0.1, 0.1]), line('gptq', [0.3]))).toBe(
      'Rank: output SQNR is highest at 1 for Low rank, at 0 for RTN, the same at every value for AWQ and ' +
        'computed at 0 only for GPTQ.',
    )
    const [exact, used] = [line('awq', [0.2, 0], 0), line('rtn', [0.1, 0.2], 1)]
    expect(says(exact, used)).toContain('0 and 1, in use, are not exact, the best is (AWQ).')
  })

  it('knows the best value of a line, the first of equals, and none of a line without numbers', () => {
    expect(bestSwept({ points: [point(0, 0.2), point(1, 0.1), point(2, 0.1)] })?.value).toBe(1)
    expect(bestSwept({ points: [point(0, Number.NaN), failed] })).toBeNull()
  })

  it('gives its numbers as a table', () => {
    const { columns, rows } = parameterSweepTable(SWEEP)
    expect(columns).toEqual(['method', SWEEP.label, 'evaluation error', 'calibration error', 'output SQNR [dB]'])
    expect(rows).toHaveLength(6)
    expect(rows[2]).toEqual(['SmoothQuant', '0.75', '0.1200', '0.0500', '18.4'])
    expect(rows[5]).toEqual(['SmoothQuant*', '1', 'failed: too wide.', '–', '–'])
  })

  it('draws an exact or a silent layer, and none at all, without a NaN or an infinity, and colours no text', () => {
    const exact = [point(0, 0), point(1, Number.NaN)]
    for (const lines of [[], [{ method: 'rtn', inUse: 16, points: exact }]]) {
      const sweep = { label: 'Rank', lines }
      const spec = drawParameterSweep(sweep, 'dark')
      const text = JSON.stringify(spec, (_, value) =>
        typeof value === 'number' && !Number.isFinite(value) ? 'BAD' : value,
      )
      expect(text).not.toContain('BAD')
      expect(describeParameterSweep(sweep)).not.toMatch(/NaN|undefined/)
      const { ink, mutedInk } = THEME_COLOURS.dark
      for (const { font } of spec.layout.annotations ?? []) expect([ink, mutedInk]).toContain(font?.color)
    }
  })
})
