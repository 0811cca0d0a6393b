import type { MethodResult, ResultIdentity } from '../experiment/result'
import { settingLabel } from '../experiment/setting-text'
import { parseFormat } from '../formats/format-text'
import { STANDARD_MX } from '../formats/quantizer'
import { formatDecibels, formatKurtosis, formatMagnitude, shownDifference } from './format-number'
import { methodStyle } from './method-style'

/** The name of a method as the papers write it. */
export function methodLabel(methodId: string): string {
  return methodStyle(methodId, 'light').label
}

/** "QuaRot: maximum 11.4, kurtosis 3.1, output SQNR 14.8 dB, 1.3 dB below RTN". Evaluation rows; maximum in the unit of X. */
export function describeResult(result: MethodResult, reference: MethodResult | null): string {
  const { profile, evaluation } = result
  const facts = [
    `maximum ${formatMagnitude(profile.maxAbsolute)}`,
    `kurtosis ${formatKurtosis(profile.kurtosis)}`,
    `output SQNR ${formatDecibels(evaluation.outputSqnrDb)} dB`,
  ]
  if (reference && reference.method !== result.method) {
    const difference = shownDifference(evaluation.outputSqnrDb, reference.evaluation.outputSqnrDb)
    if (difference !== null) facts.push(describeDifference(difference, reference.method))
  }
  const remark = blockRemark(result)
  if (remark !== null) facts.push(remark)
  return `${methodLabel(result.method)}: ${facts.join(', ')}`
}

/** The method, and its setting where `all` has several. */
export function lineName(result: ResultIdentity, all: readonly ResultIdentity[]): string {
  const several = new Set(all.map((one) => one.setting)).size > 1
  return several ? `${methodLabel(result.method)} ${settingLabel(result.setting)}` : methodLabel(result.method)
}

type BlockIdentity = Pick<ResultIdentity, 'weightFormat' | 'activationFormat' | 'outputFormat' | 'blockSize'>

/** "blocks of 64 (non-standard)" where an MX tensor has blocks of another size than the standard's; else null. */
export function blockRemark({ weightFormat, activationFormat, outputFormat, blockSize }: BlockIdentity): string | null {
  const hasMx = [weightFormat, activationFormat, outputFormat].some(isMxFormat)
  return hasMx && blockSize !== null && blockSize !== STANDARD_MX.blockSize
    ? `blocks of ${blockSize} (non-standard)`
    : null
}

/** What scale analyses leave out where a setting quantizes the output; null where none does. */
export function outputRemark(results: readonly ResultIdentity[]): string | null {
  return results.some(({ outputFormat }) => outputFormat !== null) ? 'Y is not quantized here' : null
}

/** True for the text of an MX format; null, as loaded, is none. */
export function isMxFormat(text: string | null): boolean {
  return text !== null && parseFormat(text).format.family === 'mx'
}

function describeDifference(difference: number, otherMethod: string): string {
  if (difference === 0) return `level with ${methodLabel(otherMethod)}`
  return `${formatDecibels(Math.abs(difference))} dB ${difference > 0 ? 'above' : 'below'} ${methodLabel(otherMethod)}`
}
