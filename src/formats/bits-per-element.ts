import type { Quantizer } from './number-format'

const E8M0_BITS = 8
const E4M3_BITS = 8
const FP32_BITS = 32
/** Integer scales are stored as f16 by the checkpoints that use them (docs/formats.md, storage). */
const INTEGER_SCALE_BITS = 16

/**
 * Storage cost of a quantized matrix in bits per element, scales included; the fp32 scale NVFP4 has once per tensor is
 * not. `inDim` is the length of a row, which integers with one scale per row need; without it their scale counts as 0.
 */
export function bitsPerElement(quantizer: Quantizer, inDim = Infinity): number {
  const { bits } = quantizer.format.element
  switch (quantizer.family) {
    case 'mx':
      return bits + (quantizer.scaleRule === 'fp32' ? FP32_BITS : E8M0_BITS) / quantizer.blockSize
    case 'nvfp':
      return bits + E4M3_BITS / quantizer.format.blockSize
    case 'integer': {
      const zeroPoint = quantizer.scheme === 'asym' ? bits : 0
      return bits + (INTEGER_SCALE_BITS + zeroPoint) / (quantizer.group === 'row' ? inDim : quantizer.group)
    }
    case 'sixteen-bit':
      return bits
    default:
      return quantizer satisfies never
  }
}
