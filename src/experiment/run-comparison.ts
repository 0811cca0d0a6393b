/** Runs one comparison: every method under every setting on one layer, results as they come. */
import { GpuError, isAbort, reportError } from '../core/errors'
import { completeOptions } from '../core/options'
import type { Progress } from '../core/progress'
import { bitsPerElement } from '../formats/bits-per-element'
import type { PreScale } from '../formats/number-format'
import { checkMxChoices } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import { OutOfMemory } from '../gpu/buffer-pool'
import type { Gpu } from '../gpu/device'
import { withErrorScopes } from '../gpu/error-scope'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { excessText, type MeteredPool, meterPool } from '../gpu/memory-meter'
import type { Context, FitInput, Method } from '../methods/method'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { headDimOf } from './kv-cache'
import { type Measured, type MeasurePlan, measure } from './measure'
import { type MemoryPlan, memoryPlan } from './memory-plan'
import { outputNotes } from './output-heads'
import type { ComparisonRequest, MethodChoice, Setting } from './request'
import type { MethodOutcome, ResultIdentity } from './result'
import { quantizersOf, type SettingQuantizers } from './settings'
import { sharedRows } from './shared-fit'
import { createWorkCache, type WorkCache, type WorkSession } from './shared-work'

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

/** Settles when the pipelines of a method under a setting are compiled; rejects with GpuError GP-05 where one is refused. */
export type Ready = (cell: Pick<ResultIdentity, 'method' | 'setting'>) => Promise<void>

export interface ComparisonContext {
  readonly gpu: Gpu
  readonly signal: AbortSignal
  /** Milliseconds from any fixed start. */
  readonly now: () => number
  /** What compiles ahead (warm-up.ts); absent: every pipeline is compiled where it is first used. */
  readonly ready?: Ready
  /** What is kept for the layer from one run to the next; absent: for this run alone. */
  readonly work?: WorkCache
}

/** What a comparison says while it goes: first what it will take, then in the order of settings and, within a setting, of methods. */
export type ComparisonEvent =
  | { readonly kind: 'plan'; readonly plan: MemoryPlan }
  | { readonly kind: 'started'; readonly method: string; readonly setting: string }
  /** Waits for the pipelines of a method, or has them; for the first one also before it starts: reference outputs need them. */
  | { readonly kind: 'compiling'; readonly method: string; readonly setting: string; readonly done: boolean }
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

/** What every cell of a run is measured on. */
export interface RunSubject {
  /** Name of the weight's tensor. */
  readonly name: string
  readonly outDim: number
  readonly inDim: number
  /** Bits per weight as loaded. */
  readonly weightBits: number
  /** Bytes that may live while a cell runs. */
  plannedBytes(cell: Cell): number
  /** What cells leave for those behind them; null: nothing. */
  readonly kept: KeptWork | null
  /** Fits and measures one cell; what it allocates is the context's arena's. */
  measure(cell: Cell, context: Context & { readonly now: () => number }): Promise<Measured>
}

/** What is kept between the cells of a run. */
export interface KeptWork {
  /** Bytes that live before a cell begins. */
  liveBytes(): number
  /** Keeps what the last cell has made, as far as there is room. */
  keep(): void
  /** Releases what the last cell has made. */
  discard(): void
  /** Releases all that earlier cells have left; false: there was nothing. */
  giveBack(): boolean
}

/** The context of a run whose pool counts for it. */
export interface MeteredContext extends ComparisonContext {
  readonly gpu: Gpu & { readonly pool: MeteredPool }
}

/** `context` with a pool that counts for one run, of which `base` bytes are there already. */
export function meteredContext(context: ComparisonContext, base: number): MeteredContext {
  return { ...context, gpu: { ...context.gpu, pool: meterPool(context.gpu.pool, { base }) } }
}

export interface RunParts {
  readonly request: ComparisonRequest
  readonly context: ComparisonContext
  readonly emit: (event: ComparisonEvent) => void
}

interface CellParts extends RunParts {
  readonly context: MeteredContext
}

