/** One parameter of a method against its errors: a comparison of one cell, again and again. */
import { InputError } from '../core/errors'
import type { Progress } from '../core/progress'
import { type ComparisonRequest, type SweepRequest, TOKENS_PARAMETER } from './request'
import type { SweepPoint } from './result'
import { type ComparisonContext, type ComparisonLayer, checkRequest, runComparison } from './run-comparison'
import { sweepParameters } from './sweep-parameters'

/** What a sweep says while it goes; points come in the order of the request's values. */
export type SweepEvent =
  | { readonly kind: 'point'; readonly point: SweepPoint }
  /** Points done, of all. */
  | { readonly kind: 'progress'; readonly progress: Progress }

/** Fewest calibration rows a sweep asks for. */
const MIN_TOKENS = 2

/**
 * Throws the InputError a sweep of `request` would end with on a layer of `tokens` calibration rows: SW-01 for a parameter
 * the method does not have, SW-02 for values that make no sense, and what checkRequest throws. Touches no GPU.
 * Before the layer is known `tokens` is null, and any number of rows passes.
 */
export function checkSweep(request: SweepRequest, tokens: number | null): void {
  const { method, parameter, values } = request
  const known = sweepParameters(method.id).map(({ key }) => key)
  if (!known.includes(parameter)) {
    throw new InputError('SW-01', `sweep of ${method.id}: expected one of ${known.join(', ')}, found "${parameter}".`)
  }
  if (values.length === 0)
    throw new InputError('SW-02', `sweep over ${parameter}: expected at least one value, found none.`)
  const most = tokens ?? Number.POSITIVE_INFINITY
  const unusable = parameter === TOKENS_PARAMETER ? values.find((rows) => !isRowCount(rows, most)) : undefined
  if (unusable !== undefined) {
    const range = tokens === null ? `${MIN_TOKENS}` : `${MIN_TOKENS} to the ${tokens} calibration rows`
    throw new InputError('SW-02', `sweep over tokens: expected whole numbers from ${range}, found ${unusable}.`)
  }
  for (const value of values) checkRequest(cellAt(request, value))
}

const isRowCount = (rows: number, tokens: number) => Number.isInteger(rows) && rows >= MIN_TOKENS && rows <= tokens

/** The comparison that gives the point at `value`. */
export function cellAt(
  { setting, method, parameter, values: _, ...choices }: SweepRequest,
  value: number,
): ComparisonRequest {
  const options = parameter === TOKENS_PARAMETER ? method.options : { ...method.options, [parameter]: value }
  return { ...choices, settings: [setting], methods: [{ id: method.id, options }], scaleAnalysis: false }
}

/** The layer with the first `rows` calibration rows; evaluation rows stay what they are. */
function withRows(layer: ComparisonLayer, rows: number): ComparisonLayer {
  return { ...layer, calibration: { ...layer.calibration, rows } }
}

/**
 * Runs `request` value by value and emits each point as it is there; a value at which the method fails gives a point
 * with the error. Throws InputError SW-01 for a parameter the method does not have, SW-02 for values that make no sense,
 * and what runComparison throws for the whole run.
 */
export async function runSweep(
  layer: ComparisonLayer,
  request: SweepRequest,
  context: ComparisonContext,
  emit: (event: SweepEvent) => void,
): Promise<void> {
  checkSweep(request, layer.calibration.rows)
  const { parameter, values } = request
  const isTokens = parameter === TOKENS_PARAMETER
  const cells = values.map((value) => cellAt(request, value))
  // Other calibration rows are another layer, with which nothing is shared.
  const { work: _, ...alone } = context
  for (const [index, value] of values.entries()) {
    context.signal.throwIfAborted()
    const cell = cells[index]
    await runComparison(isTokens ? withRows(layer, value) : layer, cell, isTokens ? alone : context, (event) => {
      if (event.kind !== 'outcome') return
      const { outcome } = event
      const point: SweepPoint =
        outcome.kind === 'result'
          ? { value, calibration: outcome.calibration, evaluation: outcome.evaluation, error: null }
          : { value, calibration: null, evaluation: null, error: outcome.error }
      emit({ kind: 'point', point })
    })
    emit({ kind: 'progress', progress: { stage: `${parameter} ${value}`, done: index + 1, total: values.length } })
  }
}
