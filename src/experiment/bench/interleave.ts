/** The timing protocol: warm up, check, repeat enough, interleave. Knows nothing of GPUs (docs/performance.md). */

/** Time, injected: the engine runs in a page and in Node. */
export interface BenchClock {
  /** Wall time in milliseconds from any origin. */
  now(): number
  /** CPU time of everything that takes part; null where it cannot be read. */
  readonly cpu: CpuClock | null
}

export interface CpuClock {
  /** Milliseconds from any origin, of the whole process or of all processes of a browser. */
  read(): number | Promise<number>
  /** By how much it moves at a time, in milliseconds. */
  readonly stepMs: number
}

/** What the GPU itself says; milliseconds inside its passes since it was last asked, null where it had none. */
export interface PassTime {
  take(): Promise<number | null>
}

/** Something that can be timed. */
export interface Subject {
  readonly name: string
  /** Does the work `repetitions` times in one submit where possible, and waits for it. */
  run(repetitions: number): Promise<void>
  /** Does the work once and says what is wrong with the result, or null. Wrong subjects are not timed. */
  verify?(): Promise<string | null>
  /** Of one that takes seconds: a timing is one run, and it takes part in so many rounds. */
  readonly longRounds?: number
  /** Of one whose every repetition leaves memory to be collected: a timing has no more of them. */
  readonly maxRepetitions?: number
}

/** Milliseconds per repetition. */
export interface Timing {
  readonly wallMs: number
  readonly cpuMs: number | null
  /** On the GPU's clock, inside passes; null without such a clock, and of what runs no pass. */
  readonly passMs: number | null
}

export type Measurement =
  | {
      readonly kind: 'timed'
      /** The first run, with compilation in it. */
      readonly first: Timing
      readonly repetitions: number
      /** One timing per round. */
      readonly rounds: readonly Timing[]
    }
  | { readonly kind: 'refused'; readonly reason: string }

export interface InterleaveOptions {
  readonly clock: BenchClock
  readonly passes: PassTime | null
  readonly rounds: number
  /** Wall time one timing must last at least; repetitions are raised until it does. */
  readonly minimumMs: number
  readonly signal: AbortSignal
  /** Called after each subject is checked, then after each timing, with how many of them are done. */
  readonly onTimed?: (stage: 'checking' | 'timing', done: number, total: number) => void
}

const MAX_REPETITIONS = 500

/** Indices of `count` subjects in the order of a round: A B C, then C B A, and so on. */
export function roundOrder(count: number, round: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  return round % 2 === 0 ? order : order.reverse()
}

/** The middle value, or the mean of the middle two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median over rounds of subject / baseline, each pair of one round. Steadier than a ratio of medians under drift. */
export function medianOfRatios(subject: readonly number[], baseline: readonly number[]): number {
  return median(subject.map((value, round) => value / baseline[round]))
}

type Clocks = Pick<InterleaveOptions, 'clock' | 'passes'>

async function time(subject: Subject, repetitions: number, { clock, passes }: Clocks): Promise<Timing> {
  // What ran since the last timing is not part of this one.
  await passes?.take()
  const cpuStart = await clock.cpu?.read()
  const start = clock.now()
  await subject.run(repetitions)
  const wallMs = (clock.now() - start) / repetitions
  const cpuEnd = await clock.cpu?.read()
  const isRead = cpuStart !== undefined && cpuEnd !== undefined
  const passMs = (await passes?.take()) ?? null
  return {
    wallMs,
    cpuMs: isRead ? (cpuEnd - cpuStart) / repetitions : null,
    passMs: passMs === null ? null : passMs / repetitions,
  }
}

/** Repetitions that make one timing last `minimumMs`, found by growing from one. */
async function findRepetitions(subject: Subject, options: InterleaveOptions): Promise<number> {
  const { minimumMs, signal } = options
  if (subject.longRounds !== undefined) return 1
  const most = subject.maxRepetitions ?? MAX_REPETITIONS
  let repetitions = 1
  for (;;) {
    signal.throwIfAborted()
    const { wallMs } = await time(subject, repetitions, options)
    if (wallMs * repetitions >= minimumMs || repetitions === most) return repetitions
    const wanted = Math.ceil(minimumMs / Math.max(wallMs, 1e-3))
    repetitions = Math.min(most, Math.max(2 * repetitions, wanted))
  }
}

/**
 * Times `subjects` against one another; measurement i belongs to subject i. Each is run once (reported as first),
 * verified, run again to find its repetitions, then timed in `rounds` interleaved rounds.
 */
export async function measureInterleaved(
  subjects: readonly Subject[],
  options: InterleaveOptions,
): Promise<Measurement[]> {
  const { rounds, signal } = options
  const prepared = []
  for (const subject of subjects) {
    signal.throwIfAborted()
    const first = await time(subject, 1, options)
    const reason = (await subject.verify?.()) ?? null
    const repetitions = reason === null ? await findRepetitions(subject, options) : 0
    prepared.push({ subject, first, reason, repetitions, rounds: [] as Timing[] })
    options.onTimed?.('checking', prepared.length, subjects.length)
  }
  let timings = 0
  for (let round = 0; round < rounds; round++) {
    for (const index of roundOrder(prepared.length, round)) {
      signal.throwIfAborted()
      const entry = prepared[index]
      const isOver = round >= (entry.subject.longRounds ?? rounds)
      if (entry.reason === null && !isOver) entry.rounds.push(await time(entry.subject, entry.repetitions, options))
      timings += 1
      options.onTimed?.('timing', timings, subjects.length * rounds)
    }
  }
  return prepared.map(({ first, reason, repetitions, rounds }) =>
    reason === null ? { kind: 'timed', first, repetitions, rounds } : { kind: 'refused', reason },
  )
}
