/** What power-of-two scales cost one fitted layer. Definitions: docs/metrics.md, "Error owed to scales". */
import {
  BLOCK_SIZES,
  type MxQuantizer,
  PRE_SCALE_MAX,
  PRE_SCALE_MIN,
  type PreScale,
  type Quantizer,
} from '../formats/number-format'
import { takesPreScale } from '../formats/quantizer'
import { Arena } from '../gpu/arena'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { matmulNt } from '../gpu/kernels/matmul-nt'
import { outputErrorSums, readOutputErrors } from '../gpu/kernels/output-error-sums'
import { quantize } from '../gpu/kernels/quantize'
import { decodeScaleCounts, scaleHistogram } from '../gpu/kernels/scale-histogram'
import { Recorder } from '../gpu/recorder'
import { readWords } from '../gpu/transfer'
import type { Clip, Context } from '../methods/method'
import { clipActivations } from '../methods/rounding/clip-activations'
import { clipWeight } from '../methods/rounding/clip-weight'
import { roundActivations } from '../methods/rounding/round-activations'
import { outputErrors } from './metrics'
import type { ScaleAnalysis, ScaleHistogram, ScaleSweep } from './result'

/** What both operands of a product are rounded with; null leaves one as it is. */
export interface OperandQuantizers {
  readonly weight: Quantizer | null
  readonly activation: Quantizer | null
}

/** A fitted layer on the rows that errors are reported on. */
export interface AnalysedLayer {
  /** W' [out, in] and X' [tokens, in], before clip and rounding. */
  readonly weight: GpuMatrix
  readonly activations: GpuMatrix
  readonly clip: Clip | null
  /** Y = X Wᵀ [tokens, out] */
  readonly reference: GpuMatrix
}

const FACTOR_STEPS_PER_UNIT = 20

/** Factors of the pre-scale sweep, 0.50 … 1.00 in steps of 0.05; 1 is without. A factor in use between them is added. */
export const SWEPT_FACTORS: readonly number[] = Array.from(
  { length: (PRE_SCALE_MAX - PRE_SCALE_MIN) * FACTOR_STEPS_PER_UNIT + 1 },
  (_, step) => PRE_SCALE_MIN + step / FACTOR_STEPS_PER_UNIT,
).map((factor) => Math.round(factor * 100) / 100)

const isMx = (quantizer: Quantizer | null): quantizer is MxQuantizer => quantizer?.family === 'mx'
const hasPowerOfTwoScale = (quantizer: Quantizer | null): quantizer is MxQuantizer =>
  isMx(quantizer) && quantizer.scaleRule !== 'fp32'

/** `change` applied to the operands that `admits` lets through; null when that is none. */
function vary(
  { weight, activation }: OperandQuantizers,
  admits: (quantizer: Quantizer | null) => quantizer is MxQuantizer,
  change: (quantizer: MxQuantizer) => MxQuantizer,
): OperandQuantizers | null {
  if (!admits(weight) && !admits(activation)) return null
  return {
    weight: admits(weight) ? change(weight) : weight,
    activation: admits(activation) ? change(activation) : activation,
  }
}

const withoutPreScale = (quantizer: MxQuantizer): MxQuantizer => ({ ...quantizer, preScale: null })
const withFp32Scale = (quantizer: MxQuantizer): MxQuantizer => ({ ...quantizer, scaleRule: 'fp32', preScale: null })

function isPreScalable(quantizer: Quantizer | null): quantizer is MxQuantizer {
  return isMx(quantizer) && takesPreScale(quantizer.format, quantizer.scaleRule)
}

/** The products of an analysis, as quantizers of their operands. null: does not apply to this setting. */
export interface ScalePlan {
  readonly split: Readonly<
    Record<'powerOfTwo' | 'weightFp32' | 'activationFp32' | 'bothFp32', OperandQuantizers>
  > | null
  readonly preScale: PlannedSweep<{ readonly variant: PreScale['variant'] }> | null
  readonly blockSize: PlannedSweep | null
}

/** A product for each value. */
type PlannedSweep<More = unknown> = More & {
  readonly values: readonly number[]
  readonly points: readonly OperandQuantizers[]
}

function sweepOf(values: readonly number[], pointAt: (value: number) => OperandQuantizers | null): PlannedSweep | null {
  const points = values.map(pointAt).filter((point) => point !== null)
  return points.length > 0 ? { values, points } : null
}

function planPreScale(quantizers: OperandQuantizers): ScalePlan['preScale'] {
  const preScaled = [quantizers.weight, quantizers.activation].filter(isPreScalable)
  const inUse = preScaled[0]?.preScale ?? null
  const variant = inUse?.variant ?? 'exact'
  const factors = [...new Set([...SWEPT_FACTORS, inUse?.factor ?? PRE_SCALE_MAX])].sort((a, b) => a - b)
  const sweep = sweepOf(factors, (factor) =>
    vary(quantizers, isPreScalable, (quantizer) => ({
      ...quantizer,
      preScale: factor === 1 ? null : { factor, variant },
    })),
  )
  return sweep && { ...sweep, variant }
}