/** Settles when the pipelines of `cell` are compiled, as Ready does, and says that the run waits. */
async function compiled(
  { identity: { method, setting } }: Cell,
  { context: { ready }, emit }: Pick<RunParts, 'context' | 'emit'>,
): Promise<void> {
  if (!ready) return
  emit({ kind: 'compiling', method, setting, done: false })
  await ready({ method, setting })
  emit({ kind: 'compiling', method, setting, done: true })
}

/** Runs one cell in an arena of its own. Throws only what the cell is not to blame for: a cancel, the loss of the device, OutOfMemory. */
async function runCell(cell: Cell, subject: RunSubject, { request, context, emit }: CellParts): Promise<MethodOutcome> {
  const { gpu, signal, now } = context
  const { weight } = cell.quantizers
  const { method, setting, seed, outputFormat, headDim } = cell.identity
  const { name, outDim, inDim, weightBits } = subject
  const arena = new Arena(gpu)
  const onProgress = (progress: Progress) => emit({ kind: 'progress', method, setting, progress })
  gpu.pool.plan(subject.plannedBytes(cell), subject.kept?.liveBytes())
  try {
    const { correctionBits, ...measured } = await withErrorScopes(gpu, signal, async () => {
      await compiled(cell, { context, emit })
      return subject.measure(cell, { gpu, signal, arena, seed, onProgress, now })
    })
    arena.release()
    subject.kept?.keep()
    const stored = weight ? bitsPerElement(weight, inDim) : weightBits
    const bits = stored + correctionBits / (outDim * inDim)
    const heads = headDim === null ? null : { headDim, assumed: request.headDim === null }
    const ofOutput = outputFormat === null || heads === null ? [] : outputNotes(outputFormat, heads, { name, outDim })
    const notes = [...ofOutput, ...measured.notes, ...excessNotes(gpu.pool)]
    return { kind: 'result', ...cell.identity, ...measured, bitsPerElement: bits, notes }
  } catch (error) {
    arena.release()
    subject.kept?.discard()
    if (isAbort(error) || (error instanceof GpuError && error.code === 'GP-04')) throw error
    gpu.pool.trim()
    if (error instanceof OutOfMemory) throw error
    return failureOf(cell, error)
  }
}

/** As runCell; where memory runs out beside what earlier cells have left, that is given back and the cell run again. */
async function runCellTwice(cell: Cell, subject: RunSubject, parts: CellParts): Promise<MethodOutcome> {
  try {
    return await runCell(cell, subject, parts)
  } catch (error) {
    if (!(error instanceof OutOfMemory) || !subject.kept?.giveBack()) throw error
    parts.context.gpu.pool.trim()
    return runCell(cell, subject, parts)
  }
}

/** What a result says where its method took more memory than was planned. */
const excessNotes = ({ excess }: MeteredPool) => (excess ? [`GPU memory: ${excessText(excess)}`] : [])

/** The outcome of a cell that ended with `error`. */
export const failureOf = ({ identity }: Cell, error: unknown): MethodOutcome => ({
  kind: 'failure',
  ...identity,
  error: reportError(error),
})

/** A cell that memory ran out in. */
export interface Stopped {
  readonly index: number
  readonly cell: Cell
  readonly error: OutOfMemory
}

/**
 * Runs `cells` one after the other on `subject` and emits each outcome as it is there. Stops where memory runs out, and
 * returns that cell; null when all are done. Throws as runComparison does.
 */
export async function runCells(cells: readonly Cell[], subject: RunSubject, parts: CellParts): Promise<Stopped | null> {
  for (const [index, cell] of cells.entries()) {
    parts.context.signal.throwIfAborted()
    parts.emit({ kind: 'started', method: cell.identity.method, setting: cell.identity.setting })
    try {
      parts.emit({ kind: 'outcome', outcome: await runCellTwice(cell, subject, parts) })
    } catch (error) {
      if (error instanceof OutOfMemory) return { index, cell, error }
      throw error
    }
  }
  return null
}

