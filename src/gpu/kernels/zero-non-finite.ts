import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/zero_non_finite.wgsl?raw'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const zeroNonFiniteKernel: Kernel = {
  name: 'zero_non_finite',
  code: source + workgroupIndex,
  bindings: ['write'],
}

/** Writes 0 over every element of `matrix` that is not finite. */
export function zeroNonFinite(recorder: Recorder, matrix: GpuMatrix): void {
  const count = (matrix.rows * matrix.stride) / 4
  recorder.dispatch(zeroNonFiniteKernel, {
    uniforms: [count],
    buffers: [matrix.buffer],
    workgroups: Math.ceil(count / WORKGROUP_SIZE),
  })
}
