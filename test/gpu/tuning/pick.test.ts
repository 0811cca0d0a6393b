import { describe, expect, it } from 'vitest'
import { type Candidate, pickFastest } from '../../../src/gpu/tuning/pick'

/** A clock that only work moves. */
class Clock {
  time = 0
  readonly now = () => this.time
}

interface Script {
  /** Milliseconds of a repetition, one entry per run, the last one for all that follow. */
  readonly costs: readonly number[]
  readonly sample?: readonly number[]
  /** The run, counted from 0, that throws. */
  readonly failsAt?: number
}

function scripted(clock: Clock, choice: string, { costs, sample = [1, 2], failsAt }: Script): Candidate<string> {
  let runs = 0
  return {
    choice,
    run: async (repetitions) => {
      const run = runs++
      if (run === failsAt) throw new Error('refused')
      clock.time += repetitions * costs[Math.min(run, costs.length - 1)]
    },
    sample: async () => Float32Array.from(sample),
  }
}

/** What is picked of scripts by name; the first is plain. */
function pick(scripts: Record<string, Script>, bounds: readonly number[] = [0, 0.5]): Promise<string> {
  const clock = new Clock()
  const [plain, ...others] = Object.entries(scripts).map(([name, script]) => scripted(clock, name, script))
  return pickFastest({ plain, others, bounds }, clock.now)
}

describe('pickFastest', () => {
  it('picks the fastest, wherever it stands', async () => {
    expect(await pick({ plain: { costs: [3] }, other: { costs: [2] }, last: { costs: [4] } })).toBe('other')
    expect(await pick({ plain: { costs: [3] }, other: { costs: [2] }, last: { costs: [1] } })).toBe('last')
    expect(await pick({ plain: { costs: [1] }, other: { costs: [2] }, last: { costs: [4] } })).toBe('plain')
  })

  it('keeps the plain one where another is as fast', async () => {
    expect(await pick({ plain: { costs: [2] }, other: { costs: [2] } })).toBe('plain')
  })

  it('goes by the median of the rounds, after untimed runs', async () => {
    // At 20 ms one run finds the repetitions; then come three rounds.
    const steady = { costs: [20] }
    expect(await pick({ plain: steady, other: { costs: [40, 10, 40, 10] } })).toBe('other')
    expect(await pick({ plain: steady, other: { costs: [10, 40, 40, 10] } })).toBe('plain')
  })

  it('times none that takes longer than 50 ms, and nothing where the plain one does', async () => {
    expect(await pick({ plain: { costs: [50] }, other: { costs: [51, 1] } })).toBe('plain')
    expect(await pick({ plain: { costs: [50] }, other: { costs: [50, 1] } })).toBe('other')
    expect(await pick({ plain: { costs: [51] }, other: { costs: [1] } })).toBe('plain')
  })

  it('repeats what is short until a timing lasts 10 ms', async () => {
    const clock = new Clock()
    const asked: number[] = []
    const plain = scripted(clock, 'plain', { costs: [3] })
    const run = (repetitions: number) => {
      asked.push(repetitions)
      return plain.run(repetitions)
    }
    await pickFastest({ plain: { ...plain, run }, others: [], bounds: [] }, clock.now)
    expect(asked).toEqual([1, 2, 4, 4, 4, 4])
  })

  it('goes through the candidates forwards and backwards in turn', async () => {
    const clock = new Clock()
    const order: string[] = []
    const told = (choice: string) => {
      const candidate = scripted(clock, choice, { costs: [20] })
      const run = (repetitions: number) => {
        order.push(choice)
        return candidate.run(repetitions)
      }
      return { ...candidate, run }
    }
    await pickFastest({ plain: told('a'), others: [told('b')], bounds: [] }, clock.now)
    expect(order.join('')).toBe('ab' + 'abbaab')
  })

  it('takes none that is wrong, within the bound of each sample', async () => {
    const slow = { costs: [3] }
    expect(await pick({ plain: slow, other: { costs: [1], sample: [1, 2.5] } })).toBe('other')
    expect(await pick({ plain: slow, other: { costs: [1], sample: [1, 2.6] } })).toBe('plain')
    expect(await pick({ plain: slow, other: { costs: [1], sample: [1.1, 2] } })).toBe('plain')
    expect(await pick({ plain: slow, other: { costs: [1], sample: [Number.NaN, 2] } })).toBe('plain')
    expect(await pick({ plain: slow, other: { costs: [1], sample: [1] } })).toBe('plain')
  })

  it('takes none that throws, whenever it does', async () => {
    const slow = { costs: [20] }
    expect(await pick({ plain: slow, other: { costs: [11], failsAt: 0 } })).toBe('plain')
    // In one round of three it may still be the fastest; in two it is not.
    expect(await pick({ plain: slow, other: { costs: [11], failsAt: 2 } })).toBe('other')
    const clock = new Clock()
    const refused = { ...scripted(clock, 'other', { costs: [1] }), sample: () => Promise.reject(new Error('refused')) }
    const plain = scripted(clock, 'plain', slow)
    expect(await pickFastest({ plain, others: [refused], bounds: [0, 0] }, clock.now)).toBe('plain')
  })

  it('says so where the plain one throws', async () => {
    for (const failsAt of [0, 2]) {
      await expect(pick({ plain: { costs: [20], failsAt }, other: { costs: [1] } })).rejects.toThrow('refused')
    }
  })
})
