/** Times every kernel on the adapter at hand, beside a copy kernel and a naive matmul (docs/performance.md). */
import { InputError } from '../../core/errors'
import { Arena } from '../../gpu/arena'
import { type Cost, type Entry, toRows } from './entry'
import { subgroupSizes } from './environment'
import { EMPTY_SUBMIT, floors } from './floors'
import { type Group, groupsOf, type TimedGroup } from './groups'
import { type BenchClock, measureInterleaved } from './interleave'
import { type BenchOptions, checkBenchRequest } from './options'
import type { BenchReport, BenchRow } from './report'

/** One timing lasts at least this long, at least so many empty submits, and so many steps of the clock. */
const MINIMUM_MS = 5
const EMPTY_SUBMITS = 20
const CLOCK_STEPS = 20

const isWanted = (name: string, filter: string | null) => filter === null || name.includes(filter)

/** What the filter names and, when that is anything, the baselines it is compared with. */
function withBaselines(entries: readonly Entry[], filter: string | null): Entry[] {
  const wanted = entries.filter(({ subject }) => isWanted(subject.name, filter))
  return wanted.length === 0 ? [] : entries.filter((entry) => wanted.includes(entry) || entry.baseline !== undefined)
}

function wantedGroups(options: BenchOptions): Group[] {
  const { filter } = options
  const mayHave = ({ names }: Group) => names === undefined || names.some((name) => isWanted(name, filter))
  return groupsOf(options).filter(mayHave)
}

function minimumOf({ cpu }: BenchClock, isCompared: boolean): number {
  return Math.max(MINIMUM_MS, cpu && isCompared ? CLOCK_STEPS * cpu.stepMs : 0)
}

/**
 * Runs the benchmark. Throws InputError BN-01 (sizes), BN-02 (rounds) or BN-03 (a filter that names no row), and the
 * signal's reason when aborted. A kernel with a wrong result gives a refused row and is not timed.
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  checkBenchRequest(options)
  const { gpu, clock, filter, rounds, signal, onRow } = options
  const comparedBy = gpu.adapter.isSoftware && clock.cpu ? 'cpu' : 'wall'
  const cost: Cost = ({ rounds }) =>
    rounds.map(({ cpuMs, wallMs }) => (comparedBy === 'cpu' && cpuMs !== null ? cpuMs : wallMs))
  const rows: BenchRow[] = []
  let minimumMs = minimumOf(clock, comparedBy === 'cpu')
  const tell = (found: readonly BenchRow[]) => {
    for (const row of found) {
      rows.push(row)
      onRow(row)
    }
  }
  const measure = async (entries: readonly Entry[]) => {
    if (entries.length === 0) return
    const subjects = entries.map(({ subject }) => subject)
    const measurements = await measureInterleaved(subjects, { clock, rounds, minimumMs, signal })
    tell(toRows(entries, measurements, cost))
  }
  const runGroup = async ({ prepare }: TimedGroup, keep: (entries: readonly Entry[]) => Entry[]) => {
    const arena = new Arena(gpu)
    let prepared: readonly Entry[] = []
    try {
      prepared = await prepare(arena)
      await measure(keep(prepared))
    } finally {
      arena.release()
      for (const { release } of prepared) await release?.()
    }
  }

  const floorGroup = { prepare: async (arena: Arena) => floors(gpu, arena) }
  await runGroup(floorGroup, (entries) =>
    entries.filter(({ subject: { name } }) => isWanted(name, filter) || name === EMPTY_SUBMIT),
  )
  const submit = rows.find((row) => row.name === EMPTY_SUBMIT)
  if (submit?.kind === 'timed') minimumMs = Math.max(minimumMs, EMPTY_SUBMITS * submit.medianMs)
  for (const group of wantedGroups(options)) {
    if ('count' in group) tell(await group.count((name) => isWanted(name, filter)))
    else await runGroup(group, (entries) => withBaselines(entries, filter))
  }
  gpu.pool.trim()
  if (filter !== null && !rows.some(({ name }) => name.includes(filter))) {
    throw new InputError('BN-03', `filter: expected part of a row's name, found "${filter}"`)
  }
  return { adapter: gpu.adapter, subgroups: subgroupSizes(gpu), host: options.host, rounds, comparedBy, rows }
}
