/** The points of a sweep as the JSON, CSV and text that the sweep command writes (docs/headless.md). */
import { csvText } from '../core/csv'
import { completeOptions } from '../core/options'
import { optionsOf } from '../experiment/catalog'
import { headDimOf } from '../experiment/kv-cache'
import type { SweepRequest } from '../experiment/request'
import type { LayerFacts, OutputErrors, SweepPoint } from '../experiment/result'
import { ERROR_KEYS } from '../experiment/results/outcome-columns'
import { quantizersOf } from '../experiment/settings'
import { methodById } from '../methods/registry'
import { choicesLine, layerLines } from './compare-report'
import { haveMx } from './mx-arguments'
import { ABSENT, alignTable, decimals } from './output'

/** What a sweep was of, and what came out. */
export interface Sweep {
  readonly layer: LayerFacts
  readonly adapter: unknown
  readonly request: SweepRequest
  readonly points: readonly SweepPoint[]
}

/** Channels of one head of the quantized output; null where the output is left alone. */
function headsOf({ layer, request }: Sweep): number | null {
  return request.setting.outputFormat === null ? null : headDimOf(layer.outDim, request.headDim)
}

/** Everything beside layer and value that reproduces a point; null where it reaches no tensor. */
function choicesOf(sweep: Sweep) {
  const { setting, method: choice, parameter, seed, ...mx } = sweep.request
  const method = methodById(choice.id)
  const complete = completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), choice.options)
  const options = Object.fromEntries(Object.entries(complete).filter(([key]) => key !== parameter))
  const hasMx = haveMx([setting])
  const preScale = Object.values(quantizersOf(setting, mx))
    .map((one) => (one?.family === 'mx' ? one.preScale : null))
    .find((one) => one !== null)
  const { weightFormat, activationFormat, outputFormat } = setting
  return {
    ...{
      method: method.id,
      setting: setting.id,
      weightFormat,
      activationFormat,
      outputFormat,
      headDim: headsOf(sweep),
    },
    scaleRule: hasMx ? mx.scaleRule : null,
    rounding: hasMx ? mx.rounding : null,
    blockSize: hasMx ? mx.blockSize : null,
    preScale: preScale?.factor ?? null,
    preScaleVariant: preScale?.variant ?? null,
    ...{ seed, options, parameter },
  }
}

/** The document of `--json`, schema mxscope.sweep/1. */
export function sweepReport(sweep: Sweep) {
  const { layer, adapter, points } = sweep
  return {
    schema: 'mxscope.sweep/1',
    layer,
    adapter,
    ...choicesOf(sweep),
    points: points.map(({ error, ...point }) => ({
      ...point,
      error: error && { code: error.code, message: error.message },
    })),
  }
}

/** One line per point under a heading, numbers in full precision; empty where there is none. */
export function sweepCsv(sweep: Sweep): string {
  const { method, setting, parameter, seed } = choicesOf(sweep)
  const heading = [
    ...['method', 'setting', 'seed', 'parameter', 'value'],
    ...ERROR_KEYS.map((key) => `evaluation.${key}`),
    ...ERROR_KEYS.map((key) => `calibration.${key}`),
    ...['errorCode', 'errorMessage'],
  ]
  const errorsOf = (errors: OutputErrors | null) => ERROR_KEYS.map((key) => errors?.[key] ?? null)
  const lines = sweep.points.map(({ value, calibration, evaluation, error }) => [
    ...[method, setting, seed, parameter, value],
    ...errorsOf(evaluation),
    ...errorsOf(calibration),
    ...[error?.code ?? null, error?.message ?? null],
  ])
  return csvText([heading, ...lines])
}

/** What the table depends on, a line each, and the table: errors by value. */
export function sweepText(sweep: Sweep): string {
  const { layer, request, points } = sweep
  const { method, setting, options } = choicesOf(sweep)
  const fixed = Object.entries(options).map(([key, value]) => `${key} ${value}`)
  const conditions = [
    ...layerLines(layer),
    [`${setting} ${method}`, ...fixed].join(', '),
    choicesLine(request, [request.setting], headsOf(sweep)),
    'calibration, evaluation: relative error of the output on these rows; SQNR dB: on evaluation rows',
  ]
  const rows = points.map(({ value, calibration, evaluation, error }) =>
    error
      ? [String(value), error.code, ABSENT, ABSENT]
      : [
          String(value),
          decimals(calibration?.outputRelativeError, 5),
          decimals(evaluation?.outputRelativeError, 5),
          decimals(evaluation?.outputSqnrDb, 2),
        ],
  )
  const table = alignTable([[request.parameter, 'calibration', 'evaluation', 'SQNR dB'], ...rows], [0, 1, 2, 3])
  return `${conditions.map((line) => `${line}\n`).join('')}\n${table}`
}
