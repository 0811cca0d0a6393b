import { mebibytes } from '../../gpu/buffer-pool'
import type { AdapterFacts } from '../../gpu/device'
import { kernelText } from '../../gpu/kernel-choices'
import type { HostFacts, SubgroupSizes } from './environment'

/** Work per second by the median wall time. */
export type BenchRate =
  | { readonly kind: 'bandwidth'; readonly gigabytesPerSecond: number }
  | { readonly kind: 'arithmetic'; readonly gflops: number }

interface RowIdentity {
  readonly name: string
  /** What was processed, for people: "1024 x 4096", "512 x 512 x 512", "64 MiB". */
  readonly shape: string
}

/** Times in milliseconds per run; medians over rounds. */
export interface TimedRow extends RowIdentity {
  readonly kind: 'timed'
  readonly repetitions: number
  /** Wall time of the first run, compilation included. */
  readonly firstMs: number
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
  /** CPU time of all processes that take part; null where it cannot be read. */
  readonly cpuMs: number | null
  /** On the GPU's own clock, inside passes; null where it has none (`timestamp-query`). */
  readonly passMs: number | null
  /** Median of per-round ratios to the copy kernel on the same tensor. */
  readonly ratioToCopy: number | null
  /** Median of per-round ratios of the naive matmul's time to this one's: how many times as fast. */
  readonly speedupOverNaive: number | null
  /**
   * Median of per-round ratios to the f32 product of the group, both per operation: of another product how many times as
   * long it takes, of a step of a method how far it is from its operations at the product's rate.
   */
  readonly ratioToProduct: number | null
  readonly rate: BenchRate | null
}

/** A kernel whose result was wrong and which was therefore not timed. */
export interface RefusedRow extends RowIdentity {
  readonly kind: 'refused'
  readonly reason: string
}

/** What a method took on the GPU at once, and what was planned before it ran. */
export interface MemoryRow extends RowIdentity {
  readonly kind: 'memory'
  readonly peakBytes: number
  readonly planBytes: number
}

/** How much of a run the GPU spent inside passes, by its own clock; the rest it waited. */
export interface IdleRow extends RowIdentity {
  readonly kind: 'idle'
  readonly wallMs: number
  readonly passMs: number
}

export type BenchRow = TimedRow | RefusedRow | MemoryRow | IdleRow

/** Plain data; what --json writes and --against reads. */
export interface BenchReport {
  readonly adapter: AdapterFacts
  /** null where the browser does not say. */
  readonly subgroups: SubgroupSizes | null
  readonly host: HostFacts
  readonly rounds: number
  /** What ratios are ratios of: CPU time on a software adapter, where wall time depends on what else runs. */
  readonly comparedBy: 'cpu' | 'wall'
  readonly rows: readonly BenchRow[]
}

const HEADINGS = [
  ...['kernel', 'shape', 'median ms', 'min', 'max', 'cpu ms', 'pass ms', 'x copy', 'x naive', 'x product', 'rate'],
]

/** Three significant digits, never in exponent form; '' for null. */
export function digits(value: number | null): string {
  if (value === null) return ''
  if (value >= 100) return value.toFixed(0)
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3)
}

export function rateText(rate: BenchRate | null): string {
  if (rate === null) return ''
  return rate.kind === 'bandwidth' ? `${digits(rate.gigabytesPerSecond)} GB/s` : `${digits(rate.gflops)} GFLOP/s`
}

function cells(row: TimedRow): string[] {
  const times = [row.medianMs, row.minMs, row.maxMs, row.cpuMs, row.passMs]
  const ratios = [row.ratioToCopy, row.speedupOverNaive, row.ratioToProduct]
  return [row.name, row.shape, ...[...times, ...ratios].map(digits), rateText(row.rate)]
}

/** What stands in place of times. */
export function remark(row: RefusedRow | MemoryRow | IdleRow): string {
  if (row.kind === 'refused') return `not timed: ${row.reason}`
  if (row.kind === 'idle') {
    const share = (100 * (1 - row.passMs / row.wallMs)).toFixed(1)
    return `${share} % of ${digits(row.wallMs)} ms outside passes`
  }
  const { peakBytes, planBytes } = row
  return `peak ${mebibytes(peakBytes)} of ${mebibytes(planBytes)} planned (${digits(peakBytes / planBytes)})`
}

/** Rows as a table of Markdown, under `heads`, a line each. */
export function formatBenchMarkdown(heads: readonly string[], rows: readonly BenchRow[]): string {
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |`
  const columns = HEADINGS.map((_, col) => (col < 2 ? '---' : '---:'))
  const empty = HEADINGS.slice(3).map(() => '')
  const lines = rows.map((row) =>
    line(row.kind === 'timed' ? cells(row) : [row.name, row.shape, remark(row), ...empty]),
  )
  return [...heads.map((head) => `- ${head}`), '', line(HEADINGS), line(columns), ...lines, ''].join('\n')
}

/** Columns two spaces apart; the first `texts` of them aligned to the left. */
export function alignColumns(
  lines: readonly (readonly string[])[],
  texts: number,
): (line: readonly string[]) => string {
  const widths = lines[0].map((_, col) => Math.max(...lines.map((line) => line[col].length)))
  return (line) =>
    line
      .map((text, col) => (col < texts ? text.padEnd(widths[col]) : text.padStart(widths[col])))
      .join('  ')
      .trimEnd()
}

/** Where a report was taken, a line each: adapter, device, surroundings, how it was measured. */
export function formatBenchHeader({
  adapter,
  subgroups,
  host,
  rounds,
  comparedBy,
}: Omit<BenchReport, 'rows'>): string[] {
  const { vendor, architecture, description, isSoftware, features, limits, kernels } = adapter
  const { runtime, commit, load } = host
  const lanes = subgroups === null ? 'subgroups not told' : `subgroups of ${subgroups.min} to ${subgroups.max}`
  return [
    `adapter: ${description} (${vendor} ${architecture}${isSoftware ? ', software' : ''}), ${lanes}`,
    `features: ${features.length > 0 ? features.join(', ') : 'none'}`,
    `limits: ${Object.entries(limits)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    `kernels: ${kernelText(kernels)}`,
    `runtime: ${runtime}, commit ${commit ?? 'unknown'}, load ${load === null ? 'unknown' : load.toFixed(2)}`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ratios by ${comparedBy === 'cpu' ? 'CPU time' : 'wall time'}`,
  ]
}

/** The report as aligned text: where it was taken, then a line per row, refused rows with their reason. */
export function formatBenchTable(report: BenchReport): string {
  const timed = report.rows.filter((row) => row.kind === 'timed').map(cells)
  const align = alignColumns([HEADINGS, ...timed], 2)
  const lines = report.rows.map((row) =>
    row.kind === 'timed' ? align(cells(row)) : `${row.name}  ${row.shape}  ${remark(row)}`,
  )
  return [...formatBenchHeader(report), '', align(HEADINGS), ...lines, ''].join('\n')
}
