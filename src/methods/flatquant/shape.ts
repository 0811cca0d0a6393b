import { type KroneckerShape, kroneckerShape, kroneckerShapeWith } from '../../core/kronecker'
import { numberOption, type OptionValues } from '../../core/options'

/** Option `factor`: the size of P1, or 0 for the divisors closest to each other. */
export function shapeOf(channels: number, options: OptionValues): KroneckerShape {
  const size = numberOption(options, 'factor')
  return size === 0 ? kroneckerShape(channels) : kroneckerShapeWith(channels, size)
}
