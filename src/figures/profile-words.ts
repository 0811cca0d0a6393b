/** Captions of distributions: what a method makes of the activations, against how they were loaded. */
import type { ActivationProfile, MethodResult } from '../experiment/result'
import { blockRemark, methodLabel } from './describe'
import { formatDecibels, formatKurtosis, formatMagnitude, shownDifference } from './format-number'
import { type Change, changesInWords, medianOf, sentences } from './words'

/** A number of a profile with its name. */
export type ProfileNumber = Pick<Change, 'noun' | 'format'> & { readonly of: (profile: ActivationProfile) => number }

export const LARGEST: ProfileNumber = {
  noun: 'the largest magnitude',
  format: formatMagnitude,
  of: ({ maxAbsolute }) => maxAbsolute,
}
export const KURTOSIS: ProfileNumber = { noun: 'the kurtosis', format: formatKurtosis, of: ({ kurtosis }) => kurtosis }
export const MEDIAN_CHANNEL: ProfileNumber = {
  noun: 'the maximum of the median channel',
  format: formatMagnitude,
  of: ({ channelMax }) => medianOf(channelMax),
}

interface Reshaped {
  readonly profile: ActivationProfile
  /** null: there is nothing to compare with. */
  readonly before: ActivationProfile | null
  /** What `before` is, in words. */
  readonly beforeName: string
}

/** "QuaRot lowers the largest magnitude from 118 to 12.0"; facts alone where there is nothing to compare with. */
export function reshaping(
  name: string,
  { profile, before, beforeName }: Reshaped,
  numbers: readonly ProfileNumber[],
): string {
  if (profile.maxAbsolute === 0) return `${name}: all elements are zero`
  const facts = numbers
    .filter(({ of }) => Number.isFinite(of(profile)))
    .map(({ noun, format, of }) => `${noun.replace(/^the /, '')} ${format(of(profile))}`)
    .join(', ')
  if (before === null) return `${name}: ${facts}`
  const same = before.maxAbsolute === profile.maxAbsolute && Object.is(before.kurtosis, profile.kurtosis)
  if (same) return `${name} leaves ${beforeName}: ${facts}`
  const changes = numbers.map(({ noun, format, of }) => ({ noun, format, from: of(before), to: of(profile) }))
  return `${name} ${changesInWords(changes) ?? `has ${facts}`}`
}

/** The same of a result, against the activations as loaded where they are among the results. */
export function reshapingOf(
  { method, profile }: MethodResult,
  reference: MethodResult | null,
  numbers: readonly ProfileNumber[],
): string {
  const before = reference?.profile ?? null
  return reshaping(methodLabel(method), { profile, before, beforeName: 'the activations as loaded' }, numbers)
}

/** "QuaRot lowers the largest magnitude from 118 to 12.0 and … . Output SQNR 14.8 dB, 1.3 dB below RTN." Evaluation rows. */
export function describeResult(result: MethodResult, reference: MethodResult | null): string {
  return sentences([reshapingOf(result, reference, [LARGEST, KURTOSIS]), outputWords(result, reference)])
}

function outputWords(result: MethodResult, reference: MethodResult | null): string {
  const { outputSqnrDb } = result.evaluation
  const remark = blockRemark(result)
  const where = remark === null ? '' : ` in ${remark}`
  if (Number.isNaN(outputSqnrDb)) return `the output SQNR is not defined${where}`
  if (outputSqnrDb === Number.POSITIVE_INFINITY) return `the output is exact${where}`
  const own = `output SQNR ${formatDecibels(outputSqnrDb)} dB${where}`
  if (!reference || reference.method === result.method) return own
  const other = methodLabel(reference.method)
  const difference = shownDifference(outputSqnrDb, reference.evaluation.outputSqnrDb)
  if (difference === null) return own
  if (difference === 0) return `${own}, level with ${other}`
  return `${own}, ${formatDecibels(Math.abs(difference))} dB ${difference > 0 ? 'above' : 'below'} ${other}`
}
