/** Count, mean and central sums Σ(x − mean)^p of a set of numbers. */
export interface CentralMoments {
  readonly count: number
  readonly mean: number
  readonly m2: number
  readonly m3: number
  readonly m4: number
}

export const NO_MOMENTS: CentralMoments = { count: 0, mean: 0, m2: 0, m3: 0, m4: 0 }

/** What two sets of these counts and means add to the central sums of their union beside their own. */
function between(a: CentralMoments, b: CentralMoments): Pick<CentralMoments, 'm2' | 'm3' | 'm4'> {
  const count = a.count + b.count
  const d = b.mean - a.mean
  const r = d / count
  const product = a.count * b.count
  return {
    m2: product * r * d,
    m3: product * (a.count - b.count) * r * r * d + 3 * r * (a.count * b.m2 - b.count * a.m2),
    m4:
      product * (a.count ** 2 - product + b.count ** 2) * r ** 3 * d +
      6 * r * r * (a.count ** 2 * b.m2 + b.count ** 2 * a.m2) +
      4 * r * (a.count * b.m3 - b.count * a.m3),
  }
}

/** Moments of the union of two sets. Source: P. Pébay, SAND2008-6212, pairwise update formulas. */
export function combineMoments(a: CentralMoments, b: CentralMoments): CentralMoments {
  if (a.count === 0) return b
  if (b.count === 0) return a
  const count = a.count + b.count
  const more = between(a, b)
  const mean = a.mean + ((b.mean - a.mean) * b.count) / count
  return { count, mean, m2: a.m2 + b.m2 + more.m2, m3: a.m3 + b.m3 + more.m3, m4: a.m4 + b.m4 + more.m4 }
}

/** Moments without `zeros` elements that are 0 and were counted: combineMoments solved for one of its sets. */
export function withoutZeros(all: CentralMoments, zeros: number): CentralMoments {
  const count = all.count - zeros
  if (count === 0) return NO_MOMENTS
  const b = { ...NO_MOMENTS, count: zeros }
  let rest: CentralMoments = { count, mean: (all.mean * all.count) / count, m2: 0, m3: 0, m4: 0 }
  // Each sum depends on those of lower order only.
  rest = { ...rest, m2: all.m2 - between(rest, b).m2 }
  rest = { ...rest, m3: all.m3 - between(rest, b).m3 }
  return { ...rest, m4: all.m4 - between(rest, b).m4 }
}

/** Fourth standardised moment about the mean, 3 for a Gaussian; null where all elements are equal or there are none. */
export function kurtosisOf({ count, m2, m4 }: CentralMoments): number | null {
  return m2 > 0 ? (count * m4) / (m2 * m2) : null
}
