/** Runs one comparison: every method under every setting on one layer, results as they come. */
import { GpuError, isAbort, reportError } from '../core/errors'
import { completeOptions } from '../core/options'
import type { Progress } from '../core/progress'
import { bitsPerElement } from '../formats/bits-per-element'
import type { PreScale } from '../formats/number-format'
import { checkMxChoices } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { Recorder } from '../gpu/recorder'
import type { Context, FitInput, Method } from '../methods/method'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { headDimOf } from './kv-cache'
import { type Measured, type MeasurePlan, measure, type Rows } from './measure'
import { outputNotes } from './output-heads'
import type { ComparisonRequest, MethodChoice, Setting } from './request'
import type { MethodOutcome, ResultIdentity } from './result'
import { quantizersOf, type SettingQuantizers } from './settings'

/** The layer under study, on the GPU. When errors are measured on the calibration rows both are the same object. */
export interface ComparisonLayer {
  /** Name of the weight's tensor. */
  readonly name: string
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
export interface Cell {
  readonly method: Method
  readonly quantizers: SettingQuantizers
  readonly identity: ResultIdentity
}

/** The pre-scale that reached a tensor. */
function effectivePreScale({ weight, activation, output }: SettingQuantizers): PreScale | null {
  const found = [weight, activation, output].flatMap((one) =>
    one?.family === 'mx' && one.preScale ? [one.preScale] : [],
  )
  return found[0] ?? null
}

function cellOf(
  request: ComparisonRequest,
  setting: Setting,
  { choice, headDim }: { readonly choice: MethodChoice; readonly headDim: number | null },
): Cell {
  const method = methodById(choice.id)
  const quantizers = quantizersOf(setting, request)
  const preScale = effectivePreScale(quantizers)
  const hasMx = [quantizers.weight, quantizers.activation, quantizers.output].some((one) => one?.family === 'mx')
  return {
    method,
    quantizers,
    identity: {
      method: method.id,
      setting: setting.id,
      weightFormat: setting.weightFormat,
      activationFormat: setting.activationFormat,
      outputFormat: setting.outputFormat,
      headDim: setting.outputFormat === null ? null : headDim,
      scaleRule: hasMx ? request.scaleRule : null,
      rounding: hasMx ? request.rounding : null,
      blockSize: hasMx ? request.blockSize : null,
      preScale: preScale?.factor ?? null,
      preScaleVariant: preScale?.variant ?? null,
      seed: request.seed,
      options: completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), choice.options),
    },
  }
}

/**
 * The cells of a request in running order; `headDim` is what its settings with an output format use. Throws InputError
 * for anything unknown, before any work starts.
 */
function planCells(request: ComparisonRequest, headDim: number | null): Cell[] {
  checkMxChoices(request)
  return request.settings.flatMap((setting) =>
    request.methods.map((choice) => cellOf(request, setting, { choice, headDim })),
  )
}

/** As planCells, for a layer with `outDim` outputs. Throws InputError SE-02 for heads such an output cannot have. */
export function cellsFor(request: ComparisonRequest, outDim: number): Cell[] {
  const quantizesOutput = request.settings.some((setting) => setting.outputFormat !== null)
  return planCells(request, quantizesOutput ? headDimOf(outDim, request.headDim) : null)
}

/**
 * Throws the InputError a run of `request` would end with on any layer; returns otherwise. Touches no GPU. Whether the
 * head dimension fits is known with the layer only.
 */
