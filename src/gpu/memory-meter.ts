/** A pool as one run sees it: it counts what the run takes and holds it against the plan made before it. */
import { InputError } from '../core/errors'
import { type BufferPool, mebibytes } from './buffer-pool'

/** A run may exceed its plan by this share before it is said. */
const TOLERANCE = 0.1

/** What a run took beyond its plan. */
export interface Excess {
  readonly plannedBytes: number
  readonly liveBytes: number
  /** The buffer that crossed the plan. */
  readonly label: string
}

/** The pool that `meter` makes; buffers taken through it are given back through it. */
export interface MeteredPool extends BufferPool {
  /** From now on at most `bytes` may live, of which `live` do already; the peak and the excess begin anew. */
  plan(bytes: number, live?: number): void
  /** What has gone beyond the plan; null: nothing by more than a tenth. */
  readonly excess: Excess | null
}

export interface MeterOptions {
  /** Bytes of the run that are there already. */
  readonly base: number
  /** What the run may take for the largest buffer, no more than `pool` allows. */
  readonly limitBytes?: number
}

/**
 * `pool` with a count of its own. Where the pool is strict (tests), an allocation beyond the plan throws InputError BUG
 * instead of being noted.
 */
export function meterPool(pool: BufferPool, { base, limitBytes = pool.limitBytes }: MeterOptions): MeteredPool {
  let liveBytes = base
  let peakBytes = base
  let plannedBytes = Number.POSITIVE_INFINITY
  let excess: Excess | null = null

  const check = (label: string) => {
    if (liveBytes <= plannedBytes * (1 + TOLERANCE) || liveBytes <= (excess?.liveBytes ?? 0)) return
    excess = { plannedBytes, liveBytes, label }
    if (pool.isStrict) throw new InputError('BUG', `memory plan: "${label}": ${excessText(excess)}`)
  }
  return {
    uniforms: pool.uniforms,
    limitBytes,
    isStrict: pool.isStrict,
    acquire(bytes, label) {
      const buffer = pool.acquire(bytes, label)
      liveBytes += buffer.size
      peakBytes = Math.max(peakBytes, liveBytes)
      try {
        check(label)
      } catch (error) {
        this.release(buffer)
        throw error
      }
      return buffer
    },
    release(buffer) {
      liveBytes -= buffer.size
      pool.release(buffer)
    },
    trim: () => pool.trim(),
    settled: () => pool.settled(),
    plan(bytes, live = liveBytes) {
      plannedBytes = bytes
      liveBytes = live
      peakBytes = liveBytes
      excess = null
    },
    get excess() {
      return excess
    },
    get liveBytes() {
      return liveBytes
    },
    get peakBytes() {
      return peakBytes
    },
    get largestBytes() {
      return pool.largestBytes
    },
  }
}

/** "expected at most 12.0 MiB at once, found 14.2 MiB." */
export const excessText = ({ plannedBytes, liveBytes }: Excess) =>
  `expected at most ${mebibytes(plannedBytes)} at once, found ${mebibytes(liveBytes)}.`
