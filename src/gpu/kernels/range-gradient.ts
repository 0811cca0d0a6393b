import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/range_gradient.wgsl?raw'
import type { IntegerQuantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'
import { type ClippedRows, type ClipSums, passClipSums } from './clip-gradient'
import { integerSteps } from './grid-real'

const WORKGROUP_SIZE = 64
/** Columns one invocation adds up. */
const BLOCK_COLS = 32

export const rangeGradientKernel: Kernel = {
  name: 'range_gradient',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'read', 'write', 'write'],
}

/**
 * Turns `gradient`, ∂L/∂(quantized), into ∂L/∂(values) in place, where symmetric integers took their scale from clipped
 * ranges: none for elements that saturate, and what the scale passes on goes to the end of the row's range that rules
 * it. Returns the gradient of the clip logits (low, high) row by row; the caller sums over rows.
 *
 * Shapes: gradient [rows, cols] -> [rows, 2]. `quantized` is fakeQuantizeWithin(values, `ranges`).
 * Accuracy: f32 sums over a row in a fixed order; an element within 2^-22 of where saturation begins may count as on
 * its other side.
 * Source: FlatQuant's activation quantizer; docs/methods.md, "straight-through rule".
 */
export function rangeGradient(
  recorder: Recorder,
  arena: Arena,
  gradient: GpuMatrix,
  call: ClippedRows & {
    readonly quantized: GpuMatrix
    readonly quantizer: IntegerQuantizer
    readonly ranges: GPUBuffer
  },
): GPUBuffer {
  const { values, quantized, quantizer, ranges } = call
  const { rows, stride } = gradient
  const blocks = Math.ceil(stride / BLOCK_COLS)
  const codes = 2 ** quantizer.format.element.bits
  const steps = integerSteps(quantizer)
  const sums: ClipSums = { buffer: arena.buffer(8 * rows * blocks, 'clip sums'), blocks }
  recorder.dispatch(rangeGradientKernel, {
    overrides: { BLOCK: BLOCK_COLS / 4 },
    uniforms: [rows, stride / 4, blocks, f32(-(codes + 1) / 2 / steps), f32((codes - 1) / 2 / steps)],
    buffers: [values.buffer, quantized.buffer, ranges, gradient.buffer, sums.buffer],
    workgroups: Math.ceil((rows * blocks) / WORKGROUP_SIZE),
  })
  return passClipSums(recorder, arena, gradient, call, sums)
}
