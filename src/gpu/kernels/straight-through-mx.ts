import firstEqual from '../../../shaders/lib/first_equal.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/straight_through_mx.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { mxOverrides } from './mx-overrides'

const WORKGROUP_SIZE = 64

export const straightThroughMxKernel: Kernel = {
  name: 'straight_through_mx',
  code: source + workgroupIndex + firstEqual,
  bindings: ['read', 'read', 'read', 'read', 'write', 'write'],
}

/** The clipped, quantized operand of a forward pass, and what the backward pass needs of it. */
export interface ClippedOperand {
  /** Before clipping [rows, cols]. */
  readonly values: GpuMatrix
  /** After clipping and quantizing. */
  readonly quantized: GpuMatrix
  /** From rowExtremes(values). */
  readonly extremes: GPUBuffer
  /** Pairs (low, high) of clip shares: one per row, or one in all when `shared`. */
  readonly bounds: GPUBuffer
  /** One pair for all rows, extremes clamped at zero (activations). */
  readonly shared: boolean
}

/** What differentiates the scale: see straightThroughMx. */
export type StraightThroughRule = 'saturation' | 'scale'

/**
 * The straight-through rule that does not diverge: 'saturation' (no gradient where an element saturates) for
 * quantizers that can saturate, 'scale' (gradient through the block's scale) for those that cannot: with a pre-scale,
 * or with a scale rule that rounds the exponent up. Why: docs/methods.md, "straight-through gradient".
 */
export function straightThroughRule({ scaleRule, preScale }: Quantizer): StraightThroughRule {
  return preScale === null && (scaleRule === 'floor' || scaleRule === 'even') ? 'saturation' : 'scale'
}

/** Bits of (largest value a code can have, in units of the scale) minus bits of 2^emax. */
function limitOffset({ format, preScale }: Quantizer): number {
  const largest = format.element.maxFinite / (preScale ?? 1)
  const bitsOf = (value: number) => new Uint32Array(new Float32Array([value]).buffer)[0]
  return bitsOf(largest) - bitsOf(2 ** format.element.emax)
}

/**
 * Turns `gradient`, ∂L/∂(quantized), into ∂L/∂(values) in place, all but the share of each row's extremes, and returns
 * per row and block the gradient sums (below, above) of the elements the clip cut off; clipGradient completes both.
 *
 * Shapes: gradient [rows, cols] like operand.values; result [rows, blocks, 2].
 * Rules: 'saturation' and 'scale' as in straightThroughRule; where they saturate, elements get no gradient of their own.
 * Source: docs/methods.md, "straight-through gradient"; checked against float64 in test/gpu/flatquant-gradients.test.ts.
 */
export function straightThroughMx(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  { operand, quantizer, rule }: { operand: ClippedOperand; quantizer: Quantizer; rule: StraightThroughRule },
): GPUBuffer {
  const { rows, stride } = gradient
  const blocks = Math.ceil(stride / quantizer.format.blockSize)
  const clipSums = arena.buffer(8 * rows * blocks, 'clip sums')
  recorder.dispatch(straightThroughMxKernel, {
    overrides: {
      BLOCK: quantizer.format.blockSize,
      SHARED: Number(operand.shared),
      THROUGH_SCALE: Number(rule === 'scale'),
      BUMP_AT: mxOverrides(quantizer).BUMP_AT,
      LIMIT_OFFSET: limitOffset(quantizer),
    },
    uniforms: [rows, stride / 4, blocks],
    buffers: [
      operand.values.buffer,
      operand.quantized.buffer,
      operand.extremes,
      operand.bounds,
      gradient.buffer,
      clipSums,
    ],
    workgroups: Math.ceil((rows * blocks) / WORKGROUP_SIZE),
  })
  return clipSums
}
