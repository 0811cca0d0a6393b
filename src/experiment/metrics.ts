/** From the sums the reduction kernels return to the numbers people read. Definitions: docs/metrics.md. */
import type { OperandErrorTotals } from '../gpu/kernels/operand-error-sums'
import type { OutputEnergies } from '../gpu/kernels/output-error-sums'
import type { OperandErrors, OutputErrors } from './result'

/**
 * Errors of Ŷ against Y over `tokens` rows. An exact product has relative error 0 and SQNR Infinity; a reference that
 * is zero everywhere leaves relative error, SQNR, gain and cosine undefined (NaN).
 */
export function outputErrors(sums: OutputEnergies, tokens: number): OutputErrors {
  const outputRelativeError = Math.sqrt(sums.errorEnergy / sums.referenceEnergy)
  return {
    outputRelativeError,
    outputSqnrDb: -20 * Math.log10(outputRelativeError),
    gain: sums.inner / sums.referenceEnergy,
    cosine: sums.inner / (Math.sqrt(sums.referenceEnergy) * Math.sqrt(sums.estimateEnergy)),
    maxAbsoluteError: sums.maxAbsolute,
    tokens,
  }
}

/**
 * What rounding did to one operand: SQNR in dB, and the shares of its elements that were clipped or flushed, in %. An
 * all-zero operand has no SQNR (NaN).
 */
export function operandErrors(sums: OperandErrorTotals): OperandErrors {
  return {
    sqnrDb: 10 * Math.log10(sums.signalEnergy / sums.noiseEnergy),
    clippedPercent: (100 * sums.clipped) / sums.count,
    flushedPercent: (100 * sums.flushed) / sums.count,
  }
}

/** Why an operand has no SQNR, as a sentence about `name`; empty where it has one. */
export function zeroNotes(name: string, sums: OperandErrorTotals | null): string[] {
  return sums?.signalEnergy === 0 ? [`${name} is zero everywhere, so its SQNR is undefined.`] : []
}
