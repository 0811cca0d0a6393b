/** The results of a comparison as the JSON, CSV and text that the compare command writes (docs/headless.md). */
import { csvText } from '../core/csv'
import type { ComparisonRequest, Setting } from '../experiment/request'
import type { LayerFacts, MethodOutcome, MethodResult } from '../experiment/result'
import { identityOf, OUTCOME_COLUMNS, operandsOf, outcomeCells } from '../experiment/results/outcome-columns'
import type { MxChoices } from '../formats/quantizer'
import { haveMx, mxChoicesText } from './mx-arguments'
import { ABSENT, alignTable, decimals } from './output'

export interface CompareReport {
  readonly schema: 'mxscope.compare/1'
  readonly layer: LayerFacts
  readonly adapter: unknown
  readonly results: readonly unknown[]
}

function resultReport(result: MethodResult) {
  return {
    ...identityOf(result),
    calibration: result.calibration,
    evaluation: result.evaluation,
    ...operandsOf(result),
    bitsPerElement: result.bitsPerElement,
    onlineOperations: result.onlineOperations,
    onlineBytes: result.onlineBytes,
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

/** One line per outcome under a heading, numbers in full precision; empty where there is none. */
export function compareCsv(outcomes: readonly MethodOutcome[]): string {
  return csvText([OUTCOME_COLUMNS, ...outcomes.map(outcomeCells)])
}

/** The layer, and the origin and number of the rows: two lines above a table. */
export function layerLines(layer: LayerFacts): string[] {
  const { activations, calibrationTokens, evaluationTokens } = layer
  const origin =
    activations.kind === 'captured' ? `captured, ${activations.tensor} of ${activations.file}` : activations.description
  const rows = layer.sameRows
    ? `${evaluationTokens} rows, used for calibration and evaluation`
    : `${calibrationTokens} calibration + ${evaluationTokens} evaluation rows`
  return [`layer: ${layer.name} [${layer.outDim}, ${layer.inDim}] of ${layer.file}`, `activations: ${origin}; ${rows}`]
}

/** The choices of a run as they reach `settings`: MX choices, seed, and the `headDim` channels of a quantized output. */
export function choicesLine(
  choices: MxChoices & Pick<ComparisonRequest, 'seed' | 'headDim'>,
  settings: readonly Setting[],
  headDim: number | null,
): string {
  const mx = haveMx(settings) && mxChoicesText(choices, settings)
  return [
    mx,
    headDim && `output heads of ${headDim} channels${choices.headDim === null ? ' (assumed)' : ''}`,
    `seed ${choices.seed}`,
  ]
    .filter(Boolean)
    .join(', ')
}

/** What the numbers of the table depend on, a line each: layer, rows and their origin, choices of the run. */
export function compareConditions(
  layer: LayerFacts,
  request: ComparisonRequest,
  outcomes: readonly MethodOutcome[],
): string {
  const headDim = outcomes.find((outcome) => outcome.headDim !== null)?.headDim ?? null
  const lines = [
    ...layerLines(layer),
    choicesLine(request, request.settings, headDim),
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
      return [outcome.method, outcome.setting, outcome.error.code, ...heading.slice(3).map(() => ABSENT)]
    }
    const { evaluation, calibration } = outcome
    return [
      outcome.method,
      outcome.setting,
      decimals(evaluation.outputRelativeError, 5),
      decimals(evaluation.outputSqnrDb, 2),
      decimals(calibration.outputRelativeError, 5),
      decimals(evaluation.gain, 4),
      decimals(outcome.weight?.sqnrDb, 2),
      decimals(outcome.activation?.sqnrDb, 2),
      String(Math.round(1e4 * outcome.bitsPerElement) / 1e4),
      outcome.elapsedMs.toFixed(0),
    ]
  })
  return alignTable([heading, ...rows], [2, 3, 4, 5, 6, 7, 8, 9])
}

/** Why a result has no split, or what its split leaves out; empty where there is nothing to say. */
function scaleRemark(outcome: MethodOutcome): string {
  if (outcome.kind === 'failure') return outcome.error.code
  if (!outcome.scaleAnalysis?.split) {
    const isFp32 = outcome.scaleRule === 'fp32' && haveMx([{ ...outcome, outputFormat: null }])
    return isFp32 ? 'scales are fp32 already' : 'no operand has power-of-two scales'
  }
  return outcome.outputFormat === null ? '' : 'Y is quantized in the setting, not here'
}

/**
 * The table of `--scale-analysis`: relative output errors with fp32 block scales in place of power-of-two ones, and
 * the share of the squared error owed to scales.
 */
export function scaleTable(outcomes: readonly MethodOutcome[]): string {
  const rows = outcomes.map((outcome) => {
    const split = outcome.kind === 'result' ? outcome.scaleAnalysis?.split : null
    const errors = [split?.powerOfTwo, split?.weightFp32, split?.activationFp32, split?.bothFp32]
    const share = split && !Number.isNaN(split.scaleShare) ? `${decimals(100 * split.scaleShare, 1)} %` : ABSENT
    const cells = errors.map((error) => decimals(error, 5))
    return [outcome.method, outcome.setting, ...cells, share, scaleRemark(outcome)]
  })
  const heading = ['method', 'setting', 'relative error', 'W fp32 scale', 'X fp32 scale', 'both', 'owed to scales', '']
  const about = 'scale analysis: evaluation rows, operands rounded to nearest, all four errors without pre-scale'
  return `${about}\n${alignTable([heading, ...rows], [2, 3, 4, 5, 6])}`
}
