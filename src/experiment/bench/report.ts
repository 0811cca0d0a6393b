import type { AdapterFacts } from '../../gpu/device'

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
  /** CPU time of the process; null where it cannot be read. */
  readonly cpuMs: number | null
  /** Median of per-round ratios to the copy kernel on the same tensor. */
  readonly ratioToCopy: number | null
  /** Median of per-round ratios of the naive matmul's time to this one's: how many times as fast. */
  readonly speedupOverNaive: number | null
  /** Of a training step: median of per-round ratios to the cost model's operations at the rate of the layer's product. */
  readonly ratioToModel: number | null
  readonly rate: BenchRate | null
}

/** A kernel whose result was wrong and which was therefore not timed. */
export interface RefusedRow extends RowIdentity {
  readonly kind: 'refused'
  readonly reason: string
}

export type BenchRow = TimedRow | RefusedRow

/** Plain data; what --json writes and --against reads. */
export interface BenchReport {
  readonly adapter: AdapterFacts
  readonly rounds: number
  /** What ratios are ratios of: CPU time on a software adapter, where wall time depends on what else runs. */
  readonly comparedBy: 'cpu' | 'wall'
  readonly rows: readonly BenchRow[]
}

const HEADINGS = ['kernel', 'shape', 'median ms', 'min', 'max', 'cpu ms', 'x copy', 'x naive', 'x model', 'rate']

/** Three significant digits, never in exponent form. */
function digits(value: number | null): string {
  if (value === null) return ''
  if (value >= 100) return value.toFixed(0)
  return value.toFixed(value >= 10 ? 1 : value >= 1 ? 2 : 3)
}

function rateText(rate: BenchRate | null): string {
  if (rate === null) return ''
  return rate.kind === 'bandwidth' ? `${digits(rate.gigabytesPerSecond)} GB/s` : `${digits(rate.gflops)} GFLOP/s`
}

function cells(row: TimedRow): string[] {
  const times = [row.medianMs, row.minMs, row.maxMs, row.cpuMs]
  const ratios = [row.ratioToCopy, row.speedupOverNaive, row.ratioToModel]
  return [row.name, row.shape, ...[...times, ...ratios].map(digits), rateText(row.rate)]
}

/** The report as aligned text: one line for the adapter, one per row, refused rows with their reason. */
export function formatBenchTable(report: BenchReport): string {
  const { vendor, architecture, description, isSoftware } = report.adapter
  const timed = report.rows.filter((row) => row.kind === 'timed').map(cells)
  const widths = HEADINGS.map((heading, col) => Math.max(heading.length, ...timed.map((line) => line[col].length)))
  const isText = (col: number) => col < 2
  const align = (line: string[]) =>
    line
      .map((text, col) => (isText(col) ? text.padEnd(widths[col]) : text.padStart(widths[col])))
      .join('  ')
      .trimEnd()
  const lines = report.rows.map((row) =>
    row.kind === 'timed' ? align(cells(row)) : `${row.name}  ${row.shape}  not timed: ${row.reason}`,
  )
  const adapter = `${description} (${vendor} ${architecture}${isSoftware ? ', software' : ''})`
  const basis = report.comparedBy === 'cpu' ? 'CPU time' : 'wall time'
  return [`${adapter}; ${report.rounds} rounds, ratios by ${basis}`, align(HEADINGS), ...lines, ''].join('\n')
}
