/** From tensors in open files to matrices on the GPU, split into calibration and evaluation rows. */
import { InputError } from '../core/errors'
import { STANDARD_MX } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { transpose } from '../gpu/kernels/transpose'
import { Recorder } from '../gpu/recorder'
import { uploadMatrix } from '../gpu/transfer'
import { addNonFinite, checkFinite, countNonFinite } from '../io/non-finite'
import { quoted } from '../io/number-text'
import { checkWidths, mayTurn } from '../io/pair-layer'
import { readRows } from '../io/read-values'
import { describeSynthetic, generateActivations, type SyntheticSpec } from '../io/synthetic'
import { checkDecodable, matrixShape } from '../io/tensor-bytes'
import { type RowRange, storedBits, type TensorView } from '../io/tensor-view'
import { type LoadContext, loadRows, type TensorSource, uploadRows } from './load-tensor'
import type { ActivationOrigin, LayerFacts } from './result'
import type { ComparisonLayer } from './run-comparison'
import { splitRows } from './split-rows'

/** Activations recorded from a model. */
export interface CapturedRows {
  readonly kind: 'captured'
  readonly calibration: TensorSource
  /** Rows to measure on; null: rows of `calibration` are held out instead. */
  readonly evaluation: TensorSource | null
}

/** Seeded rows. */
export interface SyntheticRows {
  readonly kind: 'synthetic'
  readonly spec: SyntheticSpec
  /** The gain of the norm before the layer, that rows are multiplied by; null: 1 everywhere. */
  readonly gain: GainSource | null
}

export interface GainSource {
  readonly from: TensorSource
  /** The norm multiplies by 1 + what is stored. */
  readonly plusOne: boolean
}

/** Where the parts of a layer come from. */
export interface LayerSources {
  readonly weight: TensorSource
  readonly activations: CapturedRows | SyntheticRows
  /** Share of the rows held out for evaluation, 0 … 0.8; 0 measures on the calibration rows. */
  readonly heldOutShare: number
  /** Rows of each activation tensor before the first that is used. */
  readonly firstToken: number
  /** At most this many rows from there on are used; null: all. */
  readonly tokens: number | null
  /** All tensors of the weight's file: a message about widths names the one that would fit. */
  readonly tensors: readonly TensorView[]
}

export interface LoadedLayer extends ComparisonLayer {
  readonly facts: LayerFacts
  /** The weight is stored as [in, out]. */
  readonly turned: boolean
}

/** The standard MX block; that the last one of a row is shorter is worth a note. */
const BLOCK_SIZE = STANDARD_MX.blockSize

/** The rows that are used of `rows`. Throws InputError AC-05 where that is none of them. */
function chosenRows(rows: number, { firstToken, tokens }: Pick<LayerSources, 'firstToken' | 'tokens'>): RowRange {
  if (tokens !== null && !(Number.isInteger(tokens) && tokens >= 1)) {
    throw new InputError('AC-05', `tokens: expected a whole number from 1, found ${tokens}.`)
  }
  if (!(Number.isInteger(firstToken) && firstToken >= 0 && firstToken < rows)) {
    throw new InputError('AC-05', `first token: expected 0 to ${rows - 1}, found ${firstToken}.`)
  }
  return { start: firstToken, end: tokens === null ? rows : Math.min(rows, firstToken + tokens) }
}

/** As splitRows, of the rows in `range`. */
function splitRange({ start, end }: RowRange, heldOutShare: number): ReturnType<typeof splitRows> {
  const { calibration, evaluation } = splitRows(end - start, heldOutShare)
  const moved = (rows: RowRange) => ({ start: start + rows.start, end: start + rows.end })
  return { calibration: moved(calibration), evaluation: moved(evaluation) }
}

/** Rows [tokens, in] of both kinds; one object when they are the same rows. */
interface ActivationRows {
  readonly calibration: GpuMatrix
  readonly evaluation: GpuMatrix
}

