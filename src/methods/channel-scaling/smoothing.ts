import { numberOption } from '../../core/options'
import type { Gpu } from '../../gpu/device'
import type { Context, FitInput, FittedTransform } from '../method'
import { describeDead, describeFolding, scaled, uploadScaling } from './scaling'
import { columnMaxima } from './statistics'

/** Floor of the weight maxima and of s, from mit-han-lab/smoothquant. */
const FLOOR = 1e-5

/**
 * s = max(a^α / max(w, 1e-5)^(1−α), 1e-5) per channel, a and w the largest magnitudes in X and W; 1 where a is 0: the
 * floor would make such a channel 10⁵ times too large as soon as a held-out row uses it.
 */
export function smoothingScale(
  activationMax: ArrayLike<number>,
  weightMax: ArrayLike<number>,
  alpha: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(activationMax, (a, channel) => {
    const w = Math.max(weightMax[channel], FLOOR)
    return a === 0 ? 1 : Math.max(a ** alpha / w ** (1 - alpha), FLOOR)
  })
}

/** The scale of a layer's channels with option `alpha`, and the notes to show with it. */
export async function gatherSmoothing(
  gpu: Gpu,
  { weight, calibration, options }: FitInput,
): Promise<{ readonly scale: Float32Array<ArrayBuffer>; readonly notes: readonly string[] }> {
  const [activationMax, weightMax] = await Promise.all([columnMaxima(gpu, calibration), columnMaxima(gpu, weight)])
  const alpha = numberOption(options, 'alpha')
  const scale = smoothingScale(activationMax, weightMax, alpha)
  const dead = activationMax.filter((value) => value === 0).length
  return {
    scale,
    notes: [
      `s = max|x|^${alpha} / max|w|^${Number((1 - alpha).toFixed(6))} per channel, from ${span(scale)}.`,
      ...describeDead(dead),
    ],
  }
}

function span(scale: Float32Array): string {
  const [low, high] = [scale.reduce((a, b) => Math.min(a, b)), scale.reduce((a, b) => Math.max(a, b))]
  return `${low.toPrecision(3)} to ${high.toPrecision(3)}`
}

/** Fits transforms/smoothquant.ts. */
export async function fitSmoothing(input: FitInput, { gpu, arena, signal }: Context): Promise<FittedTransform> {
  signal.throwIfAborted()
  const { scale, notes } = await gatherSmoothing(gpu, input)
  signal.throwIfAborted()
  const scaling = uploadScaling(gpu, arena, scale)
  const { weight } = input
  return {
    weight: scaled(gpu, arena, weight, scaling.scale),
    apply: (activations) => scaled(gpu, arena, activations, scaling.inverse),
    online: [scaling.online],
    clip: null,
    report: {
      notes: [...notes, describeFolding(weight.cols)],
      training: null,
      onlineOperations: weight.cols,
      onlineBytes: 2 * weight.cols,
    },
  }
}
