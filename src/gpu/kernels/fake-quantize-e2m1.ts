import fakeQuantizeSource from '../../../shaders/fake_quantize_e2m1.wgsl?raw'
import mxElement from '../../../shaders/lib/mx_element.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { mxOverrides } from './mx-overrides'

const WORKGROUP_SIZE = 64
const BLOCK = 32

export const fakeQuantizeE2m1Kernel: Kernel = {
  name: 'fake_quantize_e2m1',
  code: fakeQuantizeSource + mxElement + workgroupIndex,
  bindings: ['read', 'write'],
}

/** Whether fakeQuantizeE2m1 covers `quantizer`: E2M1, blocks of 32, and no pre-scale with rounding toward zero. */
export function isE2m1Fast({ format, rounding, preScale }: Quantizer): boolean {
  return format.element.bits === 4 && format.blockSize === BLOCK && (preScale === null || rounding !== 'toward-zero')
}

/** `fakeQuantizeMx` for the quantizers `isE2m1Fast` admits: the same bits, by comparisons instead of shifts. */
export function fakeQuantizeE2m1(recorder: Recorder, arena: Arena, matrix: GpuMatrix, quantizer: Quantizer): GpuMatrix {
  const { rows, cols, stride } = matrix
  const target = arena.matrix(rows, cols, `${quantizer.format.id} values`)
  recorder.dispatch(fakeQuantizeE2m1Kernel, {
    overrides: mxOverrides(quantizer),
    uniforms: [rows, cols, stride],
    buffers: [matrix.buffer, target.buffer],
    workgroups: Math.ceil((rows * stride) / BLOCK / WORKGROUP_SIZE),
  })
  return target
}
