/** When does a rotation hurt? Errors of methods and formats over the strength of outlier channels in a synthetic layer. */
import { type ErrorReport, GpuError, InputError, isAbort, reportError } from '../core/errors'
import { completeOptions, type OptionValues } from '../core/options'
import type { Progress } from '../core/progress'
import { parseFormat } from '../formats/format-text'
import type { Quantizer } from '../formats/number-format'
import { type MxChoices, makeQuantizer } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import { withErrorScopes } from '../gpu/error-scope'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { Recorder } from '../gpu/recorder'
import { uploadMatrix } from '../gpu/transfer'
import { checkSyntheticLayer, generateLayer, type SyntheticLayerSpec } from '../io/synthetic-layer'
import type { Method } from '../methods/method'
import { methodById } from '../methods/registry'
import { optionsOf } from './catalog'
import { gaussianNoise, rotationError } from './gaussian-noise'
import { measure } from './measure'
import { type Peakedness, peakedness } from './peakedness'
import type { MethodChoice } from './request'
import { type ComparisonContext, checkRequest } from './run-comparison'
import { settingOf } from './settings'
import { type Rows, sharedFit } from './shared-fit'
import { createWorkCache, type WorkSession, withSession } from './shared-work'

/** Every choice of a study, as data: it reproduces every number. The MX choices hold for every MX operand. */
export interface OutlierStudyRequest extends MxChoices {
  /** The layer; the study sets the strength of its outliers and its seed. */
  readonly layer: Omit<SyntheticLayerSpec, 'outlierStrength' | 'seed'>
  /** k: the factor on the outlier channels, 1 and more. */
  readonly strengths: readonly number[]
  /** Texts of formats, each for weights and activations at once (W4A4). */
  readonly formats: readonly string[]
  readonly methods: readonly MethodChoice[]
  /** Layers per strength: seeds seed, seed + 1, … for layer and methods; a point is the mean over them. */
  readonly repeats: number
  readonly seed: number
}

/** What one method gives in one format at one strength, as the mean over the repeats. */
export interface OutlierPoint {
  readonly format: string
  readonly method: string
  readonly strength: number
  /** Relative output errors; null where the method failed. */
  readonly calibration: number | null
  readonly evaluation: number | null
  /** Of the activations (evaluation rows) as they are, and after the method's transform; null where it failed. */
  readonly before: Peakedness
  readonly after: Peakedness | null
  /** The closed form for a global rotation of this layer in this format: the same for every method. */
  readonly predictedRotation: number
  /** What the method had to decide or leave out, each remark once; none where it failed. */
  readonly notes: readonly string[]
  readonly error: ErrorReport | null
}

/** What a study says while it goes: strength by strength, within one format by format, within one method by method. */
export type OutlierStudyEvent =
  | { readonly kind: 'point'; readonly point: OutlierPoint }
  /** Cells done (strengths x repeats x formats x methods), of all. */
  | { readonly kind: 'progress'; readonly progress: Progress }

/** Most layers a point is the mean of: beyond this its scatter no longer shows. */
export const MAX_REPEATS = 32

/** Throws the InputError a study of `request` would end with: OS-01, AC-06, and what a comparison of its cells throws. */
export function checkOutlierStudy({
  layer,
  strengths,
  formats,
  methods,
  repeats,
  ...choices
}: OutlierStudyRequest): void {
  const refuse = (name: string, expectation: string) => {
    throw new InputError('OS-01', `outlier study: ${name}: expected ${expectation}.`)
  }
  if (strengths.length === 0) refuse('strengths', 'at least one, found none')
  if (formats.length === 0) refuse('formats', 'at least one, found none')
  if (methods.length === 0) refuse('methods', 'at least one, found none')
  if (!(Number.isInteger(repeats) && repeats >= 1 && repeats <= MAX_REPEATS)) {
    refuse('repeats', `a whole number from 1 to ${MAX_REPEATS}, found ${repeats}`)
  }
  for (const outlierStrength of strengths) checkSyntheticLayer({ ...layer, outlierStrength, seed: choices.seed })
  const settings = formats.map((text) => settingOf({ weightFormat: text, activationFormat: text, outputFormat: null }))
  checkRequest({ ...choices, settings, methods, headDim: null, scaleAnalysis: false })
}

/** One format of a study. */
interface StudyFormat {
  readonly text: string
  readonly quantizer: Quantizer
  /** Noise energy of Gaussian data in it. */
  readonly kappa: number
}

