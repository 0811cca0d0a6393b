import { describe, expect, it } from 'vitest'
import { createAppStore } from '../../src/store/app-store'
import type { DeviceMemory } from '../../src/store/device-memory'
import { PAPER_MODELS, publishedRecovery, recoveryHint, recoveryText, regimeOf } from '../../src/store/paper-recovery'
import type { TileModel } from '../../src/store/selectors'
import { shownColumns } from '../../src/store/table-look'
import {
  barShare,
  COLUMNS,
  cellText,
  columnHeading,
  columnLabel,
  nextSort,
  paperColumn,
  sortRows,
  tableBaseline,
} from '../../src/store/table-rows'
import { tableCsvText, tableMarkdown } from '../../src/store/table-text'
import { ERRORS, FakeEngine, failure, result, VOCABULARY } from './fake-engine'

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

async function open(memory?: DeviceMemory, fragment = '') {
  const engine = new FakeEngine()
  const store = createAppStore(engine, {
    vocabulary: VOCABULARY,
    fetchLayer: async (file) => new File([file], file),
    now: () => 0,
    debounceMs: 0,
    memory,
  })
  const later = () => new Promise((resolve) => setTimeout(resolve, 5))
  await Promise.all([store.actions.openDevice(), store.actions.applyLink(fragment)])
  await later()
  engine.finish()
  await later()
  return store
}

describe('differences', () => {
  it('are taken against the method that is the baseline, and against RTN when it is no longer compared', async () => {
    const { actions, getState } = await open()
    expect(tableBaseline(getState())).toMatchObject({ method: 'rtn', result: { method: 'rtn' } })
    actions.setBaseline('quarot')
    const baseline = tableBaseline(getState())
    expect(baseline).toMatchObject({ method: 'quarot', result: { method: 'quarot' } })
    expect(columnLabel(column('delta'), baseline.method)).toBe('Δ QuaRot')
    expect(columnLabel(column('delta-error'), baseline.method)).toBe('Δ QuaRot error')
    expect(columnLabel(column('sqnr'), baseline.method)).toBe('Out SQNR')
    actions.toggleMethod('quarot')
    expect(tableBaseline(getState())).toMatchObject({ method: 'rtn', result: { method: 'rtn' } })
  })

  it('of errors are percentages of the error of the baseline', () => {
    const { value, format } = column('delta-error')
    const change = (id: string) => format(value(result(id, 'W4A4', ERRORS[id]), baseline) ?? Number.NaN)
    // 0.2854 and 0.1011 over 0.1975 in the fake engine.
    expect([change('rtn'), change('quarot'), change('flatquant')]).toEqual([
      '0',
      `+${(100 * (ERRORS.quarot / ERRORS.rtn - 1)).toPrecision(2)}`,
      `−${(100 * (1 - ERRORS.flatquant / ERRORS.rtn)).toPrecision(2)}`,
    ])
    expect(value(baseline, null)).toBeNull()
    const exact = { ...baseline, evaluation: { ...baseline.evaluation, outputRelativeError: 0 } }
    expect(value(baseline, exact)).toBeNull()
  })
})

describe('columns', () => {
  it('show the larger share of both operands, and both under the pointer', () => {
    const operand = (clippedPercent: number) => ({ sqnrDb: 20, clippedPercent, flushedPercent: 1 })
    const both = { ...baseline, weight: operand(0.5), activation: operand(2.25) }
    const clipped = column('clipped')
    const { value, format, hint } = clipped
    expect(format(value(both, null) ?? 0)).toBe('2.3')
    expect(hint?.(both)).toBe('W 0.50 %, X 2.3 %')
    expect(cellText(clipped, both, null)).toBe('2.3 X')
    expect(cellText(clipped, { ...both, activation: null }, null)).toBe('0.50 W')
    // Zeroed: 1 % of both.
    expect(cellText(column('zeroed'), both, null)).toBe('1.0')
    const table = { models: [row('rtn', both)], columns: [clipped], baseline: { method: 'rtn', result: baseline } }
    expect(tableCsvText(table)).toBe('Method,Clipped W [%],Clipped X [%]\r\nRTN,0.5,2.25\r\n')
    expect(tableMarkdown(table)).toContain('| 2.3 X |')
    expect(value({ ...both, activation: null }, null)).toBe(0.5)
    expect(value({ ...both, weight: null, activation: null }, null)).toBeNull()
    expect(column('nmse').value(baseline, null)).toBe(baseline.evaluation.outputRelativeError ** 2)
  })

  it('are chosen by the user, kept on the device, and come back by one button', async () => {
    const kept = new Map<string, string>()
    const memory: DeviceMemory = {
      read: (key) => kept.get(key) ?? null,
      write: (key, value) => void kept.set(key, value),
    }
    const first = await open(memory)
    const ids = (store: typeof first) => shownColumns(store.getState()).map(({ id }) => id)
    const standard = ids(first)
    expect(standard).not.toContain('nmse')
    first.actions.showColumn('nmse', true)
    first.actions.showColumn('error', false)
    first.actions.setPaperModel('openpangu')
    const chosen = ids(first)
    expect(chosen).toContain('nmse')
    expect(chosen).not.toContain('error')
    const second = await open(memory)
    expect(ids(second)).toEqual(chosen)
    expect(second.getState().table.paperModel).toBe('openpangu')
    second.actions.resetColumns()
    expect(ids(await open(memory))).toEqual(standard)
    kept.set('table', 'nothing nmse,zzz')
    const third = await open(memory)
    expect([ids(third), third.getState().table.paperModel]).toEqual([['nmse'], 'llama'])
  })

  it('have bars on one scale', () => {
    const all = [20, 10, -3, Number.POSITIVE_INFINITY]
    expect(all.map((value) => barShare(value, all))).toEqual([1, 0.5, 0, 1])
    expect(barShare(-2, [-2])).toBe(0)
  })
})

