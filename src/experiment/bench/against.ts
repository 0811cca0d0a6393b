/** A report beside an earlier one: which rows became slower or faster. */
import { InputError } from '../../core/errors'
import { alignColumns, type BenchReport, type BenchRow, digits, formatBenchHeader, type TimedRow } from './report'

export const BENCH_SCHEMA = 'mxscope.bench/2'

/** A row of both reports. Ratios are new / old: below 1 is faster. */
export interface ComparedRow {
  readonly name: string
  readonly shape: string
  readonly wall: number
  /** null where one of them has no CPU time. */
  readonly cpu: number | null
  /** Of the ratios to the copy kernel or the f32 product: what is left when the machine itself changed; null also where they are by two clocks. */
  readonly relative: number | null
}

const HEADINGS = ['kernel', 'shape', 'x wall', 'x cpu', 'x relative']

const clockOf = ({ comparedBy }: BenchReport) => (comparedBy === 'cpu' ? 'CPU time' : 'wall time')

const keyOf = ({ name, shape }: BenchRow) => `${name}\n${shape}`

function isReport(value: unknown): value is BenchReport {
  if (typeof value !== 'object' || value === null) return false
  const report = value as Partial<BenchReport> & { readonly schema?: unknown }
  return report.schema === BENCH_SCHEMA && Array.isArray(report.rows)
}

/** The report in the text of a file. Throws InputError BN-04 for anything else; `name` is the file's. */
export function parseReport(text: string, name: string): BenchReport {
  const refuse = (found: string) =>
    new InputError('BN-04', `${name}: expected a report of mxscope bench --json (${BENCH_SCHEMA}), found ${found}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('no JSON')
  }
  if (!isReport(value)) throw refuse('other JSON')
  return value
}

const quotient = (now: number | null, then: number | null) => (now === null || then === null ? null : now / then)

/** What sets the two apart besides the code, a line each. */
export function differences(now: BenchReport, then: BenchReport): string[] {
  const facts = [
    ['adapter', now.adapter.description, then.adapter.description],
    ['runtime', now.host.runtime, then.host.runtime],
  ] as const
  const others = facts
    .filter(([, found, before]) => found !== before)
    .map(([name, found, before]) => `not the same ${name}: now ${found}, then ${before}`)
  if (now.comparedBy === then.comparedBy) return others
  return [...others, `no x relative: ratios are by ${clockOf(now)} now, by ${clockOf(then)} then`]
}

/** Rows that were timed both times, in the order of the new report. Ratios taken by two clocks are not divided. */
export function compareReports(now: BenchReport, then: BenchReport): ComparedRow[] {
  const earlier = new Map(
    then.rows.flatMap((row): [string, TimedRow][] => (row.kind === 'timed' ? [[keyOf(row), row]] : [])),
  )
  const isOneClock = now.comparedBy === then.comparedBy
  return now.rows.flatMap((row) => {
    const before = earlier.get(keyOf(row))
    if (row.kind !== 'timed' || !before) return []
    const relative =
      quotient(row.ratioToCopy, before.ratioToCopy) ?? quotient(row.ratioToProduct, before.ratioToProduct)
    return [
      {
        name: row.name,
        shape: row.shape,
        wall: row.medianMs / before.medianMs,
        cpu: quotient(row.cpuMs, before.cpuMs),
        relative: isOneClock ? relative : null,
      },
    ]
  })
}

/** "2 rows only now, 1 row only then"; of no rows nothing is said. */
function aloneText(counts: readonly (readonly [rows: number, when: string])[]): readonly string[] {
  const parts = counts.flatMap(([rows, when]) =>
    rows === 0 ? [] : [`${rows} ${rows === 1 ? 'row' : 'rows'} only ${when}`],
  )
  return parts.length === 0 ? [] : [parts.join(', ')]
}

/** What `now` took, divided by what `then` took, as aligned text; rows of only one of them are counted. */
export function formatComparison(now: BenchReport, then: BenchReport): string {
  const rows = compareReports(now, then)
  const lines = rows.map(({ name, shape, wall, cpu, relative }) => [name, shape, ...[wall, cpu, relative].map(digits)])
  const align = alignColumns([HEADINGS, ...lines], 2)
  const before = formatBenchHeader(then).map((line) => `  ${line}`)
  const alone = aloneText([
    [now.rows.length - rows.length, 'now'],
    [then.rows.length - rows.length, 'then'],
  ])
  const lead = ['ratios now / then; then:', ...before, ...differences(now, then), '']
  return [...lead, align(HEADINGS), ...lines.map(align), ...alone, ''].join('\n')
}
