import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { blockClipGradient } from '../../gpu/kernels/block-clip-gradient'
import { blockLayout } from '../../gpu/kernels/block-layout'
import { blockPeaks } from '../../gpu/kernels/block-peaks'
import { clipBlocks } from '../../gpu/kernels/clip-blocks'
import { sigmoid } from '../../gpu/kernels/sigmoid'
import { SUM_WIDTH, stridedSums } from '../../gpu/kernels/strided-sums'
import type { Recorder } from '../../gpu/recorder'
import type { ClampedOperand, OperandClip } from './rounding'

/** `values` clamped as kind 'blocks' of OperandClip says. */
export function clampBlocks(
  recorder: Recorder,
  arena: Arena,
  values: GpuMatrix,
  { width, shared, logits }: Extract<OperandClip, { kind: 'blocks' }>,
): ClampedOperand {
  const { blocks } = blockLayout(values, width)
  const factors = sigmoid(recorder, arena, logits, shared ? blocks : values.rows * blocks)
  const per = shared ? ('column' as const) : ('block' as const)
  const bounds = { width, per, factors, peaks: blockPeaks(recorder, arena, values, width) }
  return {
    values: clipBlocks(recorder, arena, values, bounds),
    backward: (then, inner, gradient) => {
      const found = blockClipGradient(then, inner, gradient, { values, bounds })
      return shared ? sumRows(then, inner, found, { rows: values.rows, blocks }) : found
    },
  }
}

/** Column sums of [rows, blocks], in two levels so that no thread adds up more than a 64th of the rows. */
function sumRows(
  recorder: Recorder,
  arena: Arena,
  values: GPUBuffer,
  { rows, blocks }: { rows: number; blocks: number },
): GPUBuffer {
  const width = SUM_WIDTH * blocks
  const sums = stridedSums(recorder, arena, values, { total: rows * blocks, width })
  return stridedSums(recorder, arena, sums, { total: width, width: blocks })
}
