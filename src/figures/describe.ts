import type { MethodResult } from '../experiment/result'
import { formatDecibels, formatKurtosis, formatMagnitude } from './format-number'
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
    facts.push(describeDifference(evaluation.outputSqnrDb, reference.evaluation.outputSqnrDb, reference.method))
  }
  return `${methodLabel(result.method)}: ${facts.join(', ')}`
}

function describeDifference(sqnrDb: number, otherDb: number, otherMethod: string): string {
  const text = formatDecibels(Math.abs(sqnrDb - otherDb))
  if (text === '0.0') return `level with ${methodLabel(otherMethod)}`
  return `${text} dB ${sqnrDb > otherDb ? 'above' : 'below'} ${methodLabel(otherMethod)}`
}
