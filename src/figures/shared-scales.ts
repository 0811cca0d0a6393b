import type { ActivationProfile, MethodResult, ScaleHistogram } from '../experiment/result'
import { ownBinWidth, rebin } from './rebin'

/** A range of positive numbers for a log axis. */
export interface PositiveRange {
  readonly min: number
  readonly max: number
}

/** What distributions shown together share. Units: those of the tensor, except counts. */
export interface ProfileScales {
  /** Largest |x| over the results: the distribution runs from −maxAbsolute to maxAbsolute. */
  readonly maxAbsolute: number
  /** The widest own bin among the results; all histograms nest in it. */
  readonly binWidth: number
  /** Largest count of one bin of `binWidth`. */
  readonly maxCount: number
  /** Cells of the magnitude maps, zeros left out; at most CELL_DECADES. */
  readonly cells: PositiveRange
  /** Channel maxima and root mean squares, zeros left out. */
  readonly channels: PositiveRange
}

/** What all tiles of one view share. */
export interface SharedScales extends ProfileScales {
  /** The least and the largest shared exponent of a block. */
  readonly exponents: { readonly min: number; readonly max: number }
  /** The largest share of an operand's blocks that one exponent has, in percent. */
  readonly blockPercent: number
}

/** Magnitudes below the largest by more than this are drawn like the least: they cannot survive four bits anyway. */
const CELL_DECADES = 3

function positiveRange(arrays: readonly ArrayLike<number>[]): PositiveRange {
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const array of arrays) {
    for (let i = 0; i < array.length; i++) {
      const value = array[i]
      if (value > max) max = value
      if (value > 0 && value < min) min = value
    }
  }
  return max > 0 ? { min, max } : { min: 0.1, max: 1 }
}

/** The scales of distributions that are shown together. With none, or all elements zero, unit ranges that can be drawn. */
export function profileScales(profiles: readonly ActivationProfile[]): ProfileScales {
  const binWidth = Math.max(0, ...profiles.map((profile) => ownBinWidth(profile.histogram)))
  const counts = profiles.flatMap((profile) => rebin(profile.histogram, binWidth).counts)
  const cells = positiveRange(profiles.map((profile) => profile.map.values))
  return {
    maxAbsolute: Math.max(0, ...profiles.map((profile) => profile.maxAbsolute)) || 1,
    binWidth,
    maxCount: counts.reduce((most, count) => Math.max(most, count), 1),
    cells: { max: cells.max, min: Math.max(cells.min, cells.max / 10 ** CELL_DECADES) },
    channels: positiveRange(profiles.flatMap((profile) => [profile.channelMax, profile.channelRms])),
  }
}

/** A distribution that fills less of the shared axis than this is a needle: its shape cannot be seen. */
const NEEDLE_SHARE = 0.05

/** The result that fills least of the axis all share, and how much, where that is a needle; null where all can be read. */
export function narrowestOf(
  results: readonly MethodResult[],
): { readonly method: string; readonly share: number } | null {
  const maxAbsolute = Math.max(...results.map(({ profile }) => profile.maxAbsolute))
  const [least] = results
    .filter(({ profile }) => profile.maxAbsolute > 0)
    .map(({ method, profile }) => ({ method, share: profile.maxAbsolute / maxAbsolute }))
    .sort((a, b) => a.share - b.share)
  return least !== undefined && least.share < NEEDLE_SHARE ? least : null
}

/** The scales of results that are shown together. */
export function sharedScales(results: readonly MethodResult[]): SharedScales {
  return {
    ...profileScales(results.map(({ profile }) => profile)),
    ...exponentScales(results.flatMap(scaleHistograms)),
  }
}

function scaleHistograms({ scaleAnalysis }: MethodResult): readonly ScaleHistogram[] {
  return [scaleAnalysis?.activationScales, scaleAnalysis?.weightScales].filter(
    (one) => one !== null && one !== undefined,
  )
}

function exponentScales(histograms: readonly ScaleHistogram[]): Pick<SharedScales, 'exponents' | 'blockPercent'> {
  const used = histograms.filter(({ counts }) => counts.length > 0)
  if (used.length === 0) return { exponents: { min: -1, max: 1 }, blockPercent: 100 }
  const shares = used.flatMap(({ counts, blocks }) => counts.map((count) => (100 * count) / blocks))
  return {
    exponents: {
      min: Math.min(...used.map(({ firstExponent }) => firstExponent)),
      max: Math.max(...used.map(({ firstExponent, counts }) => firstExponent + counts.length - 1)),
    },
    blockPercent: Math.max(...shares),
  }
}

/** Round-to-nearest changes no basis, so its profile is that of the activations as loaded. Null when it is missing. */
export function findReference(results: readonly MethodResult[]): MethodResult | null {
  return results.find((result) => result.method === 'rtn') ?? null
}
