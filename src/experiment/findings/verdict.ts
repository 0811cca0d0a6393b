/** What a verdict on a finding is made of. */
import { METHOD_CATALOG } from '../catalog'
import type { MethodOutcome, MethodResult } from '../result'
import { FINDING_NEEDS, type FindingId, type Need } from './needs'

/** `undecided`: what was measured says neither, or cannot say; `pending`: not everything is measured yet. */
export type FindingVerdict = 'holds' | 'fails' | 'undecided' | 'pending'

/** One mark of a finding's figure. */
export interface FindingValue {
  readonly label: string
  /** Id of the method, for its colour. */
  readonly method: string
  readonly value: number
}

/** The axis of a finding's figure. */
export interface FindingAxis {
  /** With the unit in brackets, or none. */
  readonly title: string
  /** Where a value of `method` decides nothing; null where the verdict is about ratios of the values shown. */
  readonly open: { readonly range: Interval; readonly method: string } | null
}

export type Interval = readonly [number, number]

export interface Judgement {
  readonly verdict: FindingVerdict
  /** What the verdict rests on, with its unit; null while there is no number. */
  readonly number: string | null
  /** What was measured, in one or two sentences, or why nothing can be said. */
  readonly sentence: string
  readonly values: readonly FindingValue[]
}

export interface Finding {
  readonly id: FindingId
  /** The paper's claim in our words. */
  readonly claim: string
  /** Where the paper says so, and with what. */
  readonly source: string
  /** When it holds, when it does not, when it cannot be told. */
  readonly rule: string
  readonly axis: FindingAxis
  /** Whether it compares methods fitted to calibration rows, which need other rows to be judged on. */
  readonly fitted: boolean
  judge(evidence: Evidence): Judgement
}

/** What was measured for a need; undefined while nothing is. */
export type Evidence = (need: Need) => MethodOutcome | undefined

/** Judges the results of the needs of finding `id`, in their order; what keeps them from being judged comes first. */
export function judgeNeeds(id: FindingId, decide: (results: readonly MethodResult[]) => Judgement) {
  return (evidence: Evidence): Judgement => {
    const needs = FINDING_NEEDS[id]
    const outcomes = needs.map((need) => evidence(need))
    const results = outcomes.flatMap((outcome) => (outcome?.kind === 'result' ? [outcome] : []))
    const failed = outcomes.find((outcome) => outcome?.kind === 'failure')
    const values = results.map((result) => errorValue(result))
    if (failed?.kind === 'failure') {
      const { method, setting, error } = failed
      return undecided(`${nameOf(method)} failed under ${setting}: ${error.message}`, values)
    }
    if (results.length === needs.length) {
      const sound = results.every((result) => Number.isFinite(errorOf(result)) && errorOf(result) > 0)
      return sound
        ? decide(results)
        : undecided('An output error is zero or not a number, so no ratio can be taken.', values)
    }
    const missing = needs.length - results.length
    const sentence =
      results.length === 0 ? 'Not measured yet.' : `${missing} of ${needs.length} comparisons are still to be measured.`
    return { verdict: 'pending', number: null, sentence, values }
  }
}

export function undecided(sentence: string, values: readonly FindingValue[]): Judgement {
  return { verdict: 'undecided', number: null, sentence, values }
}

/** `below` under the interval, `above` over it, neither inside. */
export function outside<T>(value: number, [low, high]: Interval, below: T, above: T): T | 'undecided' {
  if (value < low) return below
  return value > high ? above : 'undecided'
}

/** The name of a method as the page writes it. */
export const nameOf = (id: string): string => METHOD_CATALOG.find((method) => method.id === id)?.label ?? id

export const errorOf = ({ evaluation }: MethodResult): number => evaluation.outputRelativeError

/** The output relative error of a result as a mark. */
export function errorValue(result: MethodResult, label = nameOf(result.method)): FindingValue {
  return { label, method: result.method, value: errorOf(result) }
}

/** The result with the least error. */
export function leastOf(results: readonly MethodResult[]): MethodResult {
  return results.reduce((least, each) => (errorOf(each) < errorOf(least) ? each : least))
}
