import type { MethodResult } from '../experiment/result'
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
  return `${methodLabel(result.method)}: ${facts.join(', ')}`
}

function describeDifference(difference: number, otherMethod: string): string {
  if (difference === 0) return `level with ${methodLabel(otherMethod)}`
  return `${formatDecibels(Math.abs(difference))} dB ${difference > 0 ? 'above' : 'below'} ${methodLabel(otherMethod)}`
}
