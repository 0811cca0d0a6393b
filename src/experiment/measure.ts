import type { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { clipRows } from '../gpu/kernels/clip-rows'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { type OperandErrorSums, operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { type OutputErrorSums, outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { Recorder } from '../gpu/recorder'
import type { Context, FitInput, FittedTransform, Method } from '../methods/method'
import { operandErrors, outputErrors } from './metrics'
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
  | 'elapsedMs'
  | 'profile'
  | 'training'
  | 'scaleAnalysis'
  | 'notes'
>

/** What is measured beside the operands, and on which rows. */
export interface MeasurePlan {
  readonly calibration: Rows
  readonly evaluation: Rows
  /** null leaves the product as it is. */
  readonly output: OutputQuantizer | null
  readonly scaleAnalysis: boolean
}

/** Sums still on the GPU. */
interface PendingProduct {
  readonly output: OutputErrorSums
  readonly operand: OperandErrorSums | null
  readonly tokens: number
}

interface Quantized {
  readonly fitted: FittedTransform
  /** Ŵ [out, in] */
  readonly weight: GpuMatrix
  readonly input: FitInput
  readonly output: OutputQuantizer | null
}

/** Records X' -> clip -> round -> · Ŵᵀ -> round -> error sums. `transformed` is X'; its error is taken before the clip. */
function recordProduct(
  recorder: Recorder,
  arena: Arena,
  quantized: Quantized,
  rows: { readonly transformed: GpuMatrix; readonly reference: GpuMatrix },
): PendingProduct {
  const { fitted, weight, input, output } = quantized
  const { transformed, reference } = rows
  const quantizer = input.config.activation
  const bounds = fitted.clip?.activation ?? null
  const clipped = quantizer && bounds ? clipRows(recorder, arena, transformed, { shared: true, bounds }) : transformed
  const rounded = quantizer ? fakeQuantize(recorder, arena, clipped, quantizer) : clipped
  const product = matmulNt(recorder, arena, rounded, weight)
  const estimate = output ? quantizeOutput(recorder, arena, product, output) : product
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
  const { weight, notes } = await method.mitigation.quantizeWeight(fitted, input, context)
  signal.throwIfAborted()

  const { output } = plan
  const sameRows = plan.evaluation === plan.calibration
  const calibrationInput = fitted.apply(plan.calibration.activations)
  const evaluationInput = sameRows ? calibrationInput : fitted.apply(plan.evaluation.activations)
  const recorder = new Recorder(gpu)
  const record = (transformed: GpuMatrix, { reference }: Rows) =>
    recordProduct(recorder, arena, { fitted, weight, input, output }, { transformed, reference })
  const calibration = record(calibrationInput, plan.calibration)
  const evaluation = sameRows ? calibration : record(evaluationInput, plan.evaluation)
  const weightQuantizer = input.config.weight
  const weightSums = weightQuantizer ? operandErrorSums(recorder, arena, fitted.weight, weight, weightQuantizer) : null
  recorder.submit()

  const readOutput = async (sums: PendingProduct) => outputErrors(await readOutputErrors(gpu, sums.output), sums.tokens)
  const readOperand = async (sums: OperandErrorSums | null) => sums && operandErrors(await readOperandErrors(gpu, sums))
  const [calibrationErrors, evaluationErrors, weightErrors, activationErrors] = await Promise.all([
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
    weight: weightErrors,
    activation: activationErrors,
    onlineOperations: fitted.report.onlineOperations,
    elapsedMs,
    profile,
    training: fitted.report.training,
    scaleAnalysis: plan.scaleAnalysis ? await analyseScales(layer, input.config, context) : null,
    notes: [...fitted.report.notes, ...notes],
  }
}
