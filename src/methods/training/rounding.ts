/** One operand of the product as a learned method sees it: clamped, rounded, and the way back through both. */
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import type { BlockWidth } from '../../gpu/kernels/block-layout'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { straightThrough, straightThroughRule } from '../../gpu/kernels/straight-through'
import type { Recorder } from '../../gpu/recorder'
import { clipSetsRange } from '../rounding/round-activations'
import { clampBlocks } from './block-clip'
import { clampRows } from './row-clip'
import { roundWithin } from './row-range'

/** How an operand is clamped before it is rounded, activations as roundActivations does it. Logits c stand for shares s(c), s the logistic function. */
export type OperandClip =
  /** Rows to [s(low) · min(row), s(high) · max(row)]; one pair for all rows where `shared`. Logits [rows or 1, 2]. */
  | { readonly kind: 'rows'; readonly shared: boolean; readonly logits: GPUBuffer }
  /** Blocks to ± s(c) of their largest magnitude; one c for a position in all rows where `shared`. Logits [rows or 1, blocks]. */
  | { readonly kind: 'blocks'; readonly width: BlockWidth; readonly shared: boolean; readonly logits: GPUBuffer }

/** Values after a clip, and the way back through it. */
export interface ClampedOperand {
  readonly values: GpuMatrix
  /** Turns ∂/∂(clamped values) into ∂/∂(values before) in place; returns the gradient of the logits in their shape. */
  backward(recorder: Recorder, arena: Arena, gradient: GpuMatrix): GPUBuffer
}

export interface RoundedOperand {
  readonly quantized: GpuMatrix
  /**
   * Turns `gradient`, ∂/∂quantized, into ∂/∂values in place, by the straight-through rule of the quantizer. Returns the
   * gradient of the clip's logits in their shape, null without a clip.
   */
  backward(recorder: Recorder, arena: Arena, gradient: GpuMatrix): GPUBuffer | null
}

/** Clamps and rounds `values`; without a quantizer both are left out and the gradient passes as it is. */
export function roundOperand(
  recorder: Recorder,
  arena: Arena,
  values: GpuMatrix,
  { quantizer, clip }: { readonly quantizer: Quantizer | null; readonly clip: OperandClip | null },
): RoundedOperand {
  if (!quantizer) return { quantized: values, backward: () => null }
  if (clip?.kind === 'rows' && clip.shared && clipSetsRange(quantizer)) {
    return roundWithin(recorder, arena, values, { quantizer, logits: clip.logits })
  }
  const clamped = clip && clamp(recorder, arena, values, clip)
  const rounding = { values: clamped?.values ?? values, quantizer }
  const quantized = fakeQuantize(recorder, arena, rounding.values, quantizer)
  return {
    quantized,
    backward: (then, inner, gradient) => {
      straightThrough(then, gradient, { ...rounding, quantized, rule: straightThroughRule(quantizer) })
      return clamped?.backward(then, inner, gradient) ?? null
    },
  }
}

/** One case per kind of clip, each in a file of its own. */
function clamp(recorder: Recorder, arena: Arena, values: GpuMatrix, clip: OperandClip): ClampedOperand {
  switch (clip.kind) {
    case 'rows':
      return clampRows(recorder, arena, values, clip)
    case 'blocks':
      return clampBlocks(recorder, arena, values, clip)
    default:
      return clip satisfies never
  }
}
