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
    expect(words).toMatch(/SpinQuant under W4A4: at step 2 of 2000, from 0\.5000, least so far 0\.3000$/)
  })

  it('is called cancelled in the legend, the caption and the table', () => {
    const one = curve([0.5, 0.3], 'cancelled')
    const { names, labels, words } = withCurve(one, [])
    expect(names).toEqual(['SpinQuant, W4A4, cancelled at step 1'])
    expect(labels).toEqual([expect.stringMatching(/SpinQuant, cancelled at step 1$/)])
    expect(words).toBe('SpinQuant under W4A4: cancelled at step 1 of 2000, from 0.5000, least 0.3000')
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
