import gridSixteenBit from '../../../shaders/lib/grid_sixteen_bit.wgsl?raw'
import type { SixteenBitQuantizer } from '../../formats/number-format'
import type { GridLibrary, GridPlan } from './grid-plan'

export const SIXTEEN_BIT_LIBRARY: GridLibrary = { name: 'sixteen_bit', code: gridSixteenBit }

const BF16_EXPONENT_BITS = 8

/** 16-bit floats: every element by itself, half to even, saturating; infinities and NaN pass through. */
export function sixteenBitGrid({ format }: SixteenBitQuantizer): GridPlan {
  return {
    library: SIXTEEN_BIT_LIBRARY,
    overrides: { BF16: Number(format.element.exponentBits === BF16_EXPONENT_BITS) },
    words: [],
    block: 32,
    codeBits: 16,
    scaleBytes: 0,
    candidates: 1,
    errorKind: 'mse',
    context: null,
  }
}
