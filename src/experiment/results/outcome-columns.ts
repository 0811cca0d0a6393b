/** One outcome as a line of CSV, the same in the page and in the compare command (docs/headless.md). */
import type { MethodOutcome, MethodResult, OutputErrors } from '../result'

/** Everything that says what was computed, in the order of a CSV line. */
export function identityOf(outcome: MethodOutcome) {
  const { method, setting, weightFormat, activationFormat, outputFormat, headDim } = outcome
  const { scaleRule, rounding, blockSize, preScale, preScaleVariant, seed, options } = outcome
  return {
    ...{ method, setting, weightFormat, activationFormat, outputFormat, headDim },
    ...{ scaleRule, rounding, blockSize, preScale, preScaleVariant, seed, options },
  }
}

/** What rounding did to the operands, flat; null for one that is not quantized. */
export function operandsOf(result: MethodResult | null) {
  const { weight = null, activation = null } = result ?? {}
  return {
    weightSqnrDb: weight?.sqnrDb ?? null,
    weightClippedPercent: weight?.clippedPercent ?? null,
    weightFlushedPercent: weight?.flushedPercent ?? null,
    activationSqnrDb: activation?.sqnrDb ?? null,
    activationClippedPercent: activation?.clippedPercent ?? null,
    activationFlushedPercent: activation?.flushedPercent ?? null,
  }
}

/** The numbers of OutputErrors, in the order of a CSV line. */
export const ERROR_KEYS = [
  'outputRelativeError',
  'outputSqnrDb',
  'gain',
  'cosine',
  'maxAbsoluteError',
  'tokens',
] as const

/** Names of what outcomeCells gives. */
export const OUTCOME_COLUMNS: readonly string[] = [
  ...['method', 'setting', 'weightFormat', 'activationFormat', 'outputFormat', 'headDim', 'scaleRule', 'rounding'],
  ...['blockSize', 'preScale', 'preScaleVariant', 'seed', 'options'],
  ...ERROR_KEYS.map((key) => `evaluation.${key}`),
  ...ERROR_KEYS.map((key) => `calibration.${key}`),
  ...Object.keys(operandsOf(null)),
  ...['bitsPerElement', 'elapsedMs', 'errorCode', 'errorMessage'],
]

/** Numbers in full precision; null where there is none. */
export function outcomeCells(outcome: MethodOutcome): (string | number | null)[] {
  const result = outcome.kind === 'result' ? outcome : null
  const failure = outcome.kind === 'failure' ? outcome : null
  const errorsOf = (errors: OutputErrors | undefined) => ERROR_KEYS.map((key) => errors?.[key] ?? null)
  const { options, ...identity } = identityOf(outcome)
  return [
    ...Object.values(identity),
    Object.entries(options)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    ...errorsOf(result?.evaluation),
    ...errorsOf(result?.calibration),
    ...Object.values(operandsOf(result)),
    ...[result?.bitsPerElement ?? null, result?.elapsedMs ?? null],
    ...[failure?.error.code ?? null, failure?.error.message ?? null],
  ]
}
