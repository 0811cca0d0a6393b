/** The table as text to paste elsewhere: the columns and the order on screen. */
import { csvText } from '../core/csv'
import type { MethodResult } from '../experiment/result'
import { methodLabel } from '../figures/describe'
import type { TileModel } from './selectors'
import { type Column, cellText, columnHeading, type TableBaseline } from './table-rows'

export interface ShownTable {
  readonly models: readonly TileModel[]
  readonly columns: readonly Column[]
  readonly baseline: TableBaseline
}

const headings = ({ columns, baseline }: ShownTable): readonly string[] => [
  'Method',
  ...columns.map((column) => columnHeading(column, baseline.method)),
]

/** A line per method; one without numbers has its reason in their place. */
function lines<T>(
  { models, columns, baseline }: ShownTable,
  cell: (column: Column, result: MethodResult, against: MethodResult | null) => T,
): readonly (readonly (string | T)[])[] {
  return models.map(({ method, status, outcome }) => {
    const name = methodLabel(method.id)
    if (outcome?.kind === 'failure') return [name, `${outcome.error.code} ${outcome.error.message}`]
    if (!outcome || status !== 'live') return [name, status]
    return [name, ...columns.map((column) => cell(column, outcome, baseline.result))]
  })
}

/** Numbers in full precision, one a column. */
export function tableCsvText(shown: ShownTable): string {
  const table = { ...shown, columns: shown.columns.flatMap((column) => column.parts ?? [column]) }
  return csvText([headings(table), ...lines(table, (column, result, against) => column.value(result, against))])
}

/** Numbers as shown. */
export function tableMarkdown(table: ShownTable): string {
  const shown = lines(table, cellText)
  const heads = headings(table)
  const row = (cells: readonly string[]) => {
    const filled = heads.map((_, i) => (cells[i] ?? '').replaceAll('|', '\\|').replaceAll('\n', ' '))
    return `| ${filled.join(' | ')} |\n`
  }
  const rule = heads.map((_, i) => (i === 0 ? '---' : '---:'))
  return [heads, rule, ...shown].map(row).join('')
}
