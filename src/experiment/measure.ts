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
import { profileActivations } from './profile'
import type { MethodResult } from './result'

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
  | 'notes'
>

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
}

/** Records X' -> clip -> round -> · Ŵᵀ -> error sums. `transformed` is X'; its error is taken before the clip. */
function recordProduct(
  recorder: Recorder,
  arena: Arena,
  quantized: Quantized,
  rows: { readonly transformed: GpuMatrix; readonly reference: GpuMatrix },
): PendingProduct {
  const { fitted, weight, input } = quantized
  const { transformed, reference } = rows
  const quantizer = input.config.activation
  const bounds = fitted.clip?.activation ?? null
  const clipped = quantizer && bounds ? clipRows(recorder, arena, transformed, { shared: true, bounds }) : transformed
  const rounded = quantizer ? fakeQuantize(recorder, arena, clipped, quantizer) : clipped
  const product = matmulNt(recorder, arena, rounded, weight)
  return {
    output: outputErrorSums(recorder, arena, reference, product),
    operand: quantizer ? operandErrorSums(recorder, arena, transformed, rounded, quantizer) : null,
    tokens: transformed.rows,
  }
}

/**
 * Fits `method` on the calibration rows and measures it on both sets of rows. `elapsedMs` runs from the fit until the
 * last error sum has been read back; the profile, which is not part of the method, comes after it. The profile shows X'
 * of the evaluation rows, before clip and rounding.
 */
export async function measure(
  method: Method,
  input: FitInput,
  rows: { readonly calibration: Rows; readonly evaluation: Rows },
  context: Context & { readonly now: () => number },
): Promise<Measured> {
  const { gpu, arena, signal, now } = context
  const start = now()
  const fitted = await method.transform.fit(input, context)
  signal.throwIfAborted()
  const { weight, notes } = await method.mitigation.quantizeWeight(fitted, input, context)
  signal.throwIfAborted()

  const sameRows = rows.evaluation === rows.calibration
  const calibrationInput = fitted.apply(rows.calibration.activations)
  const evaluationInput = sameRows ? calibrationInput : fitted.apply(rows.evaluation.activations)
  const recorder = new Recorder(gpu)
  const record = (transformed: GpuMatrix, { reference }: Rows) =>
    recordProduct(recorder, arena, { fitted, weight, input }, { transformed, reference })
  const calibration = record(calibrationInput, rows.calibration)
  const evaluation = sameRows ? calibration : record(evaluationInput, rows.evaluation)
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
  return {
    calibration: calibrationErrors,
    evaluation: evaluationErrors,
    weight: weightErrors,
    activation: activationErrors,
    onlineOperations: fitted.report.onlineOperations,
    elapsedMs,
    profile: await profileActivations(gpu, arena, evaluationInput),
    training: fitted.report.training,
    notes: [...fitted.report.notes, ...notes],
  }
}