/** True when the weight is stored as [in, out]. Throws InputError AC-01, TS-01, TS-02. */
function isTransposed({ weight, tensors }: LayerSources, activations: readonly TensorSource[]): boolean {
  const { rows, cols } = matrixShape(weight.tensor, 'weight')
  const widths = activations.map((source) => matrixShape(source.tensor, 'activations').cols)
  const isHigh = widths.length > 0 && widths[0] !== cols && widths[0] === rows
  const transposed = isHigh && mayTurn(weight.tensor, activations[0].tensor, tensors)
  const oriented = transposed ? { ...weight.tensor, shape: [cols, rows] } : weight.tensor
  for (const { tensor } of activations) checkWidths(tensor, oriented, tensors)
  return transposed
}

async function loadWeight(weight: TensorSource, transposed: boolean, context: LoadContext): Promise<GpuMatrix> {
  const { rows } = matrixShape(weight.tensor, 'weight')
  const range = { start: 0, end: rows }
  if (!transposed) return loadRows(weight, range, context)
  const passing = new Arena(context.gpu)
  try {
    const stored = await loadRows(weight, range, { ...context, arena: passing })
    const recorder = new Recorder(context.gpu)
    const turned = transpose(recorder, context.arena, stored)
    recorder.submit()
    return turned
  } finally {
    passing.release()
  }
}

async function loadCaptured(
  { calibration, evaluation }: CapturedRows,
  split: LayerOutline,
  context: LoadContext,
): Promise<ActivationRows> {
  if (evaluation) {
    return {
      calibration: await loadRows(calibration, split.calibration, context),
      evaluation: await loadRows(evaluation, split.evaluation, context),
    }
  }
  const first = await uploadRows(calibration, split.calibration, context)
  const second = split.facts.sameRows ? first : await uploadRows(calibration, split.evaluation, context)
  const size = ({ rows, cols }: GpuMatrix) => rows * cols
  const startRow = split.calibration.start
  if (second === first) checkFinite(calibration.tensor, first.nonFinite, { startRow, count: size(first.matrix) })
  else {
    const count = size(first.matrix) + size(second.matrix)
    const counts = addNonFinite(first.nonFinite, second.nonFinite, size(first.matrix))
    checkFinite(calibration.tensor, counts, { startRow, count })
  }
  return { calibration: first.matrix, evaluation: second.matrix }
}

/** The gain as the norm applies it. Throws InputError AC-07 for another width, TS-04 for elements that are not finite. */
export async function readGain({ from, plusOne }: GainSource, inDim: number): Promise<Float32Array> {
  const { source, tensor } = from
  checkDecodable(tensor)
  const found = tensor.shape.reduce((product, axis) => product * axis, 1)
  if (found !== inDim) {
    throw new InputError('AC-07', `norm gain ${quoted(tensor.name)}: expected ${inDim} values, found ${found}.`)
  }
  const flat = { ...tensor, shape: [1, inDim] }
  const values = await readRows(() => source, flat, { start: 0, end: 1 })
  checkFinite(tensor, countNonFinite(values), { startRow: 0, count: inDim })
  return plusOne ? values.map((value) => 1 + value) : values
}

async function uploadSynthetic(
  { spec, gain }: SyntheticRows,
  split: LayerOutline,
  { gpu, arena, signal }: LoadContext,
): Promise<ActivationRows> {
  const { inDim, sameRows } = split.facts
  const all = generateActivations(spec, inDim, gain && (await readGain(gain, inDim)))
  signal.throwIfAborted()
  const upload = ({ start, end }: RowRange, label: string) => {
    const data = all.data.slice(start * inDim, end * inDim)
    return uploadMatrix(gpu, arena, { rows: end - start, cols: inDim, data }, label)
  }
  const calibration = upload(split.calibration, 'synthetic calibration rows')
  return {
    calibration,
    evaluation: sameRows ? calibration : upload(split.evaluation, 'synthetic evaluation rows'),
  }
}

/** What a layer will be, known before anything but shapes has been read. */
export interface LayerOutline {
  /** The weight is stored as [in, out]. */
  readonly turned: boolean
  /** Rows of their tensor, or of the generated ones; the same range where `facts.sameRows`. */
  readonly calibration: RowRange
  readonly evaluation: RowRange
  readonly weightBits: number
  readonly facts: LayerFacts
}

