import { describe, expect, test } from 'vitest'
import {
  type InterleaveOptions,
  measureInterleaved,
  median,
  medianOfRatios,
  roundOrder,
  type Subject,
} from '../../../src/experiment/bench/interleave'

/** A clock that moves only when a subject works; two cores are busy all the time. */
function fakeTime() {
  const state = { now: 1000 }
  const log: string[] = []
  const clock = { now: () => state.now, cpu: { read: () => 2 * state.now, stepMs: 0 } }
  const subject = (name: string, costMs: (call: number) => number, wrong: string | null = null): Subject => {
    let call = 0
    return {
      name,
      async run(repetitions) {
        log.push(`${name}${repetitions}`)
        state.now += costMs(call++) * repetitions
      },
      async verify() {
        log.push(`${name}?`)
        return wrong
      },
    }
  }
  return { clock, log, subject }
}

function optionsOf(clock: InterleaveOptions['clock'], rounds: number): InterleaveOptions {
  return { clock, passes: null, rounds, minimumMs: 5, signal: new AbortController().signal }
}

describe('measureInterleaved', () => {
  test('warms up, verifies, then times A B C, C B A, A B C', async () => {
    const { clock, log, subject } = fakeTime()
    const subjects = ['A', 'B', 'C'].map((name) => subject(name, () => 10))
    const told: string[] = []
    const onTimed = (stage: string, done: number, total: number) => told.push(`${stage} ${done}/${total}`)
    await measureInterleaved(subjects, { ...optionsOf(clock, 3), onTimed })
    const steps = (stage: string, total: number) =>
      Array.from({ length: total }, (_, i) => `${stage} ${i + 1}/${total}`)
    expect(told).toEqual([...steps('checking', 3), ...steps('timing', 9)])
    const prepare = ['A', 'B', 'C'].flatMap((name) => [`${name}1`, `${name}?`, `${name}1`])
    expect(log).toEqual([...prepare, 'A1', 'B1', 'C1', 'C1', 'B1', 'A1', 'A1', 'B1', 'C1'])
  })

  test('repeats a subject that leaves memory behind no more often than it allows', async () => {
    const { clock, subject } = fakeTime()
    const limited = { ...subject('A', () => 0.5), maxRepetitions: 4 }
    const [measured] = await measureInterleaved([limited], optionsOf(clock, 1))
    expect(measured).toMatchObject({ kind: 'timed', repetitions: 4 })
  })

  test('repeats a short subject until one timing lasts the minimum, and reports times per repetition', async () => {
    const { clock, subject } = fakeTime()
    const [measured] = await measureInterleaved([subject('A', (call) => (call === 0 ? 90 : 0.5))], optionsOf(clock, 2))
    expect(measured).toEqual({
      kind: 'timed',
      first: { wallMs: 90, cpuMs: 180, passMs: null },
      repetitions: 10,
      rounds: [
        { wallMs: 0.5, cpuMs: 1, passMs: null },
        { wallMs: 0.5, cpuMs: 1, passMs: null },
      ],
    })
  })

  test('what the GPU spent inside passes is of the timing alone, per repetition', async () => {
    const { clock, subject } = fakeTime()
    let inside = 0
    const counted: Subject = {
      ...subject('A', () => 10),
      // No run of it comes between its check and the next subject.
      longRounds: 2,
      run: async (repetitions) => {
        inside += 8 * repetitions
        await subject('A', () => 10).run(repetitions)
      },
      verify: async () => {
        inside += 1000
        return null
      },
    }
    const passes = {
      async take() {
        const taken = inside
        inside = 0
        return taken === 0 ? null : taken
      },
    }
    const none = subject('B', () => 10)
    const [a, b] = await measureInterleaved([counted, none], { ...optionsOf(clock, 2), passes })
    expect(a).toMatchObject({ first: { passMs: 8 }, rounds: [{ passMs: 8 }, { passMs: 8 }] })
    expect(b).toMatchObject({ first: { passMs: null }, rounds: [{ passMs: null }, { passMs: null }] })
  })

  test('grows repetitions further when the first guess was too few', async () => {
    const { clock, subject } = fakeTime()
    // The single run looks slow (2 ms of submit), repetitions are cheap.
    const costs = [2, 2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    const [measured] = await measureInterleaved([subject('A', (call) => costs[call] ?? 0.1)], optionsOf(clock, 1))
    if (measured.kind !== 'timed') throw new Error('refused')
    expect(measured.repetitions * 0.1).toBeGreaterThanOrEqual(5)
    expect(measured.repetitions).toBeLessThanOrEqual(100)
  })

  test('a subject that takes seconds is one run per timing, in the rounds it asks for', async () => {
    const { clock, log, subject } = fakeTime()
    const long = { ...subject('A', () => 1), longRounds: 2 }
    const [measured, other] = await measureInterleaved([long, subject('B', () => 10)], optionsOf(clock, 3))
    expect(measured).toMatchObject({ repetitions: 1, rounds: [{ wallMs: 1 }, { wallMs: 1 }] })
    expect(log.filter((entry) => entry.startsWith('A'))).toEqual(['A1', 'A?', 'A1', 'A1'])
    expect(other).toMatchObject({ rounds: { length: 3 } })
  })

  test('waits for a CPU clock that is read elsewhere', async () => {
    const { clock, subject } = fakeTime()
    const cpu = { read: async () => clock.cpu.read(), stepMs: 10 }
    const [measured] = await measureInterleaved([subject('A', () => 10)], optionsOf({ ...clock, cpu }, 1))
    expect(measured).toMatchObject({ rounds: [{ wallMs: 10, cpuMs: 20 }] })
  })

  test('does not time a subject whose result is wrong', async () => {
    const { clock, log, subject } = fakeTime()
    const subjects = [subject('A', () => 10), subject('B', () => 10, 'element 3 is off')]
    const [a, b] = await measureInterleaved(subjects, optionsOf(clock, 2))
    expect(a.kind).toBe('timed')
    expect(b).toEqual({ kind: 'refused', reason: 'element 3 is off' })
    expect(log.filter((entry) => entry === 'B1')).toHaveLength(1)
  })

  test('reports no CPU time without a CPU clock', async () => {
    const { clock, subject } = fakeTime()
    const [measured] = await measureInterleaved([subject('A', () => 10)], optionsOf({ ...clock, cpu: null }, 1))
    expect(measured).toMatchObject({ rounds: [{ wallMs: 10, cpuMs: null }] })
  })

  test('stops at once when aborted', async () => {
    const { clock, log, subject } = fakeTime()
    const controller = new AbortController()
    const stopping: Subject = { name: 'B', run: async () => controller.abort() }
    const subjects = [subject('A', () => 10), stopping, subject('C', () => 10)]
    const options = { ...optionsOf(clock, 3), signal: controller.signal }
    await expect(measureInterleaved(subjects, options)).rejects.toThrow('aborted')
    expect(log).not.toContain('C1')
  })
})

describe('statistics of rounds', () => {
  test('every other round runs backwards', () => {
    expect([0, 1, 2].map((round) => roundOrder(3, round))).toEqual([
      [0, 1, 2],
      [2, 1, 0],
      [0, 1, 2],
    ])
  })

  test('the median sorts by value and halves between the middle two', () => {
    expect(median([10, 9, 100])).toBe(10)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([])).toBeNaN()
  })

  test('a ratio is taken within each round: drift that hits both alike does not show', () => {
    expect(medianOfRatios([2, 20, 4], [1, 10, 2])).toBe(2)
    // The ratio of the medians would be 6 / 1, and so would ratios to the median of the baseline be.
    expect(medianOfRatios([6, 1, 10], [1, 1, 10])).toBe(1)
  })
})
