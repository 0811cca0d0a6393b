/** Times every kernel on the adapter at hand, beside a copy kernel and a naive matmul (docs/performance.md). */
import { InputError } from '../../core/errors'
import { Arena } from '../../gpu/arena'
import { createPassClock } from '../../gpu/pass-clock'
import { type Cost, type Entry, toRows } from './entry'
import { subgroupSizes } from './environment'
import { EMPTY_SUBMIT, floors } from './floors'
import { type Group, groupsOf, type TimedGroup } from './groups'
import { type BenchClock, measureInterleaved } from './interleave'
import { type BenchOptions, type BenchProgress, checkBenchRequest } from './options'
import type { BenchReport, BenchRow } from './report'

/** One timing lasts at least this long, at least so many empty submits, and so many steps of the clock. */
const MINIMUM_MS = 5
/** Where the passes of a real GPU are timed: browsers round what its clock says to 0.1 ms. */
const MINIMUM_PASS_MS = 10
const EMPTY_SUBMITS = 20
const CLOCK_STEPS = 20

const isWanted = (name: string, filter: string | null) => filter === null || name.includes(filter)

/** What the filter names and, when that is anything, the baselines it is compared with: a product only by its operations. */
function withBaselines(entries: readonly Entry[], filter: string | null): Entry[] {
  const wanted = entries.filter(({ subject }) => isWanted(subject.name, filter))
  const isPriced = wanted.some(({ work }) => work?.kind === 'operations')
  const isCompared = ({ baseline }: Entry) => baseline !== undefined && (baseline !== 'product' || isPriced)
  return wanted.length === 0 ? [] : entries.filter((entry) => wanted.includes(entry) || isCompared(entry))
}

function wantedGroups(options: BenchOptions): Group[] {
  const { filter } = options
  const mayHave = ({ names }: Group) => names === undefined || names.some((name) => isWanted(name, filter))
  return groupsOf(options).filter(mayHave)
}

/** Sizes at which groups are prepared for their names alone. */
const NAMING = { sizes: [64], rotation: 128, layer: 64 }

/** Throws InputError BN-03 where the filter names no row. Times nothing: names do not depend on sizes, so small ones tell. */
async function checkFilter(options: BenchOptions): Promise<void> {
  const { gpu, filter } = options
  if (filter === null) return
  const floorGroup: Group = { prepare: async (arena) => floors(gpu, arena) }
  for (const group of [floorGroup, ...wantedGroups({ ...options, ...NAMING })]) {
    // A group whose names are known is here because one of them is wanted.
    if (group.names !== undefined || 'count' in group || (await preparesWanted(group, options))) return
  }
  throw new InputError('BN-03', `filter: expected part of a row's name, found "${filter}"`)
}

async function preparesWanted({ prepare }: TimedGroup, { gpu, filter }: BenchOptions): Promise<boolean> {
  const arena = new Arena(gpu)
  let prepared: readonly Entry[] = []
  try {
    prepared = await prepare(arena)
    return prepared.some(({ subject }) => isWanted(subject.name, filter))
  } finally {
    arena.release()
    for (const { release } of prepared) await release?.()
  }
}

function minimumOf({ cpu }: BenchClock, { comparesCpu, timesPasses }: { comparesCpu: boolean; timesPasses: boolean }) {
  return Math.max(timesPasses ? MINIMUM_PASS_MS : MINIMUM_MS, cpu && comparesCpu ? CLOCK_STEPS * cpu.stepMs : 0)
}

/**
 * Runs the benchmark. Throws InputError BN-01 (sizes), BN-02 (rounds) or BN-03 (a filter that names no row) before anything is timed, and the
 * signal's reason when aborted. A kernel with a wrong result gives a refused row and is not timed.
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  checkBenchRequest(options)
  await checkFilter(options)
  const passClock = createPassClock(options.gpu.device)
  try {
    return await runGroups(passClock ? { ...options, gpu: { ...options.gpu, passClock } } : options)
  } finally {
    passClock?.destroy()
  }
}

async function runGroups(options: BenchOptions): Promise<BenchReport> {
  const { gpu, clock, filter, rounds, signal, onRow } = options
  const passes = gpu.passClock ?? null
  const comparedBy = gpu.adapter.isSoftware && clock.cpu ? 'cpu' : 'wall'
  const cost: Cost = ({ rounds }) =>
    rounds.map(({ cpuMs, wallMs }) => (comparedBy === 'cpu' && cpuMs !== null ? cpuMs : wallMs))
  const rows: BenchRow[] = []
  let minimumMs = minimumOf(clock, {
    comparesCpu: comparedBy === 'cpu',
    timesPasses: passes !== null && !gpu.adapter.isSoftware,
  })
  const tell = (found: readonly BenchRow[]) => {
    for (const row of found) {
      rows.push(row)
      onRow(row)
    }
  }
  const groups = wantedGroups(options)
  let at = 0
  const onTimed = (stage: BenchProgress['stage'], done: number, total: number) =>
    options.onProgress?.({ group: at + 1, groups: groups.length + 1, stage, done, total })
  const measure = async (entries: readonly Entry[]) => {
    if (entries.length === 0) return
    const subjects = entries.map(({ subject }) => subject)
    const measurements = await measureInterleaved(subjects, { clock, passes, rounds, minimumMs, signal, onTimed })
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
  for (const group of groups) {
    at += 1
    if ('count' in group) tell(await group.count((name) => isWanted(name, filter)))
    else await runGroup(group, (entries) => withBaselines(entries, filter))
  }
  gpu.pool.trim()
  return { adapter: gpu.adapter, subgroups: subgroupSizes(gpu), host: options.host, rounds, comparedBy, rows }
}