/** The rows that calibrate and evaluate, each of its own tensor. */
function rowsOf(sources: LayerSources): Pick<LayerOutline, 'calibration' | 'evaluation'> {
  const { activations, heldOutShare } = sources
  if (activations.kind === 'synthetic') return splitRange(chosenRows(activations.spec.tokens, sources), heldOutShare)
  const chosen = (source: TensorSource) => chosenRows(matrixShape(source.tensor, 'activations').rows, sources)
  const { calibration, evaluation } = activations
  if (evaluation) return { calibration: chosen(calibration), evaluation: chosen(evaluation) }
  return splitRange(chosen(calibration), heldOutShare)
}

/** Facts to show beside the numbers of a layer whose weight is `name`. */
function layerNotes(name: string, turned: boolean, inDim: number): string[] {
  const notes = []
  if (turned) notes.push(`"${name}" is stored as [in, out]; it was turned to [out, in] to fit the activations.`)
  if (inDim % BLOCK_SIZE !== 0) {
    notes.push(
      `"${name}": input dimension ${inDim} is not a multiple of ${BLOCK_SIZE}; ` +
        `the last block of each row is short (in blocks of ${BLOCK_SIZE}: ${inDim % BLOCK_SIZE} elements) and has a scale of its own.`,
    )
  }
  return notes
}

/**
 * A layer before it is read. Throws InputError TS-01, TS-02 for tensors that are no matrices of real numbers, AC-01 for
 * activations of another width, AC-05 for a split that leaves no rows.
 */
export function outlineLayer(sources: LayerSources): LayerOutline {
  const { weight, activations, heldOutShare } = sources
  const captured = activations.kind === 'captured' ? [activations.calibration, activations.evaluation] : []
  const turned = isTransposed(
    sources,
    captured.filter((one) => one !== null),
  )
  const stored = matrixShape(weight.tensor, 'weight')
  const [outDim, inDim] = turned ? [stored.cols, stored.rows] : [stored.rows, stored.cols]
  const { calibration, evaluation } = rowsOf(sources)
  const { name, dtype } = weight.tensor
  return {
    turned,
    calibration,
    evaluation,
    weightBits: storedBits(dtype),
    facts: {
      name,
      file: fileName(weight),
      outDim,
      inDim,
      calibrationTokens: calibration.end - calibration.start,
      evaluationTokens: evaluation.end - evaluation.start,
      sameRows: heldOutShare === 0 && !(activations.kind === 'captured' && activations.evaluation),
      activations: originOf(activations),
      notes: layerNotes(name, turned, inDim),
    },
  }
}

/**
 * Uploads a layer. A weight stored as [in, out] is recognised by the width of the activations, turned, and said in the
 * facts' notes. Throws what outlineLayer throws, InputError TS-04 for non-finite elements, AC-07 for a gain of another
 * width, AC-04 for synthetic rows out of range, and what reading throws.
 */
export async function loadLayer(sources: LayerSources, context: LoadContext): Promise<LoadedLayer> {
  const { weight, activations } = sources
  const outline = outlineLayer(sources)
  const { turned, weightBits, facts } = outline
  const matrix = await loadWeight(weight, turned, context)
  const rows =
    activations.kind === 'captured'
      ? await loadCaptured(activations, outline, context)
      : await uploadSynthetic(activations, outline, context)
  return { name: facts.name, weight: matrix, ...rows, weightBits, turned, facts }
}

/** Of several files read as one: the one that holds the tensor. */
const fileName = ({ source, tensor }: TensorSource) => tensor.shard?.name ?? source.name

function originOf(activations: LayerSources['activations']): ActivationOrigin {
  if (activations.kind === 'captured') {
    const { tensor } = activations.calibration
    return { kind: 'captured', tensor: tensor.name, file: fileName(activations.calibration) }
  }
  const { spec, gain } = activations
  const description = describeSynthetic(spec, gain ? gain.from.tensor.name : null)
  return { kind: 'synthetic', description, seed: spec.seed }
}
