import type { Quantizer } from '../formats/number-format'
import type { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { type OperandErrorTotals, operandErrorSums, readOperandErrors } from '../gpu/kernels/operand-error-sums'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { Recorder } from '../gpu/recorder'
import { addCorrection } from '../methods/low-rank/correct-weight'
import type { FitInput, Method, QuantizedWeight, SharedWork } from '../methods/method'
import { operandErrors, outputErrors, zeroNotes } from './metrics'
import { type OutputQuantizer, quantizeOutput } from './output-heads'
import { profileActivations } from './profile'
import type { ActivationProfile, MethodResult } from './result'
import { analyseScales } from './scale-analysis'
import {
  type RowSet,
  type Rows,
  type SharingContext,
  sharedFit,
  sharedRounded,
  sharedWeight,
  weightName,
} from './shared-fit'

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

/** What stands between X̂ and Ŷ. */
export interface Quantized {
  readonly product: QuantizedWeight
  readonly output: OutputQuantizer | null
}

/**
 * Records X̂ · Ŵᵀ (+ low-rank branch) -> round: Ŷ [tokens, out]. `transformed` is X' [tokens, in], `rounded` is X', clipped
 * and rounded.
 */
export function recordEstimate(
  recorder: Recorder,
  arena: Arena,
  { output, product: { weight, correction } }: Quantized,
  { transformed, rounded }: { readonly transformed: GpuMatrix; readonly rounded: GpuMatrix },
): GpuMatrix {
  const main = matmulNt(recorder, arena, rounded, weight)
  const branchInput = correction?.input === 'quantized' ? rounded : transformed
  const product = correction ? addCorrection(recorder, arena, { product: main, x: branchInput }, correction) : main
  return output ? quantizeOutput(recorder, arena, product, output) : product
}

/** What rounding did to an operand, once for all methods that round it so. */
function sharedErrors(
  shared: SharedWork,
  name: string,
  { exact, rounded, quantizer }: { exact: GpuMatrix; rounded: GpuMatrix; quantizer: Quantizer | null },
  { gpu, arena }: SharingContext,
): Promise<OperandErrorTotals | null> {
  if (!quantizer) return Promise.resolve(null)
  return shared.get(`errors ${name}`, async () => {
    const recorder = new Recorder(gpu)
    const sums = operandErrorSums(recorder, arena, exact, rounded, quantizer)
    recorder.submit()
    return readOperandErrors(gpu, sums)
  })
}

/** The profile of X' of the evaluation rows, as a copy: whoever is told of it may take its arrays away. */
export async function sharedProfile(
  shared: SharedWork,
  transformed: GpuMatrix,
  { gpu, arena }: Pick<SharingContext, 'gpu' | 'arena'>,
): Promise<ActivationProfile> {
  return structuredClone(await shared.get('profile', () => profileActivations(gpu, arena, transformed)))
}

/**
 * Fits `method` on the calibration rows and measures it on both sets of rows. Work that was done for other methods on the
 * layer is not done again. `elapsedMs` runs from the fit until the last error sum has been read back, and counts work that
 * was found with the time it took when it was done; the profile and the scale analysis, which are no part of the method,
 * come after it. The profile shows X' of the evaluation rows, before clip and rounding.
 */
export async function measure(
  method: Method,
  input: FitInput,
  plan: MeasurePlan,
  context: SharingContext & { readonly now: () => number },
): Promise<Measured> {
  const { gpu, arena, signal, now, session } = context
  const start = now()
  const fit = await sharedFit(method, input, context)
  const { fitted, shared } = fit
  signal.throwIfAborted()
  const product = await sharedWeight(method, fit, { input, context })
  const { weight, correction } = product
  signal.throwIfAborted()

  const { output } = plan
  const sameRows = plan.evaluation === plan.calibration
  const quantizers = input.config
  const errorsOf = async (set: RowSet) => {
    const { activations: rows, reference } = plan[set]
    const rounded = await sharedRounded(fit, { set, rows, quantizer: quantizers.activation }, context)
    const recorder = new Recorder(gpu)
    const operands = { transformed: fitted.apply(rows), rounded }
    const estimate = recordEstimate(recorder, arena, { product, output }, operands)
    const sums = outputErrorSums(recorder, arena, reference, estimate)
    recorder.submit()
    return { ...operands, errors: readOutputErrors(gpu, sums).then((totals) => outputErrors(totals, rows.rows)) }
  }
  const calibration = await errorsOf('calibration')
  const evaluation = sameRows ? calibration : await errorsOf('evaluation')
  const weightOperand = { exact: fitted.weight, rounded: weight, quantizer: quantizers.weight }
  const activationOperand = {
    exact: evaluation.transformed,
    rounded: evaluation.rounded,
    quantizer: quantizers.activation,
  }
  const [calibrationErrors, evaluationErrors, weightTotals, activationTotals] = await Promise.all([
    calibration.errors,
    evaluation.errors,
    sharedErrors(shared, weightName(method.mitigation, input, context.seed), weightOperand, context),
    sharedErrors(shared, JSON.stringify(quantizers.activation), activationOperand, context),
  ])
  const elapsedMs = now() - start + session.foundMs
  signal.throwIfAborted()
  const { reference } = plan.evaluation
  const layer = { weight: fitted.weight, activations: evaluation.transformed, clip: fitted.clip, reference }
  const profile = await sharedProfile(shared, evaluation.transformed, context)
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
    scaleAnalysis: plan.scaleAnalysis
      ? await shared.get(`scales ${JSON.stringify(quantizers)}`, () => analyseScales(layer, quantizers, context))
      : null,
    notes: [
      ...fitted.report.notes,
      ...product.notes,
      ...zeroNotes('W′', weightTotals),
      ...zeroNotes('X′', activationTotals),
    ],
  }
}
