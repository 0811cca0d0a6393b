import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import mxRound from '../../../shaders/lib/mx_round.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import quantizeSource from '../../../shaders/quantize_mx.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { mxOverrides } from './mx-overrides'
import { type PackedMatrix, packedStrides } from './packed-matrix'

const WORKGROUP_SIZE = 64

export const quantizeMxKernel: Kernel = {
  name: 'quantize_mx',
  code: quantizeSource + mxElement + mxRound + workgroupIndex,
  bindings: ['read', 'write', 'write'],
}

/**
 * `matrix` as codes and scale bytes of `quantizer`; `dequantize` of it is `fakeQuantize` of `matrix`, bit for bit.
 *
 * Shapes: [rows, cols] -> codes [rows, codeStride], scales [rows, scaleStride] (packed-matrix.ts). Block size: a
 * multiple of 8. Accuracy: exact. Non-finite: byte 255 and codes 0 for the whole block.
 * Source: OCP Microscaling Formats (MX) v1.0, conversion; docs/formats.md.
 */
export function quantize(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): PackedMatrix {
  const { rows, cols, stride } = matrix
  const { id, blockSize, element } = quantizer.format
  const { codeStride, scaleStride } = packedStrides(stride, quantizer)
  const codes = arena.buffer(rows * codeStride, `${id} codes`)
  const scales = arena.buffer(rows * scaleStride, `${id} scales`)
  recorder.dispatch(quantizeMxKernel, {
    overrides: { BLOCK: blockSize, NIBBLES: element.bits === 4 ? 1 : 0, ...mxOverrides(quantizer) },
    uniforms: [rows, stride, scaleStride / 4],
    buffers: [matrix.buffer, codes, scales],
    workgroups: Math.ceil((rows * scaleStride) / 4 / WORKGROUP_SIZE),
  })
  return { rows, cols, quantizer, codes, scales, codeStride, scaleStride }
}
