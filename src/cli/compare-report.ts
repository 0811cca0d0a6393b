/** The results of a comparison as the JSON, CSV and text that the compare command writes (docs/headless.md). */
import type { ComparisonRequest } from '../experiment/request'
import type { LayerFacts, MethodOutcome, MethodResult, OutputErrors } from '../experiment/result'
import { preScaleText } from '../experiment/setting-text'
import { parseFormat } from '../formats/format-text'
import { STANDARD_MX } from '../formats/quantizer'
import { alignTable } from './output'

export interface CompareReport {
  readonly schema: 'mxscope.compare/1'
  readonly layer: LayerFacts
  readonly adapter: unknown
  readonly results: readonly unknown[]
}

function identityOf(outcome: MethodOutcome) {
  const { method, setting, weightFormat, activationFormat, outputFormat, headDim } = outcome
  const { scaleRule, rounding, blockSize, preScale, preScaleVariant, seed, options } = outcome
  return {
    ...{ method, setting, weightFormat, activationFormat, outputFormat, headDim },
    ...{ scaleRule, rounding, blockSize, preScale, preScaleVariant, seed, options },
  }
}

/** What rounding did to the operands, flat; null for one that is not quantized. */
function operandsOf(result: MethodResult | null) {
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

function resultReport(result: MethodResult) {
  return {
    ...identityOf(result),
    calibration: result.calibration,
    evaluation: result.evaluation,
    ...operandsOf(result),
    bitsPerElement: result.bitsPerElement,
    onlineOperations: result.onlineOperations,
    elapsedMs: result.elapsedMs,
    activations: { maxAbsolute: result.profile.maxAbsolute, kurtosis: result.profile.kurtosis },
    training: result.training,
    scaleAnalysis: result.scaleAnalysis,
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
  ...['method', 'setting', 'weightFormat', 'activationFormat', 'outputFormat', 'headDim', 'scaleRule', 'rounding'],
  ...['blockSize', 'preScale', 'preScaleVariant', 'seed', 'options'],
  ...ERROR_KEYS.map((key) => `evaluation.${key}`),
  ...ERROR_KEYS.map((key) => `calibration.${key}`),
  ...Object.keys(operandsOf(null)),
  ...['bitsPerElement', 'elapsedMs', 'errorCode', 'errorMessage'],
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
      ...Object.values(operandsOf(result)),
      ...[result?.bitsPerElement ?? null, result?.elapsedMs ?? null],
      ...[failure?.error.code ?? null, failure?.error.message ?? null],
    ]
  })
  return [CSV_HEADING, ...lines].map((fields) => `${fields.map(csvField).join(',')}\r\n`).join('')
}

const db = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2))

/** The choices for MX formats; null when no outcome has one. */
function mxChoicesText(request: ComparisonRequest): string | null {
  const { settings, scaleRule, rounding, preScale, blockSize } = request
  const formats = settings.flatMap((setting) => [setting.weightFormat, setting.activationFormat, setting.outputFormat])
  if (!formats.some((text) => text !== null && parseFormat(text).format.family === 'mx')) return null
  const block = blockSize === STANDARD_MX.blockSize ? '' : `, block ${blockSize} (not the standard)`
  return `scale rule ${scaleRule}, rounding ${rounding}, pre-scale ${preScaleText(preScale, settings, scaleRule)}${block}`
}

/** What the numbers of the table depend on, a line each: layer, rows and their origin, choices of the run. */
export function compareConditions(
  layer: LayerFacts,
  request: ComparisonRequest,
  outcomes: readonly MethodOutcome[],
): string {
  const { activations, calibrationTokens, evaluationTokens } = layer
  const origin =
    activations.kind === 'captured' ? `captured, ${activations.tensor} of ${activations.file}` : activations.description
  const rows = layer.sameRows
    ? `${evaluationTokens} rows, used for calibration and evaluation`
    : `${calibrationTokens} calibration + ${evaluationTokens} evaluation rows`
  const headDim = outcomes.find((outcome) => outcome.headDim !== null)?.headDim
  const choices = [mxChoicesText(request), headDim && `output heads of ${headDim} channels`, `seed ${request.seed}`]
  const lines = [
    `layer: ${layer.name} [${layer.outDim}, ${layer.inDim}] of ${layer.file}`,
    `activations: ${origin}; ${rows}`,
    choices.filter(Boolean).join(', '),
    'relative error, SQNR dB, gain: of the output on evaluation rows; calibration: relative error on calibration rows',
  ]
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
      String(Math.round(1e4 * outcome.bitsPerElement) / 1e4),
      outcome.elapsedMs.toFixed(0),
    ]
  })
  return alignTable([heading, ...rows], [2, 3, 4, 5, 6, 7, 8, 9])
}

/**
 * The table of `--scale-analysis`: relative output errors with fp32 block scales in place of power-of-two ones, and
 * the share of the squared error owed to scales.
 */
export function scaleTable(outcomes: readonly MethodOutcome[]): string {
  const rows = outcomes.flatMap((outcome) => {
    const split = outcome.kind === 'result' ? outcome.scaleAnalysis?.split : null
    if (!split) return []
    const errors = [split.powerOfTwo, split.weightFp32, split.activationFp32, split.bothFp32]
    const share = `${(100 * split.scaleShare).toFixed(1)} %`
    return [[outcome.method, outcome.setting, ...errors.map((error) => error.toFixed(5)), share]]
  })
  if (rows.length === 0) return 'scale analysis: no operand has power-of-two scales\n'
  const heading = ['method', 'setting', 'relative error', 'W fp32 scale', 'X fp32 scale', 'both', 'owed to scales']
  const about = 'scale analysis: evaluation rows, operands rounded to nearest, output as it is'
  return `${about}\n${alignTable([heading, ...rows], [2, 3, 4, 5, 6])}`
}
