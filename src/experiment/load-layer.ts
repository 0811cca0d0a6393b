/** From tensors in open files to matrices on the GPU, split into calibration and evaluation rows. */
import { InputError } from '../core/errors'
import { STANDARD_MX } from '../formats/quantizer'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { transpose } from '../gpu/kernels/transpose'
import { Recorder } from '../gpu/recorder'
import { uploadMatrix } from '../gpu/transfer'
import { checkFinite, type NonFiniteCounts } from '../io/non-finite'
import { checkWidths } from '../io/pair-layer'
import { describeSynthetic, generateActivations, type SyntheticSpec } from '../io/synthetic'
import { matrixShape } from '../io/tensor-bytes'
import { DTYPE_BITS, type TensorView } from '../io/tensor-view'
import { type LoadContext, loadRows, type RowRange, type TensorSource, uploadRows } from './load-tensor'
import type { ActivationOrigin, LayerFacts } from './result'
import type { ComparisonLayer } from './run-comparison'

/** Activations recorded from a model. */
export interface CapturedRows {
  readonly kind: 'captured'
  readonly calibration: TensorSource
  /** Rows to measure on; null: rows of `calibration` are held out instead. */
  readonly evaluation: TensorSource | null
}

/** Where the parts of a layer come from. */
export interface LayerSources {
  readonly weight: TensorSource
  readonly activations: CapturedRows | { readonly kind: 'synthetic'; readonly spec: SyntheticSpec }
  /** Share of the rows held out for evaluation, 0 … 0.8; 0 measures on the calibration rows. */
  readonly heldOutShare: number
  /** Only the first this many rows of each activation tensor are used; null: all. */
  readonly tokens: number | null
  /** All tensors of the weight's file: a message about widths names the one that would fit. */
  readonly tensors: readonly TensorView[]
}

export interface LoadedLayer extends ComparisonLayer {
  readonly facts: LayerFacts
}

/** The standard MX block; that the last one of a row is shorter is worth a note. */
const BLOCK_SIZE = STANDARD_MX.blockSize

/** Largest share of rows that may be held out: calibration keeps at least a fifth. */
export const MAX_HELD_OUT_SHARE = 0.8

/**
 * Splits `rows` into contiguous halves: the first rows calibrate, the last `heldOutShare` of them (rounded, at least
 * one) evaluate. Share 0 uses all rows for both. Throws InputError AC-05 for a share out of range or a single row.
 */
export function splitRows(rows: number, heldOutShare: number): { calibration: RowRange; evaluation: RowRange } {
  if (!(heldOutShare >= 0 && heldOutShare <= MAX_HELD_OUT_SHARE)) {
    throw new InputError('AC-05', `held-out share: expected 0 to ${MAX_HELD_OUT_SHARE}, found ${heldOutShare}.`)
  }
  if (heldOutShare === 0) return { calibration: { start: 0, end: rows }, evaluation: { start: 0, end: rows } }
  if (rows < 2) {
    throw new InputError('AC-05', `activations: expected at least 2 rows to hold some out, found ${rows}.`)
  }
  const heldOut = Math.min(Math.max(Math.round(heldOutShare * rows), 1), rows - 1)
  return { calibration: { start: 0, end: rows - heldOut }, evaluation: { start: rows - heldOut, end: rows } }
}

function limitRows(rows: number, tokens: number | null): number {
  if (tokens !== null && !(Number.isInteger(tokens) && tokens >= 1)) {
    throw new InputError('AC-05', `tokens: expected a whole number from 1, found ${tokens}.`)
  }
  return tokens === null ? rows : Math.min(rows, tokens)
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
  const transposed = widths.length > 0 && widths[0] !== cols && widths[0] === rows
  const oriented = transposed ? { ...weight.tensor, shape: [cols, rows] } : weight.tensor
  for (const { tensor } of activations) checkWidths(tensor, oriented, tensors)
  return transposed
}

async function loadWeight(weight: TensorSource, transposed: boolean, context: LoadContext): Promise<GpuMatrix> {
  const { rows } = matrixShape(weight.tensor, 'weight')
  const stored = await loadRows(weight, { start: 0, end: rows }, context)
  if (!transposed) return stored
  const recorder = new Recorder(context.gpu)
  const turned = transpose(recorder, context.arena, stored)
  recorder.submit()
  return turned
}

