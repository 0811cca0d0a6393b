import dequantizeSource from '../../../shaders/dequantize_mx.wgsl?raw'
import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { mxOverrides } from './mx-overrides'
import type { PackedMatrix } from './packed-matrix'

const WORKGROUP_SIZE = 64

export const dequantizeMxKernel: Kernel = {
  name: 'dequantize_mx',
  code: dequantizeSource + mxElement + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * The f32 values of `packed`, pre-scale undone.
 *
 * Shapes: as in packed-matrix.ts -> [rows, cols]. Accuracy: exact, but with a pre-scale the factor 4/3 is rounded once.
 * Scale byte 255 decodes to NaN, and so do codes for NaN; codes for infinity decode to infinity.
 * Source: OCP Microscaling Formats (MX) v1.0, element and scale encodings.
 */
export function dequantize(recorder: Recorder, arena: Arena, packed: PackedMatrix): GpuMatrix {
  const { rows, cols, quantizer } = packed
  const target = arena.matrix(rows, cols, `${quantizer.format.id} decoded`)
  const nibbles = quantizer.format.element.bits === 4
  recorder.dispatch(dequantizeMxKernel, {
    overrides: { BLOCK: quantizer.format.blockSize, NIBBLES: nibbles ? 1 : 0, ...mxOverrides(quantizer) },
    uniforms: [rows, cols, target.stride, packed.scaleStride],
    buffers: [packed.codes, packed.scales, target.buffer],
    workgroups: Math.ceil((rows * target.stride) / 8 / WORKGROUP_SIZE),
  })
  return target
}
