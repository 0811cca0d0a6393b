/** Statistics of a tensor on disk, in float64 and in one pass, a slice at a time: a shard of any size needs 8 MB. */
import type { ByteSource } from '../io/byte-source'
import { type DecodableView, readTensorBytes } from '../io/tensor-bytes'
import { type DecodableDtype, DTYPE_BITS } from '../io/tensor-view'

/** Over the finite elements only; null where there are none, or where all are equal (kurtosis). */
export interface TensorStats {
  readonly minimum: number | null
  readonly maximum: number | null
  /** Fourth standardised moment about the mean: 3 for a Gaussian. */
  readonly kurtosis: number | null
  readonly nonFiniteCount: number
}

const SLICE_BYTES = 8_000_000

/** The value of a half-precision encoding (IEEE 754 binary16). */
function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (0x400 + fraction) * 2 ** (exponent - 25)
}

/** File bytes (little-endian) as numbers. */
function decode(bytes: ArrayBuffer, dtype: DecodableDtype): ArrayLike<number> {
  switch (dtype) {
    case 'F64':
      return new Float64Array(bytes)
    case 'F32':
      return new Float32Array(bytes)
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (bits) => bits << 16).buffer)
    case 'F16':
      return Float64Array.from(new Uint16Array(bytes), decodeHalf)
    default:
      return dtype satisfies never
  }
}

/** Count, mean and central sums Σ(x−mean)^p of a set of numbers. */
interface Moments {
  readonly count: number
  readonly mean: number
  readonly m2: number
  readonly m3: number
  readonly m4: number
}

function momentsOf(values: readonly number[] | Float64Array): Moments {
  const count = values.length
  let sum = 0
  for (const value of values) sum += value
  const mean = count > 0 ? sum / count : 0
  let [m2, m3, m4] = [0, 0, 0]
  for (const value of values) {
    const d = value - mean
    m2 += d * d
    m3 += d * d * d
    m4 += d * d * d * d
  }
  return { count, mean, m2, m3, m4 }
}

/** Moments of the union of two sets. Source: P. Pébay, SAND2008-6212, pairwise update formulas. */
function combine(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b
  if (b.count === 0) return a
  const count = a.count + b.count
  const d = b.mean - a.mean
  const r = d / count
  const product = a.count * b.count
  return {
    count,
    mean: a.mean + b.count * r,
    m2: a.m2 + b.m2 + product * r * d,
    m3: a.m3 + b.m3 + product * (a.count - b.count) * r * r * d + 3 * r * (a.count * b.m2 - b.count * a.m2),
    m4:
      a.m4 +
      b.m4 +
      product * (a.count ** 2 - product + b.count ** 2) * r ** 3 * d +
      6 * r * r * (a.count ** 2 * b.m2 + b.count ** 2 * a.m2) +
      4 * r * (a.count * b.m3 - b.count * a.m3),
  }
}

/** Reads all of `tensor`, `sliceBytes` (a multiple of 8) at a time, and returns its statistics. */
export async function tensorStats(
  source: ByteSource,
  tensor: DecodableView,
  sliceBytes = SLICE_BYTES,
): Promise<TensorStats> {
  const elementBytes = DTYPE_BITS[tensor.dtype] / 8
  const elements = tensor.byteLength / elementBytes
  const flat = { ...tensor, shape: [elements, 1] }
  const perSlice = sliceBytes / elementBytes
  let moments = momentsOf([])
  let [minimum, maximum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let start = 0; start < elements; start += perSlice) {
    const end = Math.min(start + perSlice, elements)
    const finite = Float64Array.from(decode(await readTensorBytes(source, flat, { start, end }), tensor.dtype)).filter(
      Number.isFinite,
    )
    for (const value of finite) {
      if (value < minimum) minimum = value
      if (value > maximum) maximum = value
    }
    moments = combine(moments, momentsOf(finite))
  }
  const { count, m2, m4 } = moments
  return {
    minimum: count > 0 ? minimum : null,
    maximum: count > 0 ? maximum : null,
    kurtosis: m2 > 0 ? (count * m4) / (m2 * m2) : null,
    nonFiniteCount: elements - count,
  }
}