interface StudyMethod {
  readonly id: string
  readonly method: Method
  readonly options: OptionValues
}

/** What one cell gives on one layer: the numbers of a point. */
type CellOutcome = Pick<OutlierPoint, 'calibration' | 'evaluation' | 'after' | 'notes' | 'error'>

/** A layer of the study on the GPU. */
interface StudyLayer {
  readonly weight: Rows['activations']
  readonly calibration: Rows
  readonly evaluation: Rows
  /** Sums of squares of the evaluation rows, the weight and their product. */
  readonly energies: { readonly x: number; readonly w: number; readonly y: number; readonly inDim: number }
  readonly seed: number
}

const energyOf = ({ data }: { readonly data: Float32Array }) => data.reduce((sum: number, x) => sum + x * x, 0)

/** Generates and uploads the layer of `spec`; its matrices belong to `arena`. */
async function openLayer(spec: SyntheticLayerSpec, { gpu }: ComparisonContext, arena: Arena): Promise<StudyLayer> {
  const layer = generateLayer(spec)
  const weight = uploadMatrix(gpu, arena, layer.weight, 'weight')
  const recorder = new Recorder(gpu)
  const rowsOf = (matrix: typeof layer.calibration): Rows => {
    const activations = uploadMatrix(gpu, arena, matrix, 'activations')
    return { activations, reference: matmulNt(recorder, arena, activations, weight) }
  }
  const calibration = rowsOf(layer.calibration)
  const evaluation = rowsOf(layer.evaluation)
  const sums = outputErrorSums(recorder, arena, evaluation.reference, evaluation.reference)
  recorder.submit()
  const { referenceEnergy: y } = await readOutputErrors(gpu, sums)
  const energies = { x: energyOf(layer.evaluation), w: energyOf(layer.weight), y, inDim: spec.inDim }
  return { weight, calibration, evaluation, energies, seed: spec.seed }
}

interface CellContext extends ComparisonContext {
  readonly arena: Arena
  readonly session: WorkSession
}

async function measureCell(
  layer: StudyLayer,
  { quantizer }: StudyFormat,
  { method, options, context }: StudyMethod & { readonly context: CellContext },
): Promise<CellOutcome> {
  const { weight, calibration, evaluation, seed } = layer
  const input = {
    weight,
    calibration: calibration.activations,
    reference: calibration.reference,
    config: { weight: quantizer, activation: quantizer },
    options,
    headDim: null,
  }
  const plan = { calibration, evaluation, output: null, scaleAnalysis: false }
  const run = { ...context, seed, onProgress: () => {} }
  const measured = await measure(method, input, plan, run)
  const { fitted } = await sharedFit(method, input, run)
  return {
    calibration: measured.calibration.outputRelativeError,
    evaluation: measured.evaluation.outputRelativeError,
    after: await peakedness(context.gpu, fitted.apply(evaluation.activations), quantizer),
    notes: measured.notes,
    error: null,
  }
}

