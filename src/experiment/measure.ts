import type { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { type OperandErrorSums, operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { type OutputErrorSums, outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { Recorder } from '../gpu/recorder'
import { addCorrection } from '../methods/low-rank/correct-weight'
import type { Context, FitInput, FittedTransform, Method, QuantizedWeight } from '../methods/method'
import { roundActivations } from '../methods/rounding/round-activations'
import { operandErrors, outputErrors, zeroNotes } from './metrics'
import { type OutputQuantizer, quantizeOutput } from './output-heads'
import { profileActivations } from './profile'
import type { MethodResult } from './result'
import { analyseScales } from './scale-analysis'

/** Activations [tokens, in] and the output they give in full precision [tokens, out]. */
export interface Rows {
  readonly activations: GpuMatrix
  readonly reference: GpuMatrix
}

/** The part of a result that is measured; the rest follows from the request. */
export type Measured = Pick<
  MethodResult,
  | 'calibration'
  | 'evaluation'
  | 'weight'
  | 'activation'
  | 'onlineOperations'
  | 'onlineBytes'
  | 'elapsedMs'
  | 'profile'
  | 'training'
  | 'scaleAnalysis'
  | 'notes'
> & {
  /** Bits of the low-rank branch, beside those of the quantized weight. */
  readonly correctionBits: number
}

/** What is measured beside the operands, and on which rows. */
export interface MeasurePlan {
  readonly calibration: Rows
  readonly evaluation: Rows
  /** null leaves the product as it is. */
  readonly output: OutputQuantizer | null
  readonly scaleAnalysis: boolean
}

/** Bits of one BF16 element: one multiply-add per element of the branch and token. */
const BF16_BITS = 16

/** Sums still on the GPU. */
interface PendingProduct {
  readonly output: OutputErrorSums
  readonly operand: OperandErrorSums | null
  readonly tokens: number
}

/** A fitted method: all that stands between X' and Ŷ. */
export interface Quantized {
  readonly fitted: FittedTransform
  readonly product: QuantizedWeight
  readonly input: FitInput
  readonly output: OutputQuantizer | null
}

/**
 * Records X' -> clip -> round -> · Ŵᵀ (+ low-rank branch) -> round. `transformed` is X' [tokens, in]; `rounded` is what is
 * multiplied, `estimate` is Ŷ [tokens, out].
 */
export function recordEstimate(
  recorder: Recorder,
  arena: Arena,
  { fitted, input, output, product: { weight, correction } }: Quantized,
  transformed: GpuMatrix,
): { readonly rounded: GpuMatrix; readonly estimate: GpuMatrix } {
  const quantizer = input.config.activation
  const { clip } = fitted
  const rounded = quantizer ? roundActivations(recorder, arena, transformed, { quantizer, clip }) : transformed
  const main = matmulNt(recorder, arena, rounded, weight)
  const branchInput = correction?.input === 'quantized' ? rounded : transformed
  const product = correction ? addCorrection(recorder, arena, { product: main, x: branchInput }, correction) : main
  return { rounded, estimate: output ? quantizeOutput(recorder, arena, product, output) : product }
}

/** Records Ŷ and its error sums. `transformed` is X'; its error is taken before the clip. */
function recordProduct(
  recorder: Recorder,
  arena: Arena,
  quantized: Quantized,
  rows: { readonly transformed: GpuMatrix; readonly reference: GpuMatrix },
): PendingProduct {
  const { transformed, reference } = rows
  const quantizer = quantized.input.config.activation
  const { rounded, estimate } = recordEstimate(recorder, arena, quantized, transformed)
  return {
    output: outputErrorSums(recorder, arena, reference, estimate),
    operand: quantizer ? operandErrorSums(recorder, arena, transformed, rounded, quantizer) : null,
    tokens: transformed.rows,
  }
}

/**
 * Fits `method` on the calibration rows and measures it on both sets of rows. `elapsedMs` runs from the fit until the
 * last error sum has been read back; the profile and the scale analysis, which are no part of the method, come after it.
 * The profile shows X' of the evaluation rows, before clip and rounding.
 */
export async function measure(
  method: Method,
  input: FitInput,
  plan: MeasurePlan,
  context: Context & { readonly now: () => number },
): Promise<Measured> {
  const { gpu, arena, signal, now } = context
  const start = now()
  const fitted = await method.transform.fit(input, context)
  signal.throwIfAborted()
  const product = await method.mitigation.quantizeWeight(fitted, input, context)
  const { weight, correction } = product
  signal.throwIfAborted()

  const { output } = plan
  const sameRows = plan.evaluation === plan.calibration
  const calibrationInput = fitted.apply(plan.calibration.activations)
  const evaluationInput = sameRows ? calibrationInput : fitted.apply(plan.evaluation.activations)
  const recorder = new Recorder(gpu)
  const record = (transformed: GpuMatrix, { reference }: Rows) =>
    recordProduct(recorder, arena, { fitted, product, input, output }, { transformed, reference })
  const calibration = record(calibrationInput, plan.calibration)
  const evaluation = sameRows ? calibration : record(evaluationInput, plan.evaluation)
  const weightQuantizer = input.config.weight
  const weightSums = weightQuantizer ? operandErrorSums(recorder, arena, fitted.weight, weight, weightQuantizer) : null
  recorder.submit()

  const readOutput = async (sums: PendingProduct) => outputErrors(await readOutputErrors(gpu, sums.output), sums.tokens)
  const readOperand = async (sums: OperandErrorSums | null) => sums && readOperandErrors(gpu, sums)
  const [calibrationErrors, evaluationErrors, weightTotals, activationTotals] = await Promise.all([
    readOutput(calibration),
    readOutput(evaluation),
    readOperand(weightSums),
    readOperand(evaluation.operand),
  ])
  const elapsedMs = now() - start
  signal.throwIfAborted()
  const profile = await profileActivations(gpu, arena, evaluationInput)
  const { reference } = plan.evaluation
  const layer = { weight: fitted.weight, activations: evaluationInput, clip: fitted.clip, reference }
  return {
    calibration: calibrationErrors,
    evaluation: evaluationErrors,
    weight: weightTotals && operandErrors(weightTotals),
    activation: activationTotals && operandErrors(activationTotals),
    onlineOperations: fitted.report.onlineOperations + (correction?.bits ?? 0) / BF16_BITS,
    onlineBytes: fitted.report.onlineBytes + (correction?.bits ?? 0) / 8,
    correctionBits: correction?.bits ?? 0,
    elapsedMs,
    profile,
    training: fitted.report.training,
    scaleAnalysis: plan.scaleAnalysis ? await analyseScales(layer, input.config, context) : null,
    notes: [
      ...fitted.report.notes,
      ...product.notes,
      ...zeroNotes('W′', weightTotals),
      ...zeroNotes('X′', activationTotals),
    ],
  }
}
