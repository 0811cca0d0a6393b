import type { Quantizer } from './number-format'

const E8M0_BITS = 8
const E4M3_BITS = 8
const FP32_BITS = 32
/** Integer scales are stored as f16 by the checkpoints that use them (docs/formats.md, storage). */
const INTEGER_SCALE_BITS = 16

/** Scales per element: a short last block has one too, where the length of a row is known. */
function scalesPerElement(shared: number | 'row', inDim: number | null): number {
  if (inDim === null) return shared === 'row' ? 0 : 1 / shared
  return shared === 'row' ? 1 / inDim : Math.ceil(inDim / shared) / inDim
}

/**
 * Storage cost of a quantized matrix in bits per element, scales included; the fp32 scale NVFP4 has once per tensor is
 * not. `inDim` is the length of a row: ceil(inDim / block) scales per row. Without it blocks count as full, and the one
 * scale of a row as 0.
 */
export function bitsPerElement(quantizer: Quantizer, inDim: number | null = null): number {
  const { bits } = quantizer.format.element
  switch (quantizer.family) {
    case 'mx': {
      const scaleBits = quantizer.scaleRule === 'fp32' ? FP32_BITS : E8M0_BITS
      return bits + scaleBits * scalesPerElement(quantizer.blockSize, inDim)
    }
    case 'nvfp':
      return bits + E4M3_BITS * scalesPerElement(quantizer.format.blockSize, inDim)
    case 'integer': {
      const zeroPoint = quantizer.scheme === 'asym' ? bits : 0
      return bits + (INTEGER_SCALE_BITS + zeroPoint) * scalesPerElement(quantizer.group, inDim)
    }
    case 'sixteen-bit':
      return bits
    default:
      return quantizer satisfies never
  }
}
