/** Products of a layer from packed codes. */
import { InputError } from '../../core/errors'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { Gpu } from '../device'
import { type GpuMatrix, matrixBytes } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { dequantize } from './dequantize'
import { CHUNK_COLS } from './grid'
import { matmulNt } from './matmul-nt'
import { PACKED_DOT_FEATURE, packedDot } from './packed-dot'
import { packedLoop } from './packed-loop'
import type { PackedMatrix } from './packed-matrix'

/**
 * How codes become a product. decode-once: to f32 matrices, then the f32 product; any format. decode-in-loop: MXFP4
 * weights stay codes, activations are f32. integer-dot: MXFP4 on both sides, where WGSL has PACKED_DOT_FEATURE; slower on
 * the software adapter, so it is taken unasked only where it was measured to be faster (Gpu.choices).
 */
export type PackedVariant = 'decode-once' | 'decode-in-loop' | 'integer-dot'

export type PackedOperand = GpuMatrix | PackedMatrix

/** From so many tokens on, decoding the weights once costs less than decoding them for every eight tokens. */
const DECODE_ONCE_TOKENS = 64

const isPacked = (operand: PackedOperand): operand is PackedMatrix => 'codes' in operand

/** MXFP4 as the kernels that compute on codes know it: E8M0 scales of blocks of 32, the elements those of OCP MX. */
function isPlainMxfp4(quantizer: Quantizer): boolean {
  if (quantizer.family !== 'mx' || quantizer.format.element.bits !== 4) return false
  return quantizer.blockSize === CHUNK_COLS && quantizer.scaleRule !== 'fp32' && quantizer.preScale === null
}

/** Whether `variant` can multiply these operands on this device. */
export function canMultiply(variant: PackedVariant, gpu: Gpu, x: PackedOperand, w: PackedMatrix): boolean {
  switch (variant) {
    case 'decode-once':
      return true
    case 'decode-in-loop':
      return isPlainMxfp4(w.quantizer)
    case 'integer-dot': {
      const areMxfp4 = isPacked(x) && isPlainMxfp4(x.quantizer) && isPlainMxfp4(w.quantizer)
      return areMxfp4 && gpu.languageFeatures.has(PACKED_DOT_FEATURE)
    }
    default:
      return variant satisfies never
  }
}

/**
 * From 64 tokens on integer-dot where the device chose it. Else decode-in-loop for few tokens, or where decoded weights
 * exceed the largest buffer, and decode-once.
 */
export function packedVariant(gpu: Gpu, x: PackedOperand, w: PackedMatrix): PackedVariant {
  const isMany = x.rows >= DECODE_ONCE_TOKENS
  if (isMany && gpu.choices.packed === 'integer-dot' && canMultiply('integer-dot', gpu, x, w)) return 'integer-dot'
  const hasScratch = matrixBytes(w.rows, w.cols) <= gpu.pool.limitBytes
  const prefersLoop = !isMany || !hasScratch
  return prefersLoop && canMultiply('decode-in-loop', gpu, x, w) ? 'decode-in-loop' : 'decode-once'
}

/**
 * The product x · wᵀ of the values the codes stand for: that of the rounded matrices, up to the order of the sums.
 *
 * Shapes: x [tokens, in], w [out, in] -> [tokens, out], padding columns zero. Decoded matrices live in `arena` too.
 * Accuracy: |error| ≤ (in + 2) · 2^-23 · Σ|x||w| per element against the float64 product of the decoded values.
 * Throws InputError when the inner dimensions differ or the variant cannot multiply these operands.
 * Source: docs/performance.md, "Products from packed codes".
 */
export function packedProduct(
  recorder: Recorder,
  arena: Arena,
  x: PackedOperand,
  w: PackedMatrix,
  variant: PackedVariant = packedVariant(recorder.gpu, x, w),
): GpuMatrix {
  if (x.cols !== w.cols) {
    throw new InputError('BUG', `packed product: expected equal inner dimensions, found ${x.cols} and ${w.cols}`)
  }
  if (!canMultiply(variant, recorder.gpu, x, w)) {
    const formats = [x, w].map((each) => (isPacked(each) ? each.quantizer.format.id : 'f32')).join(' x ')
    throw new InputError('BUG', `packed product: expected operands ${variant} can multiply here, found ${formats}`)
  }
  const decoded = (operand: PackedOperand) => (isPacked(operand) ? dequantize(recorder, arena, operand) : operand)
  if (variant === 'integer-dot' && isPacked(x)) return packedDot(recorder, arena, x, w)
  if (variant === 'decode-in-loop') return packedLoop(recorder, arena, decoded(x), w)
  return matmulNt(recorder, arena, decoded(x), decoded(w))
}
