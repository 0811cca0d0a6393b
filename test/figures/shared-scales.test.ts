import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distribution } from '../../src/figures/distribution'
import { magnitudeMap } from '../../src/figures/magnitude-map'
import { figureOptions } from '../../src/figures/options'
import { ownBinWidth, rebin } from '../../src/figures/rebin'
import { findReference, narrowestOf, sharedScales } from '../../src/figures/shared-scales'
import { surface, withChannel } from '../../src/figures/surface'
import type { Data, PlotData } from '../../types/plotly-figure'
import { W4A4 } from './fixtures'

const total = (counts: ArrayLike<number>) => Array.from(counts).reduce((sum, count) => sum + count, 0)

describe('rebin', () => {
  it('conserves every count and its place, whatever the two ranges', () => {
    const histograms = fc.record({
      exponent: fc.integer({ min: -20, max: 20 }),
      counts: fc.array(fc.nat(1000), { minLength: 32, maxLength: 32 }),
    })
    fc.assert(
      fc.property(histograms, fc.integer({ min: 0, max: 9 }), ({ exponent, counts }, doublings) => {
        const histogram = { range: 2 ** exponent, counts: Float64Array.from(counts) }
        const width = ownBinWidth(histogram) * 2 ** doublings
        const bins = rebin(histogram, width)
        expect(total(bins.counts)).toBe(total(counts))
        // The slow version: for each wide bin, add what lies between its edges.
        bins.counts.forEach((count, i) => {
          const from = bins.start + i * width
          const inside = counts.filter((_, j) => {
            const middle = -histogram.range + (j + 0.5) * ownBinWidth(histogram)
            return middle > from && middle < from + width
          })
          expect(count).toBe(total(inside))
        })
      }),
      { seed: 7, numRuns: 100 },
    )
  })

  it('puts edges at multiples of the width, so that bins of all tiles coincide', () => {
    const widths = W4A4.map((result) => ownBinWidth(result.profile.histogram))
    expect(new Set(widths).size).toBeGreaterThan(1)
    const width = Math.max(...widths)
    for (const { profile } of W4A4) expect(Number.isInteger(rebin(profile.histogram, width).start / width)).toBe(true)
  })

  it('refuses a width that would split a bin', () => {
    const histogram = W4A4[0].profile.histogram
    expect(() => rebin(histogram, ownBinWidth(histogram) * 1.5)).toThrow('histogram bins: expected a multiple of')
  })
})

describe('sharedScales', () => {
  it('spans the largest values of all results', () => {
    const scales = sharedScales(W4A4)
    const profiles = W4A4.map((result) => result.profile)
    expect(scales.maxAbsolute).toBe(Math.max(...profiles.map((profile) => profile.maxAbsolute)))
    expect(scales.binWidth).toBe(Math.max(...profiles.map((profile) => ownBinWidth(profile.histogram))))
    expect(scales.maxCount).toBe(Math.max(...profiles.flatMap((p) => rebin(p.histogram, scales.binWidth).counts)))
    expect(scales.cells.max).toBe(Math.max(...profiles.flatMap((profile) => [...profile.map.values])))
    expect(scales.cells.min).toBeGreaterThanOrEqual(scales.cells.max / 1000)
    const channels = profiles.flatMap((profile) => [...profile.channelMax, ...profile.channelRms])
    expect(scales.channels).toEqual({ min: Math.min(...channels), max: Math.max(...channels) })
  })

  it('can be drawn with before any result is there', () => {
    expect(sharedScales([])).toMatchObject({ maxAbsolute: 1, maxCount: 1 })
    expect(findReference([])).toBeNull()
  })

  it('gives all tiles of a view the same axes and colours', () => {
    const options = figureOptions(W4A4, { theme: 'dark' })
    const axes = W4A4.map((result) => distribution.build(result, options).layout)
    expect(new Set(axes.map((layout) => JSON.stringify([layout.xaxis, layout.yaxis]))).size).toBe(1)
    const colours = W4A4.map((result) => scatterOf(magnitudeMap.build(result, options).data[0]))
    expect(new Set(colours.map((trace) => `${trace.zmin} ${trace.zmax}`)).size).toBe(1)
  })
})

