/** What is timed against one another, and the rows that come of it. */
import { type Measurement, median, medianOfRatios, type Subject } from './interleave'
import type { Baseline, Work } from './kernel-subject'
import type { BenchRow } from './report'

/** A subject before its group gives it a shape. */
export interface BenchCase {
  readonly subject: Subject
  readonly work: Work | null
  readonly baseline?: Baseline
  /** Frees what the arena of its group does not. */
  release?(): Promise<void>
}

export interface Entry extends BenchCase {
  readonly shape: string
}

/** Timings in the currency ratios are taken in. */
export type Cost = (measurement: Measurement & { kind: 'timed' }) => number[]

function rateOf(work: Work | null, medianMs: number) {
  if (work === null) return null
  return work.kind === 'bytes'
    ? ({ kind: 'bandwidth', gigabytesPerSecond: work.bytes / medianMs / 1e6 } as const)
    : ({ kind: 'arithmetic', gflops: work.operations / medianMs / 1e6 } as const)
}

/** Rows of one group of measurements, with ratios to the group's baselines where it has them. */
export function toRows(entries: readonly Entry[], measurements: readonly Measurement[], cost: Cost): BenchRow[] {
  const costOf = (baseline: Baseline) => {
    const found = measurements[entries.findIndex((entry) => entry.baseline === baseline)]
    return found?.kind === 'timed' ? cost(found) : null
  }
  const [copy, naive, product] = [costOf('copy'), costOf('naive'), costOf('product')]
  const productWork = entries.find(({ baseline }) => baseline === 'product')?.work ?? null
  const perOperation = (costs: number[], work: Work | null) =>
    work?.kind === 'operations' ? costs.map((each) => each / work.operations) : null
  const priced = product && perOperation(product, productWork)
  return entries.map(({ subject: { name }, shape, work }, index): BenchRow => {
    const measured = measurements[index]
    if (measured.kind === 'refused') return { kind: 'refused', name, shape, reason: measured.reason }
    const wall = measured.rounds.map(({ wallMs }) => wallMs)
    const cpu = measured.rounds.flatMap(({ cpuMs }) => (cpuMs === null ? [] : [cpuMs]))
    const passes = measured.rounds.flatMap(({ passMs }) => (passMs === null ? [] : [passMs]))
    const own = perOperation(cost(measured), work)
    return {
      kind: 'timed',
      name,
      shape,
      repetitions: measured.repetitions,
      firstMs: measured.first.wallMs,
      medianMs: median(wall),
      minMs: Math.min(...wall),
      maxMs: Math.max(...wall),
      cpuMs: cpu.length > 0 ? median(cpu) : null,
      passMs: passes.length > 0 ? median(passes) : null,
      ratioToCopy: copy && medianOfRatios(cost(measured), copy),
      speedupOverNaive: naive && medianOfRatios(naive, cost(measured)),
      ratioToProduct: own && priced && medianOfRatios(own, priced),
      rate: rateOf(work, median(wall)),
    }
  })
}
