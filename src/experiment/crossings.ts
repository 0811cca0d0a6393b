import type { OutlierPoint } from './outlier-study'

/** Where the error of a method passes that of RTN. */
export interface Crossing {
  readonly format: string
  readonly method: string
  readonly strength: number
  /** What the method is above that strength. */
  readonly above: 'better' | 'worse'
}

/** Ratios of errors closer to 1 than this cannot be told from 1 (docs/metrics.md, "Why a rotation hurts"). */
export const VERDICT_MARGIN = 0.02

export type Verdict = 'hurts' | 'helps' | 'undecided'

/** What a ratio of errors, with the method over without it, says. */
export function verdictOfRatio(ratio: number): Verdict {
  if (ratio > 1 + VERDICT_MARGIN) return 'hurts'
  return ratio < 1 - VERDICT_MARGIN ? 'helps' : 'undecided'
}

/** The method whose curve the others cross. */
const BASELINE = 'rtn'

interface Ratio {
  readonly strength: number
  /** ln(error / error of RTN) */
  readonly log: number
}

/** The ratios of one curve to RTN's, by rising strength; strengths at which one of both failed are left out. */
function ratiosOf(points: readonly OutlierPoint[], format: string, method: string): Ratio[] {
  const curve = (id: string) =>
    new Map(
      points.flatMap((point) =>
        point.format === format && point.method === id && point.evaluation !== null
          ? [[point.strength, point.evaluation] as const]
          : [],
      ),
    )
  const baseline = curve(BASELINE)
  return [...curve(method)]
    .flatMap(([strength, error]) => {
      const reference = baseline.get(strength)
      return reference === undefined ? [] : [{ strength, log: Math.log(error / reference) }]
    })
    .sort((a, b) => a.strength - b.strength)
}

/** Where the line from `a` to `b` (log of the ratio over log of the strength) is zero. */
function zeroBetween(a: Ratio, b: Ratio): number {
  const share = a.log / (a.log - b.log)
  return Math.exp(Math.log(a.strength) + share * (Math.log(b.strength) - Math.log(a.strength)))
}

/** The crossings of one curve: where the ratio goes from below 1 − 2 % to above 1 + 2 % or back, however it gets there. */
function crossingsOf(ratios: readonly Ratio[]): Pick<Crossing, 'strength' | 'above'>[] {
  const found: Pick<Crossing, 'strength' | 'above'>[] = []
  let side = 0
  let last: number | null = null
  ratios.forEach((ratio, i) => {
    const before = ratios[i - 1]
    if (before && Math.sign(before.log) !== Math.sign(ratio.log)) last = zeroBetween(before, ratio)
    const now = Math.abs(Math.expm1(ratio.log)) > VERDICT_MARGIN ? Math.sign(ratio.log) : 0
    if (now === 0) return
    if (side !== 0 && now !== side && last !== null) found.push({ strength: last, above: now < 0 ? 'better' : 'worse' })
    side = now
  })
  return found
}

/**
 * Where the curves of `points` cross RTN's: per format and method, by rising strength, interpolated in the logarithms of
 * error and strength. A curve crosses when the ratio to RTN's error is more than 2 % on one side of 1 and later more than 2 %
 * on the other; curves that run beside each other closer than that do not.
 */
export function crossings(points: readonly OutlierPoint[]): Crossing[] {
  const curves = new Map(points.map(({ format, method }) => [JSON.stringify([format, method]), { format, method }]))
  return [...curves.values()]
    .filter(({ method }) => method !== BASELINE)
    .flatMap(({ format, method }) =>
      crossingsOf(ratiosOf(points, format, method)).map((crossing) => ({ format, method, ...crossing })),
    )
}