describe('the narrowest distribution', () => {
  const [first, second] = W4A4
  const reaching = (result: typeof first, maxAbsolute: number) => ({
    ...result,
    profile: { ...result.profile, maxAbsolute },
  })

  it('is named where it fills less than a twentieth of the shared axis', () => {
    expect(narrowestOf([reaching(first, 100), reaching(second, 2)])).toEqual({ method: second.method, share: 0.02 })
    expect(narrowestOf([reaching(first, 100), reaching(second, 5)])).toBeNull()
    expect(narrowestOf([reaching(first, 100), reaching(second, 0)])).toBeNull()
    expect(narrowestOf([])).toBeNull()
  })
})

describe('distribution', () => {
  const options = figureOptions(W4A4, { theme: 'light' })

  it('draws every element: the counts add up to tokens x channels', () => {
    for (const result of W4A4) {
      const pairs = scatterOf(distribution.build(result, options).data[0]).customdata as number[][]
      expect(total(pairs.map(([count]) => count))).toBe(result.profile.count)
      expect(total(pairs.map(([, share]) => share))).toBeCloseTo(1, 12)
    }
  })

  it('lays the activations as loaded behind every method but round-to-nearest', () => {
    const traces = W4A4.map((result) => distribution.build(result, options).data.length)
    expect(traces).toEqual([1, 2, 2])
    const own = scatterOf(distribution.build(W4A4[0], options).data[0])
    const ghost = scatterOf(distribution.build(W4A4[1], options).data[1])
    expect([ghost.x, ghost.y]).toEqual([own.x, own.y])
  })

  it('widens its bins to those of a reference that is not among the tiles', () => {
    const alone = { ...figureOptions(W4A4.slice(1), { theme: 'light' }), reference: W4A4[0] }
    for (const result of W4A4.slice(1)) {
      expect(distribution.build(result, alone).data).toEqual(distribution.build(result, options).data)
      expect(distribution.table(result, alone)).toEqual(distribution.table(result, options))
    }
  })

  it('stands alone on axes of its own, says so, and draws every element in its own bins', () => {
    const own = figureOptions(W4A4, { theme: 'light', axes: 'own' })
    for (const result of W4A4) {
      const { data, layout } = distribution.build(result, own)
      expect(data).toHaveLength(1)
      const pairs = scatterOf(data[0]).customdata as number[][]
      expect(total(pairs.map(([count]) => count))).toBe(result.profile.count)
      const [first, second] = scatterOf(data[0]).x as number[]
      expect(second - first).toBe(ownBinWidth(result.profile.histogram))
      expect(layout.xaxis?.range?.[1]).toBeCloseTo(1.04 * result.profile.maxAbsolute, 9)
      expect(layout.annotations?.map(({ text }) => text)).toContain('own axes')
      expect(distribution.describe(result, own)).toMatch(/ The axes are its own\.$/)
      expect(distribution.table(result, own).rows.length).toBeGreaterThanOrEqual(
        distribution.table(result, options).rows.length,
      )
    }
    expect(distribution.build(W4A4[1], options).layout.annotations?.map(({ text }) => text)).not.toContain('own axes')
  })

  it('marks ± the largest magnitude of its own method', () => {
    for (const result of W4A4) {
      const marks = distribution.build(result, options).layout.shapes?.map((shape) => shape.x0)
      expect(marks).toEqual([-result.profile.maxAbsolute, result.profile.maxAbsolute])
    }
  })
})

describe('a channel on the surface', () => {
  const figure = surface.build(W4A4[0], figureOptions(W4A4, { theme: 'light' }))
  const contours = (channel: number, mixed = false) => {
    const { data, layout } = withChannel(figure, { channel, mixed })
    return { ...(data[0] as { contours?: { x: unknown } }).contours, note: layout.annotations?.[0]?.text }
  }

  it('is one line at its place, named in the corner', () => {
    const { x, note } = contours(5)
    // Plotly draws lines at start, start + size, … below end.
    expect(x).toMatchObject({ show: true, start: 5, end: 6, size: 1 })
    expect(note).toMatch(/\[unit of X\] · channel 5$/)
    expect(contours(5, true).note).toMatch(/ · channel 5, mixed$/)
  })

  it('is nothing beyond the last channel', () => {
    expect(withChannel(figure, { channel: 9999, mixed: false })).toBe(figure)
  })
})

function scatterOf(trace: Data): Partial<PlotData> {
  return trace as Partial<PlotData>
}
