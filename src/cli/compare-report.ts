/** The results of a comparison as the JSON, CSV and text that the compare command writes (docs/headless.md). */
import type { LayerFacts, MethodOutcome, MethodResult, OutputErrors } from '../experiment/result'
import { preScaleText } from '../experiment/setting-text'
import { alignTable } from './output'

export interface CompareReport {
  readonly schema: 'mxscope.compare/1'
  readonly layer: LayerFacts
  readonly adapter: unknown
  readonly results: readonly unknown[]
}

function identityOf(outcome: MethodOutcome) {
  const { method, setting, weightFormat, activationFormat, scaleRule, rounding, preScale, seed, options } = outcome
  return { method, setting, weightFormat, activationFormat, scaleRule, rounding, preScale, seed, options }
}

function resultReport(result: MethodResult) {
  return {
    ...identityOf(result),
    calibration: result.calibration,
    evaluation: result.evaluation,
    weightSqnrDb: result.weight?.sqnrDb ?? null,
    activationSqnrDb: result.activation?.sqnrDb ?? null,
    weight: result.weight,
    activation: result.activation,
    bitsPerElement: result.bitsPerElement,
    onlineOperations: result.onlineOperations,
    elapsedMs: result.elapsedMs,
    activations: { maxAbsolute: result.profile.maxAbsolute, kurtosis: result.profile.kurtosis },
    training: result.training,
    notes: result.notes,
  }
}

/** The document of `--json`, schema mxscope.compare/1. */
export function compareReport(layer: LayerFacts, adapter: unknown, outcomes: readonly MethodOutcome[]): CompareReport {
  const results = outcomes.map((outcome) =>
    outcome.kind === 'result'
      ? resultReport(outcome)
      : { ...identityOf(outcome), error: { code: outcome.error.code, message: outcome.error.message } },
  )
  return { schema: 'mxscope.compare/1', layer, adapter, results }
}

const ERROR_KEYS = ['outputRelativeError', 'outputSqnrDb', 'gain', 'cosine', 'maxAbsoluteError', 'tokens'] as const

const CSV_HEADING = [
  ...['method', 'setting', 'weightFormat', 'activationFormat', 'scaleRule', 'rounding', 'preScale', 'seed', 'options'],
  ...ERROR_KEYS.map((key) => `evaluation.${key}`),
  ...ERROR_KEYS.map((key) => `calibration.${key}`),
  ...['weightSqnrDb', 'activationSqnrDb', 'bitsPerElement', 'elapsedMs', 'errorCode', 'errorMessage'],
]

/** RFC 4180: quotes around what needs them, doubled inside. */
function csvField(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** One line per outcome under a heading, numbers in full precision; empty where there is none. */
export function compareCsv(outcomes: readonly MethodOutcome[]): string {
  const lines = outcomes.map((outcome) => {
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
      ...[result?.weight?.sqnrDb ?? null, result?.activation?.sqnrDb ?? null],
      ...[result?.bitsPerElement ?? null, result?.elapsedMs ?? null],
      ...[failure?.error.code ?? null, failure?.error.message ?? null],
    ]
  })
  return [CSV_HEADING, ...lines].map((fields) => `${fields.map(csvField).join(',')}\r\n`).join('')
}

const db = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2))

/**
 * What the numbers of the table depend on, a line each: layer, rows and their origin, choices of the run. All outcomes
 * of a run share the choices.
 */
export function compareConditions(layer: LayerFacts, outcomes: readonly MethodOutcome[]): string {
  const { activations, calibrationTokens, evaluationTokens } = layer
  const origin =
    activations.kind === 'captured' ? `captured, ${activations.tensor} of ${activations.file}` : activations.description
  const rows = layer.sameRows
    ? `${evaluationTokens} rows, used for calibration and evaluation`
    : `${calibrationTokens} calibration + ${evaluationTokens} evaluation rows`
  const lines = [
    `layer: ${layer.name} [${layer.outDim}, ${layer.inDim}] of ${layer.file}`,
    `activations: ${origin}; ${rows}`,
  ]
  if (outcomes.length > 0) {
    const [{ scaleRule, rounding, seed }] = outcomes
    const preScale = preScaleText(
      outcomes.some((outcome) => outcome.preScale !== null),
      outcomes,
    )
    lines.push(`scale rule ${scaleRule}, rounding ${rounding}, pre-scale ${preScale}, seed ${seed}`)
  }
  lines.push(
    'relative error, SQNR dB, gain: of the output on evaluation rows; calibration: relative error on calibration rows',
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** The table of the terminal: errors on the evaluation rows, the calibration error beside them. */
export function compareTable(outcomes: readonly MethodOutcome[]): string {
  const heading = [
    ...['method', 'setting', 'relative error', 'SQNR dB', 'calibration', 'gain', 'W SQNR dB', 'X SQNR dB'],
    ...['bits/element', 'ms'],
  ]
  const rows = outcomes.map((outcome) => {
    if (outcome.kind === 'failure') {
      return [outcome.method, outcome.setting, outcome.error.code, ...heading.slice(3).map(() => '-')]
    }
    const { evaluation, calibration } = outcome
    return [
      outcome.method,
      outcome.setting,
      evaluation.outputRelativeError.toFixed(5),
      db(evaluation.outputSqnrDb),
      calibration.outputRelativeError.toFixed(5),
      evaluation.gain.toFixed(4),
      db(outcome.weight?.sqnrDb),
      db(outcome.activation?.sqnrDb),
      String(outcome.bitsPerElement),
      outcome.elapsedMs.toFixed(0),
    ]
  })
  return alignTable([heading, ...rows], [2, 3, 4, 5, 6, 7, 8, 9])
}
