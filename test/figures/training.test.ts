import { describe, expect, it } from 'vitest'
import type { UnfinishedTraining } from '../../src/figures/figure'
import { figureOptions } from '../../src/figures/options'
import { training } from '../../src/figures/training'
import { W4A4 } from './fixtures'

const look = figureOptions(W4A4, { theme: 'light' })
const curve = (losses: readonly number[], state: UnfinishedTraining['state'] = 'running'): UnfinishedTraining => ({
  method: 'spinquant',
  setting: 'W4A4',
  state,
  losses,
  steps: 2000,
})
function withCurve(one: UnfinishedTraining, outcomes: typeof W4A4 = W4A4) {
  const options = { ...look, unfinished: [one] }
  const { data, layout } = training.build(outcomes, options)
  return {
    data,
    names: data.map(({ name }) => name),
    labels: layout.annotations?.map(({ text }) => text) ?? [],
    heights: layout.annotations?.map(({ y }) => y) ?? [],
    ranges: [layout.xaxis?.range, layout.yaxis?.range],
    words: training.describe(outcomes, options),
  }
}

describe('a training without a result', () => {
  it('is drawn beside finished ones, and says how far it came', () => {
    const { data, names, labels, words } = withCurve(curve([0.5, 0.3, 0.35]))
    expect(names).toEqual(['FlatQuant, W4A4', 'FlatQuant, W4A4, kept', 'SpinQuant, W4A4, at step 2'])
    expect(data[2]).toMatchObject({ x: [0, 1, 2], y: [0.5, 0.3, 0.35] })
    expect(labels.at(-1)).toMatch(/SpinQuant, at step 2$/)
    expect(words).toMatch(/SpinQuant under W4A4: at step 2 of 2000, from 0\.5000, least so far 0\.3000\.$/)
  })

  it('is called cancelled in the legend, the caption and the table', () => {
    const one = curve([0.5, 0.3], 'cancelled')
    const { names, labels, words } = withCurve(one, [])
    expect(names).toEqual(['SpinQuant, W4A4, cancelled at step 1'])
    expect(labels).toEqual([expect.stringMatching(/SpinQuant, cancelled at step 1$/)])
    expect(words).toBe('SpinQuant under W4A4: cancelled at step 1 of 2000, from 0.5000, least 0.3000.')
    expect(training.table([], { ...look, unfinished: [one] }).rows).toEqual([
      ['SpinQuant, cancelled', 'W4A4', '0', '0.5000'],
      ['SpinQuant, cancelled', 'W4A4', '1', '0.3000'],
    ])
  })

  it('keeps the axes while it grows, and after a cancel', () => {
    const losses = Array.from({ length: 900 }, (_, step) => 0.45 - 0.0001 * step)
    const { ranges } = withCurve(curve(losses.slice(0, 40)), [])
    expect(ranges[0]).toEqual([0, 2040])
    expect(withCurve(curve(losses), []).ranges).toEqual(ranges)
    expect(withCurve(curve(losses, 'cancelled'), []).ranges).toEqual(ranges)
  })

  it('stays on the axes when an error is not finite', () => {
    const { ranges, heights } = withCurve(curve([0.5, Number.POSITIVE_INFINITY]), [])
    const [low, high] = ranges[1] ?? []
    expect(low).toBeLessThan(Math.log10(0.5))
    expect(high).toBeLessThan(Math.log10(2))
    expect(heights).toEqual([high])
  })

  it('is thinned to what a screen can show, its ends kept', () => {
    const { data } = withCurve(curve(Array.from({ length: 4998 }, (_, step) => 1 / (1 + step))), [])
    const x = 'x' in data[0] && Array.isArray(data[0].x) ? data[0].x : []
    expect(x.length).toBeLessThanOrEqual(1001)
    expect([x[0], x.at(-1)]).toEqual([0, 4997])
  })
})

describe('the caption of finished trainings', () => {
  const [, , flatquant] = W4A4
  const trained = (losses: readonly number[], bestStep: number, method = 'flatquant') => ({
    ...flatquant,
    method,
    training: { steps: losses.map((_, i) => 10 * i), losses, bestStep },
  })
  const says = (...outcomes: Parameters<typeof training.describe>[0]) => training.describe(outcomes, look)

  it('says what one training gained, which step was kept, and whether it was still falling', () => {
    expect(says(trained([0.4, 0.2, 0.3], 10))).toBe(
      'FlatQuant under W4A4: training lowers the error by 50 %, from 0.4000 to 0.2000 at step 10 of 20, which is kept.',
    )
    expect(says(trained([0.4, 0.3], 10))).toMatch(/to 0\.3000 at the last step, 10, so it was still falling\.$/)
    expect(says(trained([0.4, 0.5], 0))).toBe(
      'FlatQuant under W4A4: 10 steps leave the error at 0.4000, step 0 is kept.',
    )
    expect(says(trained([0.4], 0))).toBe('FlatQuant under W4A4: no step was asked for, the error stays at 0.4000.')
    expect(says(trained([0, 0], 0))).toBe('FlatQuant under W4A4: 10 steps leave the error at 0.0000, step 0 is kept.')
  })

  it('says who of several gained most and least, who ends lowest, and who was still falling', () => {
    const several = [trained([0.4, 0.2], 10), trained([0.3, 0.27, 0.3], 10, 'spinquant')]
    expect(says(...several)).toBe(
      'Training lowers the error on calibration rows by 10 % (SpinQuant) to 50 % (FlatQuant); ' +
        'FlatQuant ends lowest at 0.2000; still falling at the last step: FlatQuant.',
    )
    expect(says(several[0], trained([0.8, 0.4, 0.5], 10, 'spinquant'))).toContain('by 50 % in all 2 results;')
    expect(says(trained([0, 0], 0), trained([0, 0], 0, 'spinquant'))).toBe('FlatQuant ends lowest at 0.0000.')
  })
})
