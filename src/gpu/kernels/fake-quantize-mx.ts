import fakeQuantizeSource from '../../../shaders/fake_quantize_mx.wgsl?raw'
import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import mxRound from '../../../shaders/lib/mx_round.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { mxOverrides } from './mx-overrides'

const WORKGROUP_SIZE = 64

export const fakeQuantizeMxKernel: Kernel = {
  name: 'fake_quantize_mx',
  code: fakeQuantizeSource + mxElement + mxRound + workgroupIndex,
  bindings: ['read', 'write'],
}

/**
 * `matrix` rounded to `quantizer`, as the f32 values a decoder would read back: any element, rule, rounding and
 * block size (a multiple of 4).
 *
 * Shapes: [rows, cols] -> [rows, cols]; blocks run along cols, the last of a row may be short.
 * Accuracy: bit-exact; magnitudes above the largest element saturate. Non-finite: the whole block becomes NaN.
 * Source: OCP Microscaling Formats (MX) v1.0, conversion; docs/formats.md.
 */
export function fakeQuantizeMx(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): GpuMatrix {
  const { rows, cols, stride } = matrix
  const { blockSize } = quantizer.format
  const target = arena.matrix(rows, cols, `${quantizer.format.id} values`)
  const blocksPerRow = Math.ceil(stride / blockSize)
  recorder.dispatch(fakeQuantizeMxKernel, {
    overrides: { BLOCK: blockSize, ...mxOverrides(quantizer) },
    uniforms: [rows, cols, stride, blocksPerRow],
    buffers: [matrix.buffer, target.buffer],
    workgroups: Math.ceil((rows * blocksPerRow) / WORKGROUP_SIZE),
  })
  return target
}
