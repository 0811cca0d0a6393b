/** Runs one comparison: every method under every setting on one layer, results as they come. */
import { GpuError, isAbort, reportError } from '../core/errors'
import type { Progress } from '../core/progress'
import { bitsPerElement, type QuantConfig } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { Recorder } from '../gpu/recorder'
import type { FitInput, Method } from '../methods/method'
import { completeOptions } from '../methods/options'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { measure, type Rows } from './measure'
import type { ComparisonRequest, Setting } from './request'
import type { MethodOutcome, ResultIdentity } from './result'
import { quantConfigOf } from './settings'

/** The layer under study, on the GPU. When errors are measured on the calibration rows both are the same object. */
export interface ComparisonLayer {
  /** [out, in] */
  readonly weight: GpuMatrix
  /** Rows the methods may see [tokens, in]. */
  readonly calibration: GpuMatrix
  /** Rows the errors are reported on [tokens, in]. */
  readonly evaluation: GpuMatrix
  /** Bits per weight as loaded, for settings that leave the weight alone. */
  readonly weightBits: number
}

export interface ComparisonContext {
  readonly gpu: Gpu
  readonly signal: AbortSignal
  /** Milliseconds from any fixed start. */
  readonly now: () => number
}

/** What a comparison says while it goes, in the order of settings and, within a setting, of methods. */
export type ComparisonEvent =
  | { readonly kind: 'started'; readonly method: string; readonly setting: string }
  | { readonly kind: 'progress'; readonly method: string; readonly setting: string; readonly progress: Progress }
  | { readonly kind: 'outcome'; readonly outcome: MethodOutcome }

/** One method under one setting, checked and completed. */
interface Cell {
  readonly method: Method
  readonly config: QuantConfig
  readonly identity: ResultIdentity
}

function cellOf(request: ComparisonRequest, setting: Setting, choice: ComparisonRequest['methods'][number]): Cell {
  const method = methodById(choice.id)
  const config = quantConfigOf(setting, request)
  return {
    method,
    config,
    identity: {
      method: method.id,
      setting: setting.id,
      weightFormat: setting.weightFormat,
      activationFormat: setting.activationFormat,
      scaleRule: request.scaleRule,
      rounding: request.rounding,
      preScale: config.weight?.preScale ?? config.activation?.preScale ?? null,
      seed: request.seed,
      options: completeOptions(method.id, optionsOf(method), choice.options),
    },
  }
}

/** The cells of a request in running order. Throws InputError for anything unknown, before any work starts. */
function planCells(request: ComparisonRequest): Cell[] {
  return request.settings.flatMap((setting) => request.methods.map((choice) => cellOf(request, setting, choice)))
}

/** Throws the InputError a run of `request` would end with; returns otherwise. Touches no GPU. */
export function checkRequest(request: ComparisonRequest): void {
  planCells(request)
}

function referenceOutputs(layer: ComparisonLayer, arena: Arena, gpu: Gpu): { calibration: Rows; evaluation: Rows } {
  const recorder = new Recorder(gpu)
  const rowsOf = (activations: GpuMatrix): Rows => ({
    activations,
    reference: matmulNt(recorder, arena, activations, layer.weight),
  })
  const calibration = rowsOf(layer.calibration)
  const evaluation = layer.evaluation === layer.calibration ? calibration : rowsOf(layer.evaluation)
  recorder.submit()
  return { calibration, evaluation }
}

/** Runs one cell in an arena of its own. Throws only what ends the whole run: a cancel or the loss of the device. */
async function runCell(
  cell: Cell,
  layer: ComparisonLayer,
  rows: { readonly calibration: Rows; readonly evaluation: Rows },
  { context, emit }: { readonly context: ComparisonContext; readonly emit: (event: ComparisonEvent) => void },
): Promise<MethodOutcome> {
  const { gpu, signal, now } = context
  const { method, setting, options, seed } = cell.identity
  const arena = new Arena(gpu)
  const onProgress = (progress: Progress) => emit({ kind: 'progress', method, setting, progress })
  const input: FitInput = {
    weight: layer.weight,
    calibration: rows.calibration.activations,
    reference: rows.calibration.reference,
    config: cell.config,
    options,
  }
  try {
    const measured = await withErrorScopes(gpu, signal, () =>
      measure(cell.method, input, rows, { gpu, signal, arena, seed, onProgress, now }),
    )
    arena.release()
    const { weight } = cell.config
    const bits = weight ? bitsPerElement(weight.format) : layer.weightBits
    return { kind: 'result', ...cell.identity, ...measured, bitsPerElement: bits }
  } catch (error) {
    arena.release()
    if (isAbort(error) || (error instanceof GpuError && error.code === 'GP-04')) throw error
    gpu.pool.trim()
    return { kind: 'failure', ...cell.identity, error: reportError(error) }
  }
}

/**
 * Compares `request.methods` under `request.settings` on `layer` and emits each outcome as it is there. Methods are
 * fitted on the calibration rows only. A method that fails yields a MethodFailure and the others go on.
 * Throws InputError before any work when the request names something that does not exist, GpuError GP-04 when the device
 * is lost, and the signal's AbortError when the run is cancelled; results emitted before then stand.
 */
export async function runComparison(
  layer: ComparisonLayer,
  request: ComparisonRequest,
  context: ComparisonContext,
  emit: (event: ComparisonEvent) => void,
): Promise<void> {
  const { gpu, signal } = context
  const cells = planCells(request)
  const arena = new Arena(gpu)
  try {
    const rows = await withErrorScopes(gpu, signal, async () => referenceOutputs(layer, arena, gpu))
    for (const cell of cells) {
      signal.throwIfAborted()
      emit({ kind: 'started', method: cell.identity.method, setting: cell.identity.setting })
      emit({ kind: 'outcome', outcome: await runCell(cell, layer, rows, { context, emit }) })
    }
  } finally {
    arena.release()
  }
}