async function loadCaptured(
  { calibration, evaluation }: CapturedRows,
  { heldOutShare, tokens }: LayerSources,
  context: LoadContext,
): Promise<ActivationRows> {
  const rowsOf = (source: TensorSource) => limitRows(matrixShape(source.tensor, 'activations').rows, tokens)
  if (evaluation) {
    return {
      calibration: await loadRows(calibration, { start: 0, end: rowsOf(calibration) }, context),
      evaluation: await loadRows(evaluation, { start: 0, end: rowsOf(evaluation) }, context),
    }
  }
  const split = splitRows(rowsOf(calibration), heldOutShare)
  const first = await uploadRows(calibration, split.calibration, context)
  const second = heldOutShare === 0 ? first : await uploadRows(calibration, split.evaluation, context)
  const size = ({ rows, cols }: GpuMatrix) => rows * cols
  if (second === first) checkFinite(calibration.tensor, first.nonFinite, { startRow: 0, count: size(first.matrix) })
  else {
    const count = size(first.matrix) + size(second.matrix)
    const counts = joinCounts(first.nonFinite, second.nonFinite, size(first.matrix))
    checkFinite(calibration.tensor, counts, { startRow: 0, count })
  }
  return { calibration: first.matrix, evaluation: second.matrix }
}

/** What is not finite in two runs of elements, the second starting `offset` elements after the first. */
function joinCounts(first: NonFiniteCounts, second: NonFiniteCounts, offset: number): NonFiniteCounts {
  const later = second.firstIndex === null ? null : second.firstIndex + offset
  return {
    nan: first.nan + second.nan,
    positiveInfinity: first.positiveInfinity + second.positiveInfinity,
    negativeInfinity: first.negativeInfinity + second.negativeInfinity,
    firstIndex: first.firstIndex ?? later,
  }
}

function uploadSynthetic(
  spec: SyntheticSpec,
  inDim: number,
  { heldOutShare, tokens }: LayerSources,
  { gpu, arena }: LoadContext,
): ActivationRows {
  const all = generateActivations(spec, inDim)
  const split = splitRows(limitRows(all.rows, tokens), heldOutShare)
  const upload = ({ start, end }: RowRange, label: string) => {
    const data = all.data.slice(start * inDim, end * inDim)
    return uploadMatrix(gpu, arena, { rows: end - start, cols: inDim, data }, label)
  }
  const calibration = upload(split.calibration, 'synthetic calibration rows')
  return {
    calibration,
    evaluation: heldOutShare === 0 ? calibration : upload(split.evaluation, 'synthetic evaluation rows'),
  }
}

/**
 * Uploads a layer. A weight stored as [in, out] is recognised by the width of the activations, turned, and said in the
 * facts' notes. Throws InputError TS-01, TS-02 for tensors that are no matrices of real numbers, AC-01 for activations
 * of another width, TS-04 for non-finite elements, AC-05 for a split that leaves no rows, and what reading throws.
 */
export async function loadLayer(sources: LayerSources, context: LoadContext): Promise<LoadedLayer> {
  const { weight, activations } = sources
  const captured =
    activations.kind === 'captured'
      ? [activations.calibration, activations.evaluation].filter((one) => one !== null)
      : []
  const transposed = isTransposed(sources, captured)
  const weightMatrix = await loadWeight(weight, transposed, context)
  const rows =
    activations.kind === 'captured'
      ? await loadCaptured(activations, sources, context)
      : uploadSynthetic(activations.spec, weightMatrix.cols, sources, context)
  const notes = []
  if (transposed) {
    notes.push(`"${weight.tensor.name}" is stored as [in, out]; it was turned to [out, in] to fit the activations.`)
  }
  if (weightMatrix.cols % BLOCK_SIZE !== 0) {
    notes.push(
      `"${weight.tensor.name}": input dimension ${weightMatrix.cols} is not a multiple of ${BLOCK_SIZE}; ` +
        `the last block of each row is short (in blocks of ${BLOCK_SIZE}: ${weightMatrix.cols % BLOCK_SIZE} elements) and has a scale of its own.`,
    )
  }
  return {
    name: weight.tensor.name,
    weight: weightMatrix,
    ...rows,
    weightBits: DTYPE_BITS[weight.tensor.dtype],
    facts: {
      name: weight.tensor.name,
      file: weight.source.name,
      outDim: weightMatrix.rows,
      inDim: weightMatrix.cols,
      calibrationTokens: rows.calibration.rows,
      evaluationTokens: rows.evaluation.rows,
      sameRows: rows.evaluation === rows.calibration,
      activations: originOf(activations),
      notes,
    },
  }
}

function originOf(activations: LayerSources['activations']): ActivationOrigin {
  if (activations.kind === 'captured') {
    const { source, tensor } = activations.calibration
    return { kind: 'captured', tensor: tensor.name, file: source.name }
  }
  const { spec } = activations
  return { kind: 'synthetic', description: describeSynthetic(spec), seed: spec.seed }
}
