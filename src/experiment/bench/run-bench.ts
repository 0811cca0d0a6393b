/** Times every kernel on the adapter at hand, beside a copy kernel and a naive matmul (docs/performance.md). */
import { InputError } from '../../core/errors'
import type { Matrix } from '../../core/matrix'
import { createRandom } from '../../core/random'
import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { uploadMatrix } from '../../gpu/transfer'
import { EMPTY_SUBMIT, floors } from './floors'
import { gptqCases } from './gptq-cases'
import {
  type BenchClock,
  type Measurement,
  measureInterleaved,
  median,
  medianOfRatios,
  type Subject,
} from './interleave'
import { type KernelCase, kernelSubject, type Work } from './kernel-subject'
import { matmulCases, NAIVE } from './matmul-cases'
import { quantizeCases } from './quantize-cases'
import { COPY, copyCase, reductionCases } from './reduction-cases'
import type { BenchReport, BenchRow } from './report'
import { LAYER_PRODUCT, trainingCases } from './training-cases'
import { hadamardCase, transformCases } from './transform-cases'

export interface BenchOptions {
  readonly gpu: Gpu
  readonly clock: BenchClock
  /** Only rows whose name contains this; the empty submit and the copy or naive kernel of their group come along. */
  readonly filter: string | null
  /** Sizes n of the n x n x n products, powers of two from 32; the largest also gives the tensor [n, 4n] of the rest. */
  readonly sizes: readonly number[]
  /** n of the n x n tensor a rotation of all channels is timed on; null: 4096, in software 1024. */
  readonly rotation: number | null
  /** n of the n x n layer that learned methods take their steps on; null: 4096, in software 256. */
  readonly layer: number | null
  readonly rounds: number
  readonly signal: AbortSignal
  /** Called with each row as soon as its group is done. */
  readonly onRow: (row: BenchRow) => void
}

export const DEFAULT_BENCH_SIZES: readonly number[] = [256, 512, 1024]
export const DEFAULT_BENCH_ROUNDS = 7

/** One timing lasts at least this long, and at least 20 empty submits. */
const MINIMUM_MS = 5
const EMPTY_SUBMITS = 20

/** The largest layer GPTQ is timed on: the float64 reference beside it takes seconds. */
const GPTQ_SIZE = 1024

/** Defaults of `rotation` and `layer`. */
const WIDTH = 4096
const SOFTWARE_ROTATION = 1024
const SOFTWARE_LAYER = 256
/** Calibration rows of the layer that learned methods take their steps on, at most. */
const LAYER_TOKENS = 1024

const SMALLEST_SIZE = 32
const LARGEST_SIZE = 4096

/** What is timed against one another, and how it is shown. */
interface Entry {
  readonly subject: Subject
  readonly shape: string
  readonly work: Work | null
}

/** Timings in the currency ratios are taken in. */
type Cost = (measurement: Measurement & { kind: 'timed' }) => number[]

function gaussian(rows: number, cols: number, seed: number): Matrix {
  const random = createRandom(seed)
  return { rows, cols, data: Float32Array.from({ length: rows * cols }, () => random.normal()) }
}

function rateOf(work: Work | null, medianMs: number) {
  if (work === null) return null
  return work.kind === 'bytes'
    ? ({ kind: 'bandwidth', gigabytesPerSecond: work.bytes / medianMs / 1e6 } as const)
    : ({ kind: 'arithmetic', gflops: work.operations / medianMs / 1e6 } as const)
}

/** Rows of one group of measurements, with ratios to the group's copy kernel or naive matmul where it has one. */
export function toRows(entries: readonly Entry[], measurements: readonly Measurement[], cost: Cost): BenchRow[] {
  const costOf = (name: string) => {
    const found = measurements[entries.findIndex(({ subject }) => subject.name === name)]
    return found?.kind === 'timed' ? cost(found) : null
  }
  const [copy, naive, product] = [costOf(COPY), costOf(NAIVE), costOf(LAYER_PRODUCT)]
  const operationsOf = (work: Work | null) => (work?.kind === 'operations' ? work.operations : Number.NaN)
  const perOperation = (costs: number[], work: Work | null) => costs.map((each) => each / operationsOf(work))
  const productWork = entries.find(({ subject }) => subject.name === LAYER_PRODUCT)?.work ?? null
  return entries.map(({ subject: { name }, shape, work }, index): BenchRow => {
    const measured = measurements[index]
    if (measured.kind === 'refused') return { kind: 'refused', name, shape, reason: measured.reason }
    const wall = measured.rounds.map(({ wallMs }) => wallMs)
    const cpu = measured.rounds.flatMap(({ cpuMs }) => (cpuMs === null ? [] : [cpuMs]))
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
      ratioToCopy: copy && medianOfRatios(cost(measured), copy),
      speedupOverNaive: naive && medianOfRatios(naive, cost(measured)),
      ratioToModel: product && medianOfRatios(perOperation(cost(measured), work), perOperation(product, productWork)),
      rate: rateOf(work, median(wall)),
    }
  })
}

function checkOptions({ sizes, rotation, layer, rounds }: BenchOptions): void {
  for (const n of [...sizes, ...[rotation, layer].filter((size) => size !== null)]) {
    if (Math.log2(n) % 1 !== 0 || n < SMALLEST_SIZE || n > LARGEST_SIZE) {
      throw new InputError(
        'BN-01',
        `size: expected a power of two from ${SMALLEST_SIZE} to ${LARGEST_SIZE}, found ${n}`,
      )
    }
  }
  if (sizes.length === 0) throw new InputError('BN-01', 'sizes: expected at least one, found none')
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new InputError('BN-02', `rounds: expected a whole number of 1 or more, found ${rounds}`)
  }
}

