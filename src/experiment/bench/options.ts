import { InputError } from '../../core/errors'
import type { Gpu } from '../../gpu/device'
import type { HostFacts } from './environment'
import type { BenchClock } from './interleave'
import type { Peer } from './peer'
import type { BenchRow } from './report'

/** What a front door's options are turned into; plain data. */
export interface BenchRequest {
  /** Everything, or what fits into half a minute: no layers to train or compare, no float64 reference. */
  readonly suite: 'full' | 'short'
  /** Only rows whose name contains this; the empty submit and the baselines of their group come along. */
  readonly filter: string | null
  /** Sizes n of the n x n x n products, powers of two from 32; the largest also gives the tensor [n, 4n] of the rest. */
  readonly sizes: readonly number[]
  /** n of the n x n tensor a rotation of all channels is timed on; null: 4096, in software 1024. */
  readonly rotation: number | null
  /** n of the n x n layer of training steps (null: 4096, in software 256) and idle overhead (null: 1024, and 4096 on a GPU). */
  readonly layer: number | null
  readonly rounds: number
}

/** How far the benchmark is: group `group` of `groups`, counted from 1, and the kernels checked or the timings made of that group. */
export interface BenchProgress {
  readonly group: number
  readonly groups: number
  readonly stage: 'checking' | 'timing'
  readonly done: number
  readonly total: number
}

export interface BenchOptions extends BenchRequest {
  readonly gpu: Gpu
  readonly clock: BenchClock
  readonly host: HostFacts
  /** Other libraries whose products are timed beside ours. */
  readonly peers: readonly Peer[]
  readonly signal: AbortSignal
  /** Called with each row as soon as its group is done. */
  readonly onRow: (row: BenchRow) => void
  /** Called after each timing. */
  readonly onProgress?: (progress: BenchProgress) => void
}

export const DEFAULT_BENCH: BenchRequest = {
  suite: 'full',
  filter: null,
  sizes: [256, 512, 1024],
  rotation: null,
  layer: null,
  rounds: 7,
}

/** What the page runs: small enough for half a minute also in software, large enough to say something of a GPU. */
export function shortBench(isSoftware: boolean): BenchRequest {
  return { ...DEFAULT_BENCH, suite: 'short', sizes: isSoftware ? [256] : [512, 1024], rounds: isSoftware ? 3 : 7 }
}

const SMALLEST_SIZE = 32
const LARGEST_SIZE = 4096

/** What sizes are, for messages. */
export const SIZE_RULE = `a power of two from ${SMALLEST_SIZE} to ${LARGEST_SIZE}`

export const isBenchSize = (n: number) => Math.log2(n) % 1 === 0 && n >= SMALLEST_SIZE && n <= LARGEST_SIZE

/** Throws InputError BN-01 (sizes) or BN-02 (rounds). */
export function checkBenchRequest({ sizes, rotation, layer, rounds }: BenchRequest): void {
  for (const n of [...sizes, ...[rotation, layer].filter((size) => size !== null)]) {
    if (!isBenchSize(n)) throw new InputError('BN-01', `size: expected ${SIZE_RULE}, found ${n}`)
  }
  if (sizes.length === 0) throw new InputError('BN-01', 'sizes: expected at least one, found none')
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new InputError('BN-02', `rounds: expected a whole number of 1 or more, found ${rounds}`)
  }
}
