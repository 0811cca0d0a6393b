import { type BlockScale, decodeScale, NAN_SCALE_BYTE, scaleValue } from '../formats/codec-scale'
import { formatF32, formatPowerOfTwo } from './format-f32'

const hex = (byte: number) => `0x${byte.toString(16).toUpperCase().padStart(2, '0')}`

/** The exponent of an E8M0 byte; NaN for the byte of a NaN block. */
export function scaleExponent(byte: number): number {
  return byte === NAN_SCALE_BYTE ? Number.NaN : Math.log2(decodeScale(byte))
}

/** A scale as it is stored and what it means: "byte 0x81, 2² = 4", "byte 0x38, E4M3 1 × tensor scale 0.5 = 0.5". */
export function describeScale(scale: BlockScale): string {
  switch (scale.kind) {
    case 'e8m0':
      if (scale.byte === NAN_SCALE_BYTE) return `byte ${hex(scale.byte)}, NaN`
      return `byte ${hex(scale.byte)}, ${formatPowerOfTwo(scaleExponent(scale.byte))} = ${formatF32(scaleValue(scale))}`
    case 'e4m3': {
      const value = scaleValue(scale)
      if (Number.isNaN(value)) return `byte ${hex(scale.byte)}, NaN`
      const own = formatF32(value / scale.tensorScale)
      if (scale.tensorScale === 1) return `byte ${hex(scale.byte)}, E4M3 ${own}`
      return `byte ${hex(scale.byte)}, E4M3 ${own} × tensor scale ${formatF32(scale.tensorScale)} = ${formatF32(value)}`
    }
    case 'fp32': {
      if (Number.isNaN(scale.value)) return 'fp32 NaN'
      const zeroPoint = scale.zeroPoint === null ? '' : `, zero point ${scale.zeroPoint}`
      return `fp32 ${formatF32(scale.value)}${zeroPoint}`
    }
    case 'none':
      return 'no scale'
    default:
      return scale satisfies never
  }
}
