import { bf16 } from '../../formats/bf16'
import type { Quantizer } from '../../formats/number-format'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { Recorder } from '../../gpu/recorder'
import { ROWS_PER_CHANNEL } from '../gptq/notes'
import type { Context, FitInput, FittedTransform, LowRankCorrection, Mitigation, QuantizedWeight } from '../method'
import { type LowRankOptions, lowRankOptions } from './options'
import { lowRankFactors } from './subspace'
import { gatherWeighting } from './weighting'

const FACTOR_FORMAT: Quantizer = { family: 'sixteen-bit', format: bf16 }

/**
 * Power iterations. What is left after 8 is small enough for a correction. What `base` then rounds is another matter: a weight
 * that moves by a part of its step moves codes of the largest channels, and the error by ±1.4 % (layer b, rank 32, weight
 * first), ±0.2 % after 24.
 */
const ITERATIONS: Readonly<Record<LowRankOptions['order'], number>> = { 'error-first': 8, 'weight-first': 24 }

/** What a branch is computed from: the matrix [out, in] it approximates, X' of the calibration rows [tokens, in], choices. */
export interface CorrectionInput extends LowRankOptions {
  readonly matrix: GpuMatrix
  readonly calibration: GpuMatrix
}

/**
 * The branch of at most `rank` that approximates `matrix` best under the weighting, its factors rounded to BF16, in the
 * context's arena; null when the matrix is zero wherever it counts or the rank is 0.
 * Throws InputError MD-09 when a product overflows f32; AbortError when cancelled.
 */
export async function lowRankCorrection(
  { matrix, calibration, weighting, rank, order, input }: CorrectionInput,
  context: Context,
): Promise<LowRankCorrection | null> {
  const possible = Math.min(rank, matrix.rows, matrix.cols)
  if (possible === 0) return null
  const scratch = new Arena(context.gpu)
  try {
    const inScratch = { ...context, arena: scratch }
    const gathered = await gatherWeighting(weighting, calibration, inScratch)
    const factors = await lowRankFactors(
      { matrix, weighting: gathered },
      { rank: possible, iterations: ITERATIONS[order] },
      inScratch,
    )
    if (!factors) return null
    const recorder = new Recorder(context.gpu)
    const rounded = (factor: GpuMatrix) => fakeQuantize(recorder, context.arena, factor, FACTOR_FORMAT)
    const [left, right] = [rounded(factors.left), rounded(factors.right)]
    recorder.submit()
    return { left, right, input, bits: bf16.element.bits * possible * (matrix.rows + matrix.cols) }
  } finally {
    scratch.release()
  }
}

/**
 * What `base` makes of W', with a low-rank branch. error-first: `base` quantizes W' and the branch approximates W' − Ŵ.
 * weight-first: the branch approximates W', and `base` quantizes what the rounded branch leaves of it.
 * Without a weight format or with rank 0 it is `base` alone.
 */
export async function correctWeight(
  base: Mitigation,
  transformed: FittedTransform,
  { input, context }: { readonly input: FitInput; readonly context: Context },
): Promise<QuantizedWeight> {
  const options = lowRankOptions(input.options)
  if (!input.config.weight || options.rank === 0) {
    return base.quantizeWeight(transformed, input, context)
  }
  const { gpu } = context
  const scratch = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const { weight } = transformed
    const calibration = transformed.apply(input.calibration)
    const branch = (matrix: GpuMatrix) => lowRankCorrection({ ...options, matrix, calibration }, context)
    if (options.order === 'error-first') {
      const quantized = await base.quantizeWeight(transformed, input, context)
      const error = addScaled(recorder, scratch, weight, quantized.weight, -1)
      recorder.submit()
      return described(quantized, await branch(error), { options, calibration })
    }
    const correction = await branch(weight)
    if (!correction) return await base.quantizeWeight(transformed, input, context)
    // The rounded weight is packed from it later, so it stays.
    const rest = addScaled(
      recorder,
      context.arena,
      weight,
      matmulNn(recorder, scratch, correction.right, correction.left),
      -1,
    )
    recorder.submit()
    // Bounds found for the blocks of the whole weight say nothing about what is left of it.
    const clip = transformed.clip && { ...transformed.clip, weightBlocks: null }
    const quantized = await base.quantizeWeight({ ...transformed, weight: rest, clip }, input, context)
    return described(quantized, correction, { options, calibration })
  } finally {
    scratch.release()
  }
}

/** The result with what a user should know about the branch. */
function described(
  { weight, pack, notes }: QuantizedWeight,
  correction: LowRankCorrection | null,
  { options, calibration }: { readonly options: LowRankOptions; readonly calibration: GpuMatrix },
): QuantizedWeight {
  const { rows: outDim, cols: inDim } = weight
  if (!correction)
    return { weight, pack, notes: [...notes, 'Low-rank branch: there is no error to correct.'], correction }
  const rank = correction.left.rows
  const own = [
    `Low-rank branch: rank ${rank}${rank < options.rank ? ` (all there is; ${options.rank} asked for)` : ''} in BF16, ` +
      `${(correction.bits / (outDim * inDim)).toFixed(2)} bits per weight and ${rank * (outDim + inDim)} multiply-adds per token more.`,
  ]
  const { rows: tokens } = calibration
  if (options.weighting === 'qera-exact' && tokens < ROWS_PER_CHANNEL * inDim) {
    own.push(
      `Low-rank branch: ${tokens} calibration tokens for ${inDim} channels; it may fit these rows better than others; look at held-out errors.`,
    )
  }
  return { weight, pack, notes: [...notes, ...own], correction }
}

/**
 * `product` + (x A) B. Shapes: product [tokens, out], x [tokens, in] -> [tokens, out]. `x` is X' or X̂, as `correction.input`
 * says. f32 sums in a fixed order.
 */
export function addCorrection(
  recorder: Recorder,
  arena: Arena,
  { product, x }: { readonly product: GpuMatrix; readonly x: GpuMatrix },
  { left, right }: LowRankCorrection,
): GpuMatrix {
  const branch = matmulNt(recorder, arena, matmulNt(recorder, arena, x, left), right)
  return addScaled(recorder, arena, product, branch, 1)
}
