import { describe, expect, it } from 'vitest'
import type { TileModel } from '../../src/store/selectors'
import { COLUMNS, nextSort, sortRows } from '../../src/store/table-rows'
import { ERRORS, failure, result } from './fake-engine'

const row = (id: string, outcome: TileModel['outcome']): TileModel => ({
  method: { id, hidden: false, options: {} },
  status: 'live',
  outcome,
  otherLayer: false,
  cancelled: null,
})
const baseline = result('rtn', 'W4A4', ERRORS.rtn)
const rows = [
  row('rtn', baseline),
  row('quarot', failure('quarot')),
  row('flatquant', result('flatquant', 'W4A4', ERRORS.flatquant)),
]
const order = (column: string, descending: boolean) =>
  sortRows(rows, { column, descending }, baseline).map(({ method }) => method.id)
const column = (id: string) => {
  const found = COLUMNS.find((each) => each.id === id)
  if (!found) throw new Error(`no column ${id}`)
  return found
}

describe('the table', () => {
  it('sorts by any column, methods without a number last', () => {
    expect(order('sqnr', true)).toEqual(['flatquant', 'rtn', 'quarot'])
    expect(order('sqnr', false)).toEqual(['rtn', 'flatquant', 'quarot'])
    expect(order('error', false)).toEqual(['flatquant', 'rtn', 'quarot'])
  })

  it('keeps menu order without a sort', () => {
    expect(sortRows(rows, null, baseline)).toBe(rows)
  })

  it('shows differences to the baseline with their sign', () => {
    const { value, format } = column('delta')
    const difference = value(result('quarot', 'W4A4', ERRORS.quarot), baseline)
    expect(format(difference ?? 0)).toBe('−3.2')
    expect(value(baseline, null)).toBeNull()
  })

  it('shows the difference of the numbers beside it, and a dash where one of them is exact', () => {
    const { value, format } = column('delta')
    const sqnr = (outputSqnrDb: number) => ({ ...baseline, evaluation: { ...baseline.evaluation, outputSqnrDb } })
    expect(format(value(sqnr(22.551), sqnr(22.049)) ?? 0)).toBe('+0.6')
    expect(value(sqnr(130), sqnr(Number.POSITIVE_INFINITY))).toBeNull()
  })

  it('has no SQNR for a side that is left as loaded', () => {
    expect(column('activation').value({ ...baseline, activation: null }, baseline)).toBeNull()
  })

  it('steps from descending over ascending to menu order', () => {
    const first = nextSort(null, 'sqnr')
    const second = nextSort(first, 'sqnr')
    expect([first, second, nextSort(second, 'sqnr')]).toEqual([
      { column: 'sqnr', descending: true },
      { column: 'sqnr', descending: false },
      null,
    ])
    expect(nextSort(first, 'gain')).toEqual({ column: 'gain', descending: true })
  })
})
