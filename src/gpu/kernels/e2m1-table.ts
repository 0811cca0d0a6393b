/**
 * E2M1 at scale 1 under a pre-scale, as f32 bits: where codes begin and what they decode to when x is rounded as
 * x · factor and the result divided by factor. Exact rational arithmetic; the factor is the float64 number it is.
 */
import type { Rounding } from '../../formats/number-format'

/** A positive rational number, between 1/8 and 32. */
interface Ratio {
  readonly over: bigint
  readonly under: bigint
}

/** How a ratio between two f32 numbers becomes one: the next above it strictly or not, the next below, the nearest. */
type Toward = 'above' | 'ceiling' | 'below' | 'nearest'

const SMALLEST_EXPONENT = -3
const MANTISSA_BITS = 23
const BIAS = 127
/** A float64 of 2^-7 or more is a multiple of 2^-60. */
const FACTOR_BITS = 60

/** Quarters at which codes 1, 2, 3 and 4 begin. The others are these times two or four (shaders/lib/e2m1_table.wgsl). */
const NEAREST_BOUNDARIES = [1n, 3n, 5n, 7n]
const CODE_VALUES = [2n, 4n, 6n, 8n]
const LARGEST = 24n

/** `quarters` / 4 / factor. */
function unscaled(quarters: bigint, factor: number): Ratio {
  return { over: quarters << BigInt(FACTOR_BITS), under: 4n * BigInt(factor * 2 ** FACTOR_BITS) }
}

function f32Bits({ over, under }: Ratio, toward: Toward): number {
  const numerator = over << BigInt(-SMALLEST_EXPONENT)
  let exponent = SMALLEST_EXPONENT
  while (numerator >= under << BigInt(exponent + 1 - SMALLEST_EXPONENT)) exponent += 1
  const denominator = under << BigInt(exponent - SMALLEST_EXPONENT)
  const scaled = numerator << BigInt(MANTISSA_BITS)
  const rest = scaled % denominator
  let significand = scaled / denominator
  const tieUp = 2n * rest === denominator && significand % 2n === 1n
  if (toward === 'above' || (toward === 'ceiling' && rest > 0n)) significand += 1n
  if (toward === 'nearest' && (2n * rest > denominator || tieUp)) significand += 1n
  return Number(significand) + (exponent + BIAS - 1) * 2 ** MANTISSA_BITS
}

/** Bits of the smallest f32 that reaches code 1, 2, 3 and 4. Half to even, a tie with an even code below stays there. */
function boundaries(rounding: Rounding, factor: number): number[] {
  const quarters = rounding === 'toward-zero' ? CODE_VALUES : NEAREST_BOUNDARIES
  return quarters.map((boundary, below) =>
    f32Bits(unscaled(boundary, factor), rounding === 'half-even' && below % 2 === 0 ? 'above' : 'ceiling'),
  )
}

/** The words shaders/lib/grid_e2m1.wgsl finds in params.table, by their names there. */
export interface E2m1Words {
  readonly thresholds: readonly number[]
  /** Values of codes 2 and 3. */
  readonly values: readonly number[]
  /** Scale bytes between which every threshold and value is a normal number. */
  readonly bytes: readonly [smallest: number, largest: number]
  /** The largest magnitude that is not clipped. */
  readonly limit: number
}

/** E2M1 under `rounding` and a pre-scale of `factor` (1: none; 0.5 to 1). */
export function e2m1Words(rounding: Rounding, factor: number): E2m1Words {
  const thresholds = boundaries(rounding, factor)
  const values = [4n, 6n].map((quarters) => f32Bits(unscaled(quarters, factor), 'nearest'))
  const field = (bits: number) => Math.floor(bits / 2 ** MANTISSA_BITS)
  const smallestField = Math.min(field(thresholds[0]), field(values[0]) - 1)
  const largestField = field(values[1]) + 2
  return {
    thresholds,
    values,
    bytes: [1 + BIAS - smallestField, 2 * BIAS + BIAS - largestField],
    limit: f32Bits(unscaled(LARGEST, factor), 'below'),
  }
}
