/** One method on a layer in pieces: the sums of `measure`, piece by piece. Definitions: docs/metrics.md. */
import type { Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { magnitudeMax } from '../gpu/kernels/magnitude-max'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { type OperandErrorTotals, operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { type OutputEnergies, outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { Recorder } from '../gpu/recorder'
import { readFloats } from '../gpu/transfer'
import type { CalibrationPieces, Context, FitInput, KnownRotation, Method } from '../methods/method'
import type { PiecewiseLayer } from './load-pieces'
import type { Measured } from './measure'
import { operandErrors, outputErrors, zeroNotes } from './metrics'
import { type OutputQuantizer, quantizeOutput } from './output-heads'
import { finishProfile, mergeParts, type ProfilePart, profilePart } from './profile'

/** Reference outputs of one set of rows: [piece of tokens][piece of the weight]. */
export type ReferencePieces = readonly (readonly GpuMatrix[])[]

/** Both sets of rows with their reference outputs; the same object when they are the same rows. */
export interface PieceRows {
  readonly calibration: RowSet
  readonly evaluation: RowSet
}

export interface RowSet {
  readonly activations: readonly GpuMatrix[]
  readonly reference: ReferencePieces
}

/** What one method is measured with. */
export interface PieceInput extends Pick<FitInput, 'config' | 'options' | 'headDim'> {
  readonly output: OutputQuantizer | null
}

/** Y = X Wᵀ, pair by pair; a submit each, so that the queue stays short. */
export async function referencePieces(
  { weight, calibration, evaluation }: PiecewiseLayer,
  { gpu, arena, signal }: Pick<Context, 'gpu' | 'arena' | 'signal'>,
): Promise<PieceRows> {
  const rowsOf = async (activations: readonly GpuMatrix[]): Promise<RowSet> => {
    const reference: GpuMatrix[][] = []
    for (const x of activations) {
      const row: GpuMatrix[] = []
      for (const w of weight) {
        const recorder = new Recorder(gpu)
        row.push(matmulNt(recorder, arena, x, w))
        recorder.submit()
        await gpu.device.queue.onSubmittedWorkDone()
        signal.throwIfAborted()
      }
      reference.push(row)
    }
    return { activations, reference }
  }
  const first = await rowsOf(calibration)
  return { calibration: first, evaluation: evaluation === calibration ? first : await rowsOf(evaluation) }
}

const NO_OUTPUT: OutputEnergies = {
  ...{ errorEnergy: 0, referenceEnergy: 0, estimateEnergy: 0 },
  ...{ inner: 0, maxAbsolute: 0 },
}

function addOutput(a: OutputEnergies, b: OutputEnergies): OutputEnergies {
  return {
    errorEnergy: a.errorEnergy + b.errorEnergy,
    referenceEnergy: a.referenceEnergy + b.referenceEnergy,
    estimateEnergy: a.estimateEnergy + b.estimateEnergy,
    inner: a.inner + b.inner,
    maxAbsolute: Math.max(a.maxAbsolute, b.maxAbsolute),
  }
}

function addOperand(a: OperandErrorTotals | null, b: OperandErrorTotals): OperandErrorTotals {
  if (!a) return b
  return {
    signalEnergy: a.signalEnergy + b.signalEnergy,
    noiseEnergy: a.noiseEnergy + b.noiseEnergy,
    clipped: a.clipped + b.clipped,
    flushed: a.flushed + b.flushed,
    count: a.count + b.count,
  }
}

/** matrix · T, in the context's arena or the matrix itself. */
function rotated(
  rotation: KnownRotation,
  matrix: GpuMatrix,
  { gpu, arena }: Pick<Context, 'gpu' | 'arena'>,
): GpuMatrix {
  const recorder = new Recorder(gpu)
  const result = rotation.rotate(recorder, arena, matrix)
  recorder.submit()
  return result
}

/** Calls `visit` with each of `pieces` after the rotation, and its index; what is allocated meanwhile lives as long. */
async function eachRotated(
  pieces: readonly GpuMatrix[],
  rotation: KnownRotation,
  context: Context,
  visit: (transformed: GpuMatrix, index: number, own: Context) => Promise<void>,
): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    const own: Context = { ...context, arena: new Arena(context.gpu) }
    try {
      await visit(rotated(rotation, piece, own), index, own)
      context.signal.throwIfAborted()
    } finally {
      own.arena.release()
    }
  }
}

/** `quantizer` for some rows of the tensor that `pieces` make up after the rotation. */
async function forPieces(
  quantizer: Quantizer,
  pieces: readonly GpuMatrix[],
  rotation: KnownRotation,
  context: Context,
): Promise<Quantizer> {
  if (quantizer.family !== 'nvfp' || !quantizer.tensorScale) return quantizer
  let tensorMaximum = 0
  await eachRotated(pieces, rotation, context, async (matrix, _, { gpu, arena }) => {
    const recorder = new Recorder(gpu)
    const maximum = magnitudeMax(recorder, arena, matrix)
    recorder.submit()
    tensorMaximum = Math.max(tensorMaximum, (await readFloats(gpu, maximum, 1))[0])
  })
  return { ...quantizer, tensorMaximum }
}

/** X̂ of one set of rows, in the context's arena, and what is told of it. */
interface RoundedRows {
  readonly pieces: readonly GpuMatrix[]
  readonly totals: OperandErrorTotals | null
  readonly profile: ProfilePart | null
}

/** Rotates and rounds a set of rows; its errors and its profile are wanted of the evaluation rows only. */
async function roundRows(
  activations: readonly GpuMatrix[],
  { rotation, quantizer, told }: { rotation: KnownRotation; quantizer: Quantizer | null; told: boolean },
  context: Context,
): Promise<RoundedRows> {
  const { gpu, arena } = context
  const shared = quantizer && (await forPieces(quantizer, activations, rotation, context))
  const pieces: GpuMatrix[] = []
  let totals: OperandErrorTotals | null = null
  let profile: ProfilePart | null = null
  const total = activations.reduce((sum, { rows }) => sum + rows, 0)
  let first = 0
  for (const x of activations) {
    const passing: Context = { ...context, arena: new Arena(gpu) }
    try {
      const transformed = rotated(rotation, x, shared ? passing : context)
      if (told) {
        const part = await profilePart(gpu, passing.arena, transformed, { first, total })
        profile = profile ? mergeParts(profile, part) : part
      }
      if (shared) {
        const recorder = new Recorder(gpu)
        const rounded = fakeQuantize(recorder, arena, transformed, shared)
        const sums = told ? operandErrorSums(recorder, passing.arena, transformed, rounded, shared) : null
        recorder.submit()
        if (sums) totals = addOperand(totals, await readOperandErrors(gpu, sums))
        pieces.push(rounded)
      } else pieces.push(transformed)
      first += x.rows
      context.signal.throwIfAborted()
    } finally {
      passing.arena.release()
    }
  }
  return { pieces, totals, profile }
}

/** Error sums of Ŷ over one piece of the weight and a set of rows. */
async function multiply(
  { rounded, reference }: { readonly rounded: readonly GpuMatrix[]; readonly reference: readonly GpuMatrix[] },
  weight: GpuMatrix,
  output: OutputQuantizer | null,
  { gpu, signal }: Context,
): Promise<OutputEnergies> {
  let energies = NO_OUTPUT
  for (const [index, x] of rounded.entries()) {
    const passing = new Arena(gpu)
    try {
      const recorder = new Recorder(gpu)
      const product = matmulNt(recorder, passing, x, weight)
      const estimate = output ? quantizeOutput(recorder, passing, product, output) : product
      const sums = outputErrorSums(recorder, passing, reference[index], estimate)
      recorder.submit()
      energies = addOutput(energies, await readOutputErrors(gpu, sums))
      signal.throwIfAborted()
    } finally {
      passing.release()
    }
  }
  return energies
}

interface WeightErrors {
  readonly calibration: OutputEnergies
  readonly evaluation: OutputEnergies
  readonly weight: OperandErrorTotals | null
}

const STAGE = 'pieces of the weight'

/**
 * As `measure`, for a layer in pieces: `method` has a rotation and quantizes rows independently (pieces.ts, refusal). Sums of
 * pieces are added in float64, so numbers agree with those of the whole layer to the rounding of sums in f32.
 */
export async function measureInPieces(
  method: Method,
  { layer, rows, input }: { readonly layer: PiecewiseLayer; readonly rows: PieceRows; readonly input: PieceInput },
  context: Context & { readonly now: () => number },
): Promise<Measured> {
  const start = context.now()
  const { config, options } = input
  const { transform, mitigation } = method
  if (!transform.rotation || !mitigation.prepareRows) throw new Error(`${method.id} cannot work in pieces`)
  const channels = layer.facts.inDim
  const rotation = await transform.rotation(channels, input, context)
  const forEach: CalibrationPieces['forEach'] = (visit) => eachRotated(layer.calibration, rotation, context, visit)
  const tokens = layer.facts.calibrationTokens
  const weight = config.weight && (await forPieces(config.weight, layer.weight, rotation, context))
  const codes = { config: { ...config, weight }, options }
  const prepared = await mitigation.prepareRows({ channels, tokens, forEach }, codes, context)
  context.gpu.pool.trim()
  const evaluated = rows.evaluation.activations
  const isSame = rows.evaluation === rows.calibration
  const rounding = { rotation, quantizer: config.activation }
  const evaluation = await roundRows(evaluated, { ...rounding, told: true }, context)
  const calibration = isSame
    ? evaluation
    : await roundRows(rows.calibration.activations, { ...rounding, told: false }, context)

  let sums: WeightErrors = { calibration: NO_OUTPUT, evaluation: NO_OUTPUT, weight: null }
  await eachRotated(layer.weight, rotation, context, async (transformed, index, own) => {
    const quantized = weight ? await prepared.quantize(transformed, own) : transformed
    const multiplied = ({ pieces }: RoundedRows, { reference }: RowSet) =>
      multiply({ rounded: pieces, reference: reference.map((row) => row[index]) }, quantized, input.output, own)
    const first = await multiplied(calibration, rows.calibration)
    sums = {
      calibration: addOutput(sums.calibration, first),
      evaluation: addOutput(sums.evaluation, isSame ? first : await multiplied(evaluation, rows.evaluation)),
      weight: weight ? addOperand(sums.weight, await weightErrors(transformed, quantized, weight, own)) : null,
    }
    context.onProgress({ stage: STAGE, done: index + 1, total: layer.weight.length })
  })
  const told = { weight: sums.weight, activation: evaluation.totals }
  if (!evaluation.profile) throw new Error('pieces: expected evaluation rows')
  return {
    calibration: outputErrors(sums.calibration, tokens),
    evaluation: outputErrors(sums.evaluation, layer.facts.evaluationTokens),
    weight: told.weight && operandErrors(told.weight),
    activation: told.activation && operandErrors(told.activation),
    onlineOperations: rotation.onlineOperations,
    onlineBytes: rotation.onlineBytes,
    correctionBits: 0,
    elapsedMs: context.now() - start,
    profile: finishProfile(evaluation.profile),
    training: null,
    scaleAnalysis: null,
    notes: [...rotation.notes, ...prepared.notes, ...zeroNotes('W′', told.weight), ...zeroNotes('X′', told.activation)],
  }
}

async function weightErrors(original: GpuMatrix, quantized: GpuMatrix, quantizer: Quantizer, { gpu, arena }: Context) {
  const recorder = new Recorder(gpu)
  const sums = operandErrorSums(recorder, arena, original, quantized, quantizer)
  recorder.submit()
  return readOperandErrors(gpu, sums)
}
