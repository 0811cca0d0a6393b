/**
 * How much an error in each input channel counts. With a weighting S of the input the branch minimises ‖S (E − B A)ᵀ‖; only
 * SᵀS enters (subspace.ts), so neither a root nor an inverse of it is needed and a singular one is no special case.
 */
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { absoluteSums, decodeAbsoluteSums } from '../../gpu/kernels/absolute-sums'
import { channelStats, decodeChannelStats } from '../../gpu/kernels/channel-stats'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import { sharedHessian } from '../gptq/hessian'
import type { Context } from '../method'

/** plain: S = I. lqer: mean |x| per channel. qera-approx: root mean square. qera-exact: SᵀS = X'ᵀX'. */
export type WeightingKind = 'plain' | 'lqer' | 'qera-approx' | 'qera-exact'

/** SᵀS up to a common factor, which changes nothing. */
export type Weighting =
  | { readonly kind: 'identity' }
  /** Per channel [in], f32. */
  | { readonly kind: 'diagonal'; readonly squares: GPUBuffer }
  /** [in, in], symmetric. */
  | { readonly kind: 'gram'; readonly gram: GpuMatrix }

/** Smallest mean |x| a channel counts with. Source: ChengZhang-98/lqer. */
const LQER_FLOOR = 1e-4

export const LOW_RANK_STAGE = 'low-rank branch'

/**
 * The weighting `kind` of calibration rows X' [tokens, in]; what it holds is in the context's arena. Sums of rows in f32 over
 * slabs, slabs in float64. Throws the AbortError of the context's signal between slabs of tokens.
 */
export async function gatherWeighting(
  kind: WeightingKind,
  calibration: GpuMatrix,
  context: Context,
): Promise<Weighting> {
  context.signal.throwIfAborted()
  switch (kind) {
    case 'plain':
      return { kind: 'identity' }
    case 'lqer':
    case 'qera-approx': {
      const scale = await (kind === 'lqer' ? meanMagnitudes : rootMeanSquares)(calibration, context)
      return { kind: 'diagonal', squares: uploadWords(context.gpu, context.arena, squaresOf(scale), 'weighting') }
    }
    case 'qera-exact': {
      const onProgress: Context['onProgress'] = (progress) =>
        context.onProgress({ ...progress, stage: `${LOW_RANK_STAGE}: statistics` })
      return { kind: 'gram', gram: (await sharedHessian(() => calibration, { ...context, onProgress })).gram }
    }
    default:
      return kind satisfies never
  }
}

async function meanMagnitudes(calibration: GpuMatrix, { gpu, arena }: Context): Promise<ArrayLike<number>> {
  const recorder = new Recorder(gpu)
  const sums = absoluteSums(recorder, arena, calibration)
  recorder.submit()
  const means = decodeAbsoluteSums(await readFloats(gpu, sums.buffer, sums.rows * sums.stride), calibration)
  return means.map((mean) => Math.max(mean, LQER_FLOOR))
}

async function rootMeanSquares(calibration: GpuMatrix, { gpu, arena }: Context): Promise<ArrayLike<number>> {
  const recorder = new Recorder(gpu)
  const { maxima, squares } = channelStats(recorder, arena, calibration)
  recorder.submit()
  const words = maxima.rows * maxima.stride
  const [max, energy] = await Promise.all([
    readFloats(gpu, maxima.buffer, words),
    readFloats(gpu, squares.buffer, words),
  ])
  return decodeChannelStats(max, energy, calibration).rms
}

/** s² in units of its largest element, so that f32 holds it. */
function squaresOf(scale: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const largest = Array.from(scale).reduce((most, value) => Math.max(most, value), 0)
  return Float32Array.from(scale, (value) => (largest === 0 ? 0 : (value / largest) ** 2))
}
