/** Which of several kernels is fastest. Knows nothing of GPUs. */

/** One way to do the same work. */
export interface Candidate<T> {
  readonly choice: T
  /** Does the work `repetitions` times in one submit and waits for it. */
  run(repetitions: number): Promise<void>
  /** Does the work once and returns some elements of the result, the same ones of every candidate. */
  sample(): Promise<Float32Array>
}

export interface Contest<T> {
  /** The plain way, right on every adapter. */
  readonly plain: Candidate<T>
  readonly others: readonly Candidate<T>[]
  /** By how much a sample may differ from the plain one's; 0 asks for equality. */
  readonly bounds: readonly number[]
}

/** A timing lasts at least so long, unless it takes MAX_REPETITIONS. */
const TIMING_MS = 10
const MAX_REPETITIONS = 64
const ROUNDS = 3

/** A candidate that takes longer is not timed: on a slow adapter the page would wait for seconds. */
const SLOW_MS = 50

interface Runner<T> {
  readonly candidate: Candidate<T>
  readonly repetitions: number
  /** Milliseconds per repetition, one a round. */
  readonly timings: number[]
}

function agrees(found: Float32Array, plain: Float32Array, bounds: readonly number[]): boolean {
  return found.length === plain.length && bounds.every((bound, i) => Math.abs(found[i] - plain[i]) <= bound)
}

async function perRepetition<T>({ run }: Candidate<T>, repetitions: number, now: () => number): Promise<number> {
  const start = now()
  await run(repetitions)
  return (now() - start) / repetitions
}

/** Finds repetitions that last TIMING_MS by doubling, which also wakes the adapter; null for a slow candidate. */
async function prepare<T>(candidate: Candidate<T>, now: () => number): Promise<Runner<T> | null> {
  let repetitions = 1
  let took = await perRepetition(candidate, repetitions, now)
  if (took > SLOW_MS) return null
  while (repetitions < MAX_REPETITIONS && took * repetitions < TIMING_MS) {
    repetitions *= 2
    took = await perRepetition(candidate, repetitions, now)
  }
  return { candidate, repetitions, timings: [] }
}

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]

async function orNull<R>(work: () => Promise<R>): Promise<R | null> {
  try {
    return await work()
  } catch {
    return null
  }
}

/**
 * The choice of the fastest candidate by the median of interleaved rounds; the plain one where it is as fast, or slow.
 * Another one that throws, or whose samples are not those of the plain one, is out. Rejects where the plain one throws.
 */
export async function pickFastest<T>({ plain, others, bounds }: Contest<T>, now: () => number): Promise<T> {
  const right = await plain.sample()
  const plainRunner = await prepare(plain, now)
  if (!plainRunner) return plain.choice
  const runners = [plainRunner]
  for (const candidate of others) {
    const found = await orNull(candidate.sample)
    const runner = found && agrees(found, right, bounds) ? await orNull(() => prepare(candidate, now)) : null
    if (runner) runners.push(runner)
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { candidate, repetitions, timings } of round % 2 === 0 ? runners : runners.toReversed()) {
      const timed = () => perRepetition(candidate, repetitions, now)
      timings.push(candidate === plain ? await timed() : ((await orNull(timed)) ?? Number.POSITIVE_INFINITY))
    }
  }
  let [best, choice] = [Number.POSITIVE_INFINITY, plain.choice]
  for (const { candidate, timings } of runners) {
    const median = medianOf(timings)
    if (median < best) [best, choice] = [median, candidate.choice]
  }
  return choice
}
