import type { KroneckerShape } from '../../core/kronecker'
import { randomOrthogonal } from '../../core/linear-algebra'
import { createRandom, type Random } from '../../core/random'
import type { QuantConfig } from '../../formats/number-format'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { columnMaxima } from '../channel-scaling/statistics'
import type { FactorParameters, Parametrisation } from './factor'
import type { FlatQuantParameters } from './parameters'

/** Clip logits start here: s(4) = 0.982 of each row's extremes. */
const CLIP_START = 4
const SMALLEST_SCALE = 1e-5

/**
 * θ = log d with d = max(w^(1−α) / x^α, 1e-5), w and x the largest magnitudes of a channel in W and X; d = 1 for a
 * channel that is dead in either. Source: FlatQuant's start (arXiv 2410.09426, diag_alpha 0.3).
 */
export function startTheta(
  weightMax: ArrayLike<number>,
  activationMax: ArrayLike<number>,
  alpha: number,
): Float32Array {
  return Float32Array.from(weightMax, (w, channel) => {
    const x = activationMax[channel]
    return w === 0 || x === 0 ? 0 : Math.log(Math.max(w ** (1 - alpha) / x ** alpha, SMALLEST_SCALE))
  })
}

/** A random orthogonal matrix, or with the svd form two of them as parameters θ of the Cayley maps, and σ = 1. */
function startFactor(size: number, form: Parametrisation, random: Random): FactorParameters {
  if (form === 'inverse') return { form, p: randomOrthogonal(size, random) }
  const [u, v] = [randomOrthogonal(size, random), randomOrthogonal(size, random)]
  return { form, u, sigma: new Float32Array(size).fill(1), v }
}

/**
 * Where learning starts: the diagonal of startTheta, seeded rotations as factors (P1 drawn before P2), clips of 0.982
 * on the sides that are quantized.
 */
export async function startParameters(
  gpu: Gpu,
  layer: { readonly weight: GpuMatrix; readonly calibration: GpuMatrix; readonly config: QuantConfig },
  { a, b }: KroneckerShape,
  { alpha, seed, parametrisation }: { alpha: number; seed: number; parametrisation: Parametrisation },
): Promise<FlatQuantParameters> {
  const { weight, calibration, config } = layer
  const [weightMax, activationMax] = await Promise.all([columnMaxima(gpu, weight), columnMaxima(gpu, calibration)])
  const random = createRandom(seed)
  return {
    theta: startTheta(weightMax, activationMax, alpha),
    p1: startFactor(a, parametrisation, random),
    p2: startFactor(b, parametrisation, random),
    activationClip: config.activation && new Float32Array(2).fill(CLIP_START),
    weightClip: config.weight && new Float32Array(2 * weight.rows).fill(CLIP_START),
  }
}