describe('published numbers', () => {
  const [llama, pangu] = PAPER_MODELS
  const of = (method: string, setting: string, model = llama) => publishedRecovery(model.id, { method, setting })

  it('are those of the paper for a model, a setting and a method, and none is made up', () => {
    expect(of('rtn', 'W4A4')?.printed).toBe(94.98)
    expect(of('flatquant+gptq', 'W4A4')?.printed).toBe(96.79)
    expect(of('rtn', 'W4A4', pangu)).toBeNull()
    expect(of('rtn', 'W8A8')).toBeNull()
    expect(of('smoothquant', 'W4A4')).toBeNull()
    const { value } = paperColumn(llama)
    expect(value(result('quarot', 'W4A4', 0.2), null)).toBe(88.78)
    expect(value(result('quarot', 'W8A8', 0.2), null)).toBeNull()
  })

  it('stand beside a built-in layer with its own activations, and elsewhere once they are chosen', async () => {
    const { actions, getState } = await open()
    const isShown = () => shownColumns(getState()).some(({ id }) => id === 'paper')
    expect(isShown()).toBe(true)
    actions.chooseActivations({ kind: 'synthetic' })
    expect(isShown()).toBe(false)
    await actions.openFiles([new File(['12345678'], 'own.safetensors')])
    expect([getState().source.active, isShown()]).toEqual(['user', false])
    actions.showColumn('paper', true)
    expect(isShown()).toBe(true)
    expect(columnHeading(paperColumn(llama), 'rtn')).toBe(
      'Paper: Llama-3.1-8B-Instruct [recovery %, not of this layer]',
    )
  })

  it('have the word of the paper for a loss', () => {
    expect([100, 99, 98.99, 97.01, 97, 88].map(regimeOf)).toEqual([
      'lossless',
      'lossless',
      'fair',
      'fair',
      'risky',
      'risky',
    ])
  })

  it('say where the printed recovery and its own average differ', () => {
    const daggers = [of('flatquant+gptq', 'W4A8'), of('quarot+gptq', 'W4A8', pangu)].flatMap((each) => each ?? [])
    expect(daggers.map(recoveryText)).toEqual(['97.95 †', '95.84 †'])
    expect(recoveryHint(pangu, daggers[1])).toContain('gives 95.34')
    expect(recoveryText({ printed: 94.98, fromAverage: null })).toBe('94.98')
  })
})

describe('the table as text', () => {
  const table = {
    models: rows,
    columns: [column('sqnr'), column('delta')],
    baseline: { method: 'rtn', result: baseline },
  }

  it('is CSV in full precision, with the reason of a failure', () => {
    const [head, first, second] = tableCsvText(table).split('\r\n')
    expect(head).toBe('Method,Out SQNR [dB],Δ RTN [dB]')
    expect(first).toBe(`RTN,${baseline.evaluation.outputSqnrDb},0`)
    expect(second).toMatch(/^QuaRot,"?MD-/)
  })

  it('is a Markdown table as shown, whose cells cannot break it', () => {
    const piped = {
      ...table,
      models: [
        row('rtn', baseline),
        row('quarot', { ...failure('quarot'), error: { kind: 'input' as const, code: 'X', message: 'a | b\nc' } }),
      ],
    }
    expect(tableMarkdown(piped)).toBe(
      '| Method | Out SQNR [dB] | Δ RTN [dB] |\n| --- | ---: | ---: |\n| RTN | 14.1 | 0.0 |\n| QuaRot | X a \\| b c |  |\n',
    )
  })
})
