import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipRanges } from '../../gpu/kernels/clip-ranges'
import { fakeQuantizeWithin } from '../../gpu/kernels/fake-quantize'
import { rangeGradient } from '../../gpu/kernels/range-gradient'
import { rowExtremes } from '../../gpu/kernels/row-extremes'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import type { Recorder } from '../../gpu/recorder'
import type { RowIntegers } from '../rounding/round-activations'
import type { RoundedOperand } from './rounding'
import { sumPairs } from './row-clip'

/** `values` rounded to integers whose scale comes from their clipped range; `logits`: one pair for all rows. */
export function roundWithin(
  recorder: Recorder,
  arena: Arena,
  values: GpuMatrix,
  { quantizer, logits }: { readonly quantizer: RowIntegers; readonly logits: GPUBuffer },
): RoundedOperand {
  const bounds = sigmoid(recorder, arena, logits, 2)
  const ranges = clipRanges(recorder, arena, values, bounds)
  const quantized = fakeQuantizeWithin(recorder, arena, values, { quantizer, ranges })
  return {
    quantized,
    backward: (then, inner, gradient) => {
      const extremes = rowExtremes(then, inner, values)
      const call = { values, quantized, quantizer, ranges, extremes, bounds, shared: true }
      return sumPairs(then, inner, rangeGradient(then, inner, gradient, call), values.rows)
    },
  }
}