/** Which products the analysis of a setting takes. */
export function planScales(quantizers: OperandQuantizers): ScalePlan {
  const plain = vary(quantizers, isMx, withoutPreScale) ?? quantizers
  const both = vary(plain, hasPowerOfTwoScale, withFp32Scale)
  return {
    split: both && {
      powerOfTwo: plain,
      weightFp32: { weight: both.weight, activation: plain.activation },
      activationFp32: { weight: plain.weight, activation: both.activation },
      bothFp32: both,
    },
    preScale: planPreScale(quantizers),
    blockSize: sweepOf(BLOCK_SIZES, (size) =>
      vary(quantizers, isMx, (quantizer) => ({ ...quantizer, blockSize: size })),
    ),
  }
}

/** Equal quantizers have equal keys: the same product is computed once. */
const keyOf = (quantizers: OperandQuantizers) => JSON.stringify([quantizers.weight, quantizers.activation])

/** The relative output error with X' clipped and rounded, the clipped weight rounded; temporaries are given back. */
async function productError(
  { weight, activations, clip, reference }: AnalysedLayer,
  quantizers: OperandQuantizers,
  { gpu }: Context,
): Promise<number> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const { activation: quantizer } = quantizers
    const x = quantizer ? roundActivations(recorder, arena, activations, { quantizer, clip }) : activations
    const w = quantizers.weight ? fakeQuantize(recorder, arena, weight, quantizers.weight) : weight
    const sums = outputErrorSums(recorder, arena, reference, matmulNt(recorder, arena, x, w))
    recorder.submit()
    return outputErrors(await readOutputErrors(gpu, sums), activations.rows).outputRelativeError
  } finally {
    arena.release()
  }
}

/** The shared exponents of `matrix`, whose scales are powers of two. */
async function exponentsOf(matrix: GpuMatrix, quantizer: MxQuantizer, { gpu }: Context): Promise<ScaleHistogram> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const { scales, scaleStride } = quantize(recorder, arena, matrix, quantizer)
    const { blockSize } = quantizer
    const counts = scaleHistogram(recorder, arena, matrix, { scales, scaleStride, blockSize })
    recorder.submit()
    return decodeScaleCounts(await readWords(gpu, counts.counts, counts.words), counts)
  } finally {
    arena.release()
  }
}

/** The operands after the method's clip, where it clips a side that is quantized. */
function clipOperands(
  { weight, activations, clip }: AnalysedLayer,
  quantizers: OperandQuantizers,
  { gpu, arena }: Context,
): { readonly weight: GpuMatrix; readonly activations: GpuMatrix } {
  const recorder = new Recorder(gpu)
  const clipped = {
    weight: quantizers.weight ? clipWeight(recorder, arena, weight, clip) : weight,
    activations: quantizers.activation ? clipActivations(recorder, arena, activations, clip) : activations,
  }
  recorder.submit()
  return clipped
}

/**
 * Takes the error of `layer` apart: exponents of both operands, the error with fp32 scales in place of power-of-two
 * ones (without pre-scale on either side), and the error over pre-scale and block size. Operands are rounded to nearest after the transform and its clip,
 * whatever mitigation the method has; the output is not quantized. One submit per product, each product once;
 * a product's temporaries are given back before the next. Throws AbortError when cancelled.
 */
export async function analyseScales(
  layer: AnalysedLayer,
  quantizers: OperandQuantizers,
  context: Context,
): Promise<ScaleAnalysis> {
  const { signal, onProgress } = context
  const plan = planScales(quantizers)
  const products = [
    ...Object.values(plan.split ?? {}),
    ...(plan.preScale?.points ?? []),
    ...(plan.blockSize?.points ?? []),
  ]
  const distinct = new Map(products.map((point) => [keyOf(point), point]))
  const clipped = clipOperands(layer, quantizers, context)
  const exponents = async (matrix: GpuMatrix, quantizer: Quantizer | null) =>
    hasPowerOfTwoScale(quantizer) ? exponentsOf(matrix, quantizer, context) : null
  const weightScales = await exponents(clipped.weight, quantizers.weight)
  const activationScales = await exponents(clipped.activations, quantizers.activation)
  const errors = new Map<string, number>()
  for (const [key, point] of distinct) {
    signal.throwIfAborted()
    errors.set(key, await productError({ ...layer, weight: clipped.weight }, point, context))
    onProgress({ stage: 'scale analysis', done: errors.size, total: distinct.size })
  }
  signal.throwIfAborted()
  const errorAt = (point: OperandQuantizers) => errors.get(keyOf(point)) ?? Number.NaN
  const sweep = ({ values, points }: PlannedSweep): ScaleSweep => ({
    values,
    outputSqnrDb: points.map((point) => -20 * Math.log10(errorAt(point))),
  })
  return {
    weightScales,
    activationScales,
    split: plan.split && splitOf(plan.split, errorAt),
    preScaleSweep: plan.preScale && { ...sweep(plan.preScale), variant: plan.preScale.variant },
    blockSizeSweep: plan.blockSize && sweep(plan.blockSize),
  }
}

function splitOf(
  points: NonNullable<ScalePlan['split']>,
  errorAt: (point: OperandQuantizers) => number,
): NonNullable<ScaleAnalysis['split']> {
  const powerOfTwo = errorAt(points.powerOfTwo)
  const bothFp32 = errorAt(points.bothFp32)
  return {
    powerOfTwo,
    weightFp32: errorAt(points.weightFp32),
    activationFp32: errorAt(points.activationFp32),
    bothFp32,
    scaleShare: 1 - (bothFp32 / powerOfTwo) ** 2,
  }
}
