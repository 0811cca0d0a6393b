import dequantizeSource from '../../../shaders/dequantize.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Recorder } from '../recorder'
import { CHUNK_COLS, gridFor, gridKernels, gridOverrides, kernelFor } from './grid'
import type { PackedMatrix } from './packed-matrix'
import { literalFactor, preDivide } from './pre-scale'

const WORKGROUP_SIZE = 64

export const dequantizeKernels = gridKernels({
  name: 'dequantize',
  code: dequantizeSource,
  bindings: ['read', 'read', 'read', 'write'],
})

/**
 * The f32 values of `packed`, pre-scale undone.
 *
 * Shapes: as in packed-matrix.ts -> [rows, cols]. Accuracy: exact where the value is an f32, else rounded as
 * docs/formats.md says. A scale that stands for NaN decodes to NaN, and so do codes for NaN; codes for infinity decode
 * to infinity.
 * Source: docs/formats.md; per family the sources named in src/formats/.
 */
export function dequantize(recorder: Recorder, arena: Arena, packed: PackedMatrix): GpuMatrix {
  const { rows, cols, quantizer } = packed
  const plan = gridFor(quantizer)
  const target = arena.matrix(rows, cols, `${quantizer.format.id} decoded`)
  recorder.dispatch(kernelFor(dequantizeKernels, plan), {
    overrides: {
      ...gridOverrides(plan),
      CODE_BITS: plan.codeBits,
      SCALE_BYTES: plan.scaleBytes,
      ROW_SCALES: Number(plan.block === 'row'),
    },
    uniforms: [rows, cols, target.stride, packed.scaleStride / 4, ...plan.words],
    buffers: [packed.codes, packed.scales, packed.context, target.buffer],
    workgroups: Math.ceil((rows * target.stride) / CHUNK_COLS / WORKGROUP_SIZE),
  })
  const factor = literalFactor(quantizer)
  return factor === null ? target : preDivide(recorder, arena, target, factor)
}
