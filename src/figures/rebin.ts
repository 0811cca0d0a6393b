import type { Histogram } from '../experiment/result'

/** Counts of equal bins; bin i covers [start + i · binWidth, start + (i + 1) · binWidth). */
export interface Bins {
  readonly start: number
  readonly binWidth: number
  readonly counts: readonly number[]
}

/** Width of the histogram's own bins, in the unit of X: an exact power of two over a power of two. */
export function ownBinWidth(histogram: Histogram): number {
  return (2 * histogram.range) / histogram.counts.length
}

/**
 * Adds the histogram's bins up to wider ones of `binWidth`, which must be its own width times a whole number. Edges lie
 * at multiples of `binWidth`, so every fine bin falls into exactly one wide bin and no count is split or lost.
 * Exact: all edges are small multiples of a power of two. Throws when the widths do not nest (a bug in the caller).
 */
export function rebin(histogram: Histogram, binWidth: number): Bins {
  const fine = ownBinWidth(histogram)
  if (!Number.isInteger(binWidth / fine)) {
    throw new Error(`histogram bins: expected a multiple of ${fine}, found ${binWidth}`)
  }
  const wideIndex = (index: number) => Math.floor((-histogram.range + (index + 0.5) * fine) / binWidth)
  const first = wideIndex(0)
  const counts = new Array<number>(wideIndex(histogram.counts.length - 1) - first + 1).fill(0)
  for (let i = 0; i < histogram.counts.length; i++) counts[wideIndex(i) - first] += histogram.counts[i]
  return { start: first * binWidth, binWidth, counts }
}