export function checkRequest(request: ComparisonRequest): void {
  planCells(request, request.headDim)
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

/** What every cell of a run is measured on. */
export interface RunSubject {
  /** Name of the weight's tensor. */
  readonly name: string
  readonly outDim: number
  readonly inDim: number
  /** Bits per weight as loaded. */
  readonly weightBits: number
  /** Fits and measures one cell; what it allocates is the context's arena's. */
  measure(cell: Cell, context: Context & { readonly now: () => number }): Promise<Measured>
}

/** Runs one cell in an arena of its own. Throws only what ends the whole run: a cancel or the loss of the device. */
async function runCell(
  cell: Cell,
  { subject, askedHeadDim }: { readonly subject: RunSubject; readonly askedHeadDim: number | null },
  { context, emit }: RunParts,
): Promise<MethodOutcome> {
  const { gpu, signal, now } = context
  const { weight } = cell.quantizers
  const { method, setting, seed, outputFormat, headDim } = cell.identity
  const { name, outDim, inDim, weightBits } = subject
  const arena = new Arena(gpu)
  const onProgress = (progress: Progress) => emit({ kind: 'progress', method, setting, progress })
  try {
    const { correctionBits, ...measured } = await withErrorScopes(gpu, signal, () =>
      subject.measure(cell, { gpu, signal, arena, seed, onProgress, now }),
    )
    arena.release()
    const stored = weight ? bitsPerElement(weight, inDim) : weightBits
    const bits = stored + correctionBits / (outDim * inDim)
    const heads = headDim === null ? null : { headDim, assumed: askedHeadDim === null }
    const notes = outputFormat === null || heads === null ? [] : outputNotes(outputFormat, heads, { name, outDim })
    return { kind: 'result', ...cell.identity, ...measured, bitsPerElement: bits, notes: [...notes, ...measured.notes] }
  } catch (error) {
    arena.release()
    if (isAbort(error) || (error instanceof GpuError && error.code === 'GP-04')) throw error
    gpu.pool.trim()
    return { kind: 'failure', ...cell.identity, error: reportError(error) }
  }
}

interface RunParts {
  readonly context: ComparisonContext
  readonly emit: (event: ComparisonEvent) => void
}

/** Runs `cells` one after the other on `subject` and emits each outcome as it is there. Throws as runComparison does. */
export async function runCells(
  cells: readonly Cell[],
  on: { readonly subject: RunSubject; readonly askedHeadDim: number | null },
  parts: RunParts,
): Promise<void> {
  for (const cell of cells) {
    parts.context.signal.throwIfAborted()
    parts.emit({ kind: 'started', method: cell.identity.method, setting: cell.identity.setting })
    parts.emit({ kind: 'outcome', outcome: await runCell(cell, on, parts) })
  }
}

/** How a cell is measured on a layer that fits whole. */
function measureWhole(
  layer: ComparisonLayer,
  rows: Pick<MeasurePlan, 'calibration' | 'evaluation'>,
  { scaleAnalysis, headDim: askedHeadDim }: ComparisonRequest,
): RunSubject['measure'] {
  return ({ method, quantizers, identity: { options, headDim } }, context) => {
    const { weight, activation, output } = quantizers
    const input: FitInput = {
      weight: layer.weight,
      calibration: rows.calibration.activations,
      reference: rows.calibration.reference,
      config: { weight, activation },
      options,
      headDim: askedHeadDim,
    }
    const quantized = output && headDim !== null ? { quantizer: output, headDim } : null
    return measure(method, input, { ...rows, scaleAnalysis, output: quantized }, context)
  }
}

/**
 * Compares `request.methods` under `request.settings` on `layer` and emits each outcome as it is there. Methods are
 * fitted on the calibration rows only. A method that fails yields a MethodFailure and the others go on.
 * Throws InputError before any work when the request names something that does not exist (SE-02: a head dimension the
 * layer's output cannot have), GpuError GP-04 when the device is lost, and the signal's AbortError when the run is
 * cancelled; results emitted before then stand.
 */
export async function runComparison(
  layer: ComparisonLayer,
  request: ComparisonRequest,
  context: ComparisonContext,
  emit: (event: ComparisonEvent) => void,
): Promise<void> {
  const { gpu, signal } = context
  const { name, weightBits } = layer
  const { rows: outDim, cols: inDim } = layer.weight
  const cells = cellsFor(request, outDim)
  const arena = new Arena(gpu)
  try {
    const rows = await withErrorScopes(gpu, signal, async () => referenceOutputs(layer, arena, gpu))
    const subject = { name, outDim, inDim, weightBits, measure: measureWhole(layer, rows, request) }
    await runCells(cells, { subject, askedHeadDim: request.headDim }, { context, emit })
  } finally {
    arena.release()
  }
}