const isWanted = ({ subject }: Entry, filter: string | null) => filter === null || subject.name.includes(filter)
const isSubmit = ({ subject }: Entry) => subject.name === EMPTY_SUBMIT
const isBaseline = ({ subject }: Entry) => [COPY, NAIVE, LAYER_PRODUCT].includes(subject.name)

/** What the filter names and, when that is anything, the baseline it is compared with. */
function withBaselines(entries: Entry[], filter: string | null): Entry[] {
  const wanted = entries.filter((entry) => isWanted(entry, filter))
  return wanted.length === 0 ? [] : entries.filter((entry) => wanted.includes(entry) || isBaseline(entry))
}

/** The groups of the benchmark as functions that upload their inputs into an arena when their turn comes. */
function groupsOf({ gpu, sizes, signal, ...options }: BenchOptions): ((arena: Arena) => Entry[])[] {
  const rows = Math.max(...sizes)
  const cols = 4 * rows
  const entry = (shape: string) => (kernelCase: KernelCase) => ({
    subject: kernelSubject(gpu, kernelCase),
    shape,
    work: kernelCase.work,
  })
  const tensor = (arena: Arena) => {
    const x = gaussian(rows, cols, 1)
    const matrix = uploadMatrix(gpu, arena, x, 'bench x')
    return [
      copyCase(gpu, x, matrix),
      ...quantizeCases(gpu, arena, x, matrix),
      ...transformCases(gpu, arena, x, matrix),
      ...reductionCases(gpu, arena, x, matrix),
    ].map(entry(`${rows} x ${cols}`))
  }
  const product = (n: number) => (arena: Arena) =>
    matmulCases(gpu, arena, gaussian(n, n, 2), gaussian(n, n, 3)).map(entry(`${n} x ${n} x ${n}`))
  const gptq = (arena: Arena) => {
    const n = Math.min(rows, GPTQ_SIZE)
    const layer = { weight: gaussian(n, n, 4), x: gaussian(2 * n, n, 5) }
    const shape = `${n} x ${n}, ${2 * n} tokens`
    return gptqCases(gpu, arena, layer, signal).map((one) => ({ ...one, shape }))
  }
  const { isSoftware } = gpu.adapter
  const rotation = (arena: Arena) => {
    const n = options.rotation ?? (isSoftware ? SOFTWARE_ROTATION : WIDTH)
    const x = gaussian(n, n, 6)
    const matrix = uploadMatrix(gpu, arena, x, 'bench x')
    return [copyCase(gpu, x, matrix), hadamardCase(gpu, x, matrix)].map(entry(`${n} x ${n}`))
  }
  const training = (arena: Arena) => {
    const n = options.layer ?? (isSoftware ? SOFTWARE_LAYER : WIDTH)
    const layer = { weight: gaussian(n, n, 7), x: gaussian(Math.min(n, LAYER_TOKENS), n, 8) }
    const shape = `${n} x ${n}, ${layer.x.rows} tokens`
    return trainingCases(gpu, arena, layer, signal).map((one) => ({ ...one, shape }))
  }
  return [tensor, rotation, ...sizes.map(product), gptq, training]
}

/**
 * Runs the benchmark. Throws InputError BN-01 (sizes), BN-02 (rounds) or BN-03 (a filter that names no row), and the
 * signal's reason when aborted. A kernel with a wrong result gives a refused row and is not timed.
 */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  checkOptions(options)
  const { gpu, clock, filter, rounds, signal, onRow } = options
  const comparedBy = gpu.adapter.isSoftware && clock.cpu ? 'cpu' : 'wall'
  const cost: Cost = ({ rounds }) =>
    rounds.map(({ cpuMs, wallMs }) => (comparedBy === 'cpu' && cpuMs !== null ? cpuMs : wallMs))
  const rows: BenchRow[] = []
  let minimumMs = MINIMUM_MS
  const runGroup = async (prepare: (arena: Arena) => Entry[]) => {
    const arena = new Arena(gpu)
    try {
      const entries = prepare(arena)
      if (entries.length === 0) return
      const subjects = entries.map(({ subject }) => subject)
      const measurements = await measureInterleaved(subjects, { clock, rounds, minimumMs, signal })
      for (const row of toRows(entries, measurements, cost)) {
        rows.push(row)
        onRow(row)
      }
    } finally {
      arena.release()
    }
  }

  await runGroup((arena) => floors(gpu, arena).filter((floor) => isWanted(floor, filter) || isSubmit(floor)))
  const submit = rows.find((row) => row.name === EMPTY_SUBMIT)
  if (submit?.kind === 'timed') minimumMs = Math.max(MINIMUM_MS, EMPTY_SUBMITS * submit.medianMs)
  for (const prepare of groupsOf(options)) await runGroup((arena) => withBaselines(prepare(arena), filter))
  gpu.pool.trim()
  if (filter !== null && !rows.some(({ name }) => name.includes(filter))) {
    throw new InputError('BN-03', `filter: expected part of a row's name, found "${filter}"`)
  }
  return { adapter: gpu.adapter, rounds, comparedBy, rows }
}
