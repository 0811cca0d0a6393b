/** The scales AWQ tries, in float64 on the CPU. */

/** plain: from activations alone. duo: from weights too. activation-aware: plain, but rounded activations in the loss. */
export type AwqVariant = 'plain' | 'duo' | 'activation-aware'

export interface ScaleCandidate {
  /** The exponent r; null: no scale at all, the first candidate of duo. */
  readonly ratio: number | null
  readonly scale: Float32Array<ArrayBuffer>
}

/** Floor of s before it is centred, and what duo adds to its divisor; from the published code. */
const FLOOR = 1e-4
const DUO_OFFSET = 1e-4

/**
 * `points` scales per channel in the order they are tried, from mean magnitudes m of the activations and, for duo, mean
 * shares v of the weights: s = max(m^r, 1e-4) with r = k / points, or m^r / (v^(1−r) + 1e-4) with r = k / (points − 2)
 * after the identity. Each is divided by √(max s · min s) over the channels in use; the others (m = 0) have s = 1.
 */
export function scaleCandidates(
  variant: AwqVariant,
  points: number,
  { means, shares }: { readonly means: Float64Array; readonly shares: Float64Array },
): readonly ScaleCandidate[] {
  if (variant !== 'duo') {
    return Array.from({ length: points }, (_, k) => {
      const ratio = k / points
      return { ratio, scale: centred(means, (channel) => means[channel] ** ratio) }
    })
  }
  const tried = Array.from({ length: points - 1 }, (_, k) => {
    const ratio = k / (points - 2)
    const scale = centred(means, (j) => means[j] ** ratio / (shares[j] ** (1 - ratio) + DUO_OFFSET))
    return { ratio, scale }
  })
  return [{ ratio: null, scale: new Float32Array(means.length).fill(1) }, ...tried]
}

function centred(means: Float64Array, scaleOf: (channel: number) => number): Float32Array<ArrayBuffer> {
  const scale = Float64Array.from(means, (mean, channel) => (mean > 0 ? Math.max(scaleOf(channel), FLOOR) : 0))
  const live = scale.filter((value) => value > 0)
  const center = Math.sqrt(live.reduce((a, b) => Math.max(a, b), 0) * live.reduce((a, b) => Math.min(a, b), Infinity))
  return Float32Array.from(scale, (value) => (value > 0 ? value / center : 1))
}

/** Place of the smallest finite loss, the first of equals; 0 when none is finite. */
export function bestCandidate(losses: readonly number[]): number {
  const finite = losses.map((loss) => (Number.isFinite(loss) ? loss : Infinity))
  return finite.reduce((best, loss, k) => (loss < finite[best] ? k : best), 0)
}