/** Runs all of `cells` by `run`, which stops where memory runs out: that cell fails, and the ones behind it go on. */
export async function runAll(
  cells: readonly Cell[],
  run: (cells: readonly Cell[]) => Promise<Stopped | null>,
  emit: RunParts['emit'],
): Promise<void> {
  for (let rest = cells; rest.length > 0; ) {
    const stopped = await run(rest)
    if (!stopped) return
    emit({ kind: 'outcome', outcome: failureOf(stopped.cell, stopped.error) })
    rest = rest.slice(stopped.index + 1)
  }
}

/** How a cell is measured on a layer that fits whole. */
function measureWhole(
  layer: ComparisonLayer,
  { rows, open }: { readonly rows: Pick<MeasurePlan, 'calibration' | 'evaluation'>; readonly open: () => WorkSession },
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
    const plan: MeasurePlan = { ...rows, scaleAnalysis, output: quantized }
    return measure(method, input, plan, { ...context, session: open() })
  }
}

/** What `cells` will take on a layer that fits whole. */
export function planWhole(
  whole: ComparisonLayer,
  cells: readonly Cell[],
  { request, context: { gpu, work } }: Pick<RunParts, 'request' | 'context'>,
): Promise<MemoryPlan> {
  const { weight, calibration, evaluation } = whole
  work?.keepOnly(whole)
  const layer = {
    outDim: weight.rows,
    inDim: weight.cols,
    calibrationTokens: calibration.rows,
    evaluationTokens: evaluation.rows,
    sameRows: calibration === evaluation,
    limitBytes: gpu.pool.limitBytes,
    isSoftware: gpu.adapter.isSoftware,
    headDim: request.headDim,
    scaleAnalysis: request.scaleAnalysis,
  }
  return memoryPlan(layer, cells, work?.kept)
}

/** Runs `cells` on `layer` as `plan` has them. Returns the cell that memory ran out in; throws as runComparison does. */
export async function runWhole(
  layer: ComparisonLayer,
  { cells, plan }: { readonly cells: readonly Cell[]; readonly plan: MemoryPlan },
  parts: RunParts,
): Promise<Stopped | null> {
  const layerBytes = plan.weightBytes + plan.activationBytes
  const work = parts.context.work ?? createWorkCache()
  work.keepOnly(layer)
  const context = meteredContext(parts.context, layerBytes + work.bytes)
  const { gpu, signal, now } = context
  const { name, weightBits } = layer
  const { rows: outDim, cols: inDim } = layer.weight
  const before = layerBytes + plan.referenceBytes
  const plannedBytes: RunSubject['plannedBytes'] = ({ identity: { method, setting } }) => {
    const own = plan.methods.filter((each) => each.method === method && each.setting === setting)
    return before + Math.max(0, ...own.map(({ bytes }) => bytes))
  }
  let session = work.open(gpu, now)
  const open = () => {
    session = work.open(gpu, now)
    return session
  }
  const kept: KeptWork = {
    liveBytes: () => layerBytes + work.bytes,
    keep: () => work.trim(),
    discard: () => session.discard(),
    giveBack: () => work.trim(0),
  }
  try {
    // Every cell has the kernel of the reference outputs; if it is refused, the cell says so.
    await compiled(cells[0], parts).catch(() => {})
    const rows = await withErrorScopes(gpu, signal, () => sharedRows(layer, { gpu, session })).catch((error) => {
      session.discard()
      throw error
    })
    // A method that fails before it begins has made nothing: the reference outputs are not its to discard.
    open()
    const measured = measureWhole(layer, { rows, open }, parts.request)
    const subject = { name, outDim, inDim, weightBits, plannedBytes, measure: measured, kept }
    return await runCells(cells, subject, { ...parts, context })
  } finally {
    // What stays is none of this run's, whoever goes on with it.
    gpu.pool.plan(Number.POSITIVE_INFINITY)
    if (!parts.context.work) work.clear()
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
  const cells = cellsFor(request, layer.weight.rows)
  const parts = { request, context, emit }
  const plan = await planWhole(layer, cells, parts)
  emit({ kind: 'plan', plan })
  await runAll(cells, (rest) => runWhole(layer, { cells: rest, plan }, parts), emit)
}
