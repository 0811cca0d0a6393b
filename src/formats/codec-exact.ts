/**
 * Decisions on exact real numbers: comparisons of products, and one rounding to f32. Float64 decides when its error
 * cannot matter, integers of any length otherwise.
 */

/** Float64 values this far apart, relatively, compare like the exact ones: four roundings of 2^-53 each fit many times. */
const SAFE_DISTANCE = 2 ** -49

/** Every number handed in is a multiple of 2^-400: f32 values, E4M3 scales times f32 values, factors of [0.5, 1]. */
const UNITS = 2 ** 400

/** What would follow the largest f32: numbers from half-way to it on round to infinity. */
const F32_OVERFLOW = 2 ** 128

function exact(value: number): bigint {
  return BigInt(value * UNITS)
}

function signOf(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0
}

/** The sign of a·b − c·d on exact real numbers; all finite and >= 0. */
export function compareProducts(a: number, b: number, c: number, d: number): number {
  const left = a * b
  const right = c * d
  if (Math.abs(left - right) > SAFE_DISTANCE * Math.max(left, right)) return left < right ? -1 : 1
  return signOf(exact(a) * exact(b) - exact(c) * exact(d))
}

/** The f32 value one step from `value` (f32, >= 0): above it, or below it when `step` is −1. */
function neighbour(value: number, step: 1 | -1): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)
  bits[0] += step
  return new Float32Array(bits.buffer)[0]
}

/**
 * The f32 nearest to a real number >= 0, half to even, of which `approximate` is a float64 neighbour (relative error
 * below 2^-50) and `sideOf(m)` the exact sign of number − m. Rounding `approximate` itself could round twice.
 */
function roundOnce(approximate: number, sideOf: (midpoint: number) => number): number {
  const nearest = Math.fround(approximate)
  if (nearest === approximate || approximate > F32_OVERFLOW) return nearest
  const other = neighbour(nearest, nearest < approximate ? 1 : -1)
  const midpoint = (Math.min(nearest, F32_OVERFLOW) + Math.min(other, F32_OVERFLOW)) / 2
  if (Math.abs(approximate - midpoint) > SAFE_DISTANCE * midpoint) return nearest
  const side = sideOf(midpoint)
  if (side === 0) return Math.fround(midpoint)
  return side < 0 ? Math.min(nearest, other) : Math.max(nearest, other)
}

/**
 * a + b rounded half to even to the 24 significant bits of f32, with no largest exponent: twice the largest f32 is as
 * good a sum as any. a and b are f32 values >= 0.
 */
export function roundedSum(a: number, b: number): number {
  // halves keep clear of overflow; at that size no bit is lost at the lower end
  const part = a + b < F32_OVERFLOW / 2 ? 1 : 2
  const sideOf = (midpoint: number) => signOf(exact(a) + exact(b) - exact(midpoint * part))
  return roundOnce((a + b) / part, sideOf) * part
}

/** n / d rounded once to f32; n >= 0 and d > 0 finite. */
export function roundedQuotient(n: number, d: number): number {
  return roundOnce(n / d, (midpoint) => compareProducts(n, 1, midpoint, d))
}

/** a · b rounded once to f32; a is an f32 value, b a factor of [0.5, 1], both finite; the sign is a's. */
export function roundedProduct(a: number, b: number): number {
  const magnitude = Math.abs(a)
  return Math.sign(a) * roundOnce(magnitude * b, (midpoint) => compareProducts(magnitude, b, midpoint, 1))
}
