import { describe, expect, it } from 'vitest'
import { methodStyle } from '../../src/figures/method-style'
import {
  type ComparedMethod,
  decibelChange,
  describeRunComparison,
  drawRunComparison,
  runComparisonTable,
} from '../../src/figures/run-comparison'

const numbers = (error: number) => ({
  outputSqnrDb: -20 * Math.log10(error),
  outputRelativeError: error,
  error: null,
})
const failed = { outputSqnrDb: null, outputRelativeError: null, error: 'MD-01' }

const METHODS: readonly ComparedMethod[] = [
  { method: 'rtn', a: numbers(0.2), b: numbers(0.1) },
  { method: 'quarot', a: numbers(0.1), b: numbers(0.14) },
  { method: 'flatquant', a: numbers(0.05), b: null },
  { method: 'gptq', a: numbers(0.1), b: failed },
  { method: 'awq', a: numbers(0.3), b: numbers(0.3) },
  { method: 'spinquant', a: numbers(0), b: numbers(0.1) },
]

describe('two runs method by method', () => {
  it('are drawn as lines in the colours of the methods between the marks of the runs, the first method at the top', () => {
    const { data, layout } = drawRunComparison(METHODS, 'light')
    expect(data).toHaveLength(METHODS.length)
    const [rtn, , flatquant, gptq, , spinquant] = data
    expect(rtn).toMatchObject({
      x: [-20 * Math.log10(0.2), 20],
      y: ['RTN', 'RTN'],
      line: { color: methodStyle('rtn', 'light').colour },
      marker: { symbol: ['circle-open', 'diamond'] },
    })
    // Missing, failed and exact: no mark.
    expect(flatquant).toMatchObject({ x: [-20 * Math.log10(0.05), null] })
    expect(gptq).toMatchObject({ x: [20, null] })
    expect(spinquant).toMatchObject({ x: [null, 20] })
    expect(layout.yaxis).toMatchObject({
      categoryarray: ['SpinQuant', 'AWQ', 'GPTQ', 'FlatQuant', 'QuaRot', 'RTN'],
    })
    const range = layout.xaxis?.range ?? []
    expect(Number(range[0])).toBeLessThan(-20 * Math.log10(0.3))
    expect(Number(range[1])).toBeGreaterThan(-20 * Math.log10(0.05))
  })

  it('have an axis even where no method has a number', () => {
    const { layout } = drawRunComparison([{ method: 'rtn', a: failed, b: failed }], 'dark')
    expect(layout.xaxis?.range).toEqual([0, 40])
    expect(layout.annotations?.[0]).toMatchObject({ text: 'neither run has a number to draw' })
  })

  it('are put in words, gains first, with what is missing and what failed', () => {
    expect(describeRunComparison(METHODS)).toBe(
      'Output SQNR on evaluation rows: from A to B RTN gains 6.0 dB and QuaRot loses 2.9 dB; the same in both: AWQ. ' +
        'Only in A: FlatQuant; GPTQ failed in B (MD-01); exact in a run: SpinQuant.',
    )
    expect(describeRunComparison([])).toBe('Output SQNR on evaluation rows: no method has a number in both runs.')
  })

  it('are counted where many methods moved, with the one that moved most', () => {
    const moved = (method: string, b: number): ComparedMethod => ({ method, a: numbers(0.1), b: numbers(b) })
    const gained = [moved('rtn', 0.09), moved('quarot', 0.05), moved('awq', 0.08)]
    expect(describeRunComparison([...gained, moved('gptq', 0.2), moved('spinquant', 0.11)])).toBe(
      'Output SQNR on evaluation rows: from A to B 3 gain, most QuaRot with 6.0 dB and 2 lose, most GPTQ with 6.0 dB.',
    )
    expect(describeRunComparison([...gained, moved('gptq', 0.07)])).toBe(
      'Output SQNR on evaluation rows: from A to B 4 gain, most QuaRot with 6.0 dB.',
    )
    const only: ComparedMethod = { method: 'rtn', a: null, b: numbers(0.1) }
    expect(describeRunComparison([only])).toContain('both runs. Only in B: RTN.')
  })

  it('differ by what a reader computes from the numbers shown', () => {
    const close: ComparedMethod = {
      method: 'rtn',
      a: { outputSqnrDb: 14.04, outputRelativeError: 0.19864, error: null },
      b: { outputSqnrDb: 14.06, outputRelativeError: 0.19818, error: null },
    }
    expect(decibelChange(close)).toBe(0.1)
    expect(runComparisonTable([close]).rows).toEqual([['RTN', '14.0', '14.1', '+0.1', '0.1986', '0.1982', '−0.0004']])
    const { columns, rows } = runComparisonTable(METHODS)
    expect(rows.every((row) => row.length === columns.length)).toBe(true)
    expect(rows[2]).toEqual(['FlatQuant', '26.0', '–', '–', '0.0500', '–', '–'])
    expect(rows[3].slice(1, 4)).toEqual(['20.0', 'MD-01', '–'])
    expect(rows[4].slice(3)).toEqual(['0.0', '0.3000', '0.3000', '0.0000'])
    expect(rows[5].slice(1, 4)).toEqual(['∞', '20.0', '–'])
  })
})