/** Throws only what ends the whole study: a cancel or the loss of the device. */
async function runCell(
  layer: StudyLayer,
  format: StudyFormat,
  { context, ...method }: StudyMethod & { readonly context: ComparisonContext },
): Promise<CellOutcome> {
  const { gpu, signal } = context
  const arena = new Arena(gpu)
  try {
    return await withSession(context, layer, (session) =>
      withErrorScopes(gpu, signal, () =>
        measureCell(layer, format, { ...method, context: { ...context, arena, session } }),
      ),
    )
  } catch (error) {
    if (isAbort(error) || (error instanceof GpuError && error.code === 'GP-04')) throw error
    return { calibration: null, evaluation: null, after: null, notes: [], error: reportError(error) }
  } finally {
    arena.release()
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function meanPeakedness(all: readonly Peakedness[]): Peakedness {
  return { kurtosis: mean(all.map(({ kurtosis }) => kurtosis)), crest: mean(all.map(({ crest }) => crest)) }
}

/** The cells of one format on one layer. */
interface FormatOutcome {
  readonly before: Peakedness
  readonly predictedRotation: number
  /** In the order of the methods. */
  readonly cells: readonly CellOutcome[]
}

/** The point of method `at`, the mean over the layers; one at which it failed makes it a failure. */
function pointOf(outcomes: readonly FormatOutcome[], at: number): Omit<OutlierPoint, 'format' | 'method' | 'strength'> {
  const cells = outcomes.map((outcome) => outcome.cells[at])
  const failed = cells.find(({ error }) => error !== null)
  const meanOf = (key: 'calibration' | 'evaluation') =>
    failed ? null : mean(cells.map((cell) => cell[key] ?? Number.NaN))
  return {
    calibration: meanOf('calibration'),
    evaluation: meanOf('evaluation'),
    before: meanPeakedness(outcomes.map(({ before }) => before)),
    after: failed ? null : meanPeakedness(cells.flatMap(({ after }) => after ?? [])),
    predictedRotation: mean(outcomes.map(({ predictedRotation }) => predictedRotation)),
    notes: failed ? [] : [...new Set(cells.flatMap(({ notes }) => notes))],
    error: failed?.error ?? null,
  }
}

/** What a study keeps from start to end. */
interface Study {
  readonly formats: readonly StudyFormat[]
  readonly methods: readonly StudyMethod[]
  readonly context: ComparisonContext
  /** Says that a cell is done. */
  readonly tick: (strength: number) => void
}

async function planStudy(request: OutlierStudyRequest, { gpu, signal }: ComparisonContext) {
  const quantizers = request.formats.map((text) => makeQuantizer(parseFormat(text), request))
  const kappas = await withErrorScopes(gpu, signal, () => gaussianNoise(gpu, quantizers, request.layer.inDim))
  return {
    formats: request.formats.map((text, i) => ({ text, quantizer: quantizers[i], kappa: kappas[i] })),
    methods: request.methods.map(({ id, options }) => {
      const method = methodById(id)
      return { id, method, options: completeOptions({ id: method.id, code: 'MD-03' }, optionsOf(method), options) }
    }),
  }
}

/** Every format and method on the layer of `spec`, in the order of the formats. */
async function runLayer(
  spec: SyntheticLayerSpec,
  { formats, methods, context: outer, tick }: Study,
): Promise<FormatOutcome[]> {
  const { gpu, signal } = outer
  const arena = new Arena(gpu)
  const context = { ...outer, work: createWorkCache() }
  try {
    const layer = await withErrorScopes(gpu, signal, () => openLayer(spec, context, arena))
    const outcomes: FormatOutcome[] = []
    for (const format of formats) {
      const before = await peakedness(gpu, layer.evaluation.activations, format.quantizer)
      const predicted = rotationError(layer.energies, { weight: format.kappa, activation: format.kappa })
      const cells: CellOutcome[] = []
      for (const method of methods) {
        signal.throwIfAborted()
        cells.push(await runCell(layer, format, { ...method, context }))
        tick(spec.outlierStrength)
      }
      outcomes.push({ before, predictedRotation: predicted.error, cells })
    }
    return outcomes
  } finally {
    context.work.clear()
    arena.release()
  }
}

/**
 * Runs `request` and emits each point as it is there: with `repeats` layers per strength, when the last of them is done. A
 * method that fails gives points with the error, and the others go on. Throws InputError before any work (checkOutlierStudy),
 * GpuError GP-04 when the device is lost, and the signal's AbortError when the study is cancelled; points emitted before
 * then stand.
 */
export async function runOutlierStudy(
  request: OutlierStudyRequest,
  context: ComparisonContext,
  emit: (event: OutlierStudyEvent) => void,
): Promise<void> {
  checkOutlierStudy(request)
  const { layer, strengths, repeats, seed } = request
  const { formats, methods } = await planStudy(request, context)
  const total = strengths.length * repeats * formats.length * methods.length
  let done = 0
  const tick = (strength: number) => {
    done++
    emit({ kind: 'progress', progress: { stage: `outlier strength ${strength}`, done, total } })
  }
  for (const strength of strengths) {
    const layers: FormatOutcome[][] = []
    for (let repeat = 0; repeat < repeats; repeat++) {
      const spec = { ...layer, outlierStrength: strength, seed: (seed + repeat) >>> 0 }
      layers.push(await runLayer(spec, { formats, methods, context, tick }))
    }
    formats.forEach(({ text }, f) => {
      const outcomes = layers.map((each) => each[f])
      methods.forEach(({ id }, m) => {
        emit({ kind: 'point', point: { format: text, method: id, strength, ...pointOf(outcomes, m) } })
      })
    })
  }
}
