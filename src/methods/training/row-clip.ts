import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipGradient } from '../../gpu/kernels/clip-gradient'
import { clipRows } from '../../gpu/kernels/clip-rows'
import { rowExtremes } from '../../gpu/kernels/row-extremes'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import { SUM_WIDTH, stridedSums } from '../../gpu/kernels/strided-sums'
import type { Recorder } from '../../gpu/recorder'
import type { ClampedOperand, OperandClip } from './rounding'

/** `values` clamped as kind 'rows' of OperandClip says. */
export function clampRows(
  recorder: Recorder,
  arena: Arena,
  values: GpuMatrix,
  { shared, logits }: Extract<OperandClip, { kind: 'rows' }>,
): ClampedOperand {
  const bounds = sigmoid(recorder, arena, logits, shared ? 2 : 2 * values.rows)
  const extremes = rowExtremes(recorder, arena, values)
  return {
    values: clipRows(recorder, arena, values, { shared, bounds, extremes }),
    backward: (then, inner, gradient) => {
      const pairs = clipGradient(then, inner, gradient, { values, extremes, bounds, shared })
      return shared ? sumPairs(then, inner, pairs, values.rows) : pairs
    },
  }
}

/** Σ over rows of [rows, 2], in two levels so that no thread adds up more than a 64th of the rows. */
export function sumPairs(recorder: Recorder, arena: Arena, pairs: GPUBuffer, rows: number): GPUBuffer {
  const sums = stridedSums(recorder, arena, pairs, { total: 2 * rows, width: SUM_WIDTH })
  return stridedSums(recorder, arena, sums, { total: SUM_WIDTH, width: 2 })
}
