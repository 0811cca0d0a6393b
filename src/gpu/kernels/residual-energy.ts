import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/residual_energy.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { SUM_WIDTH, stridedSums } from './strided-sums'

const WORKGROUP_SIZE = 64
const VEC4_PER_THREAD = 64

export const residualEnergyKernel: Kernel = {
  name: 'residual_energy',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write', 'write'],
}

/** `residual` [rows, cols], and 64 partial sums of its squares. */
export interface Residual {
  readonly residual: GpuMatrix
  readonly energySums: GPUBuffer
}

/**
 * estimate − reference and its energy. Shapes: both [rows, cols].
 * Accuracy of the sum of `energySums`: f32 in a fixed order, relative error below 1e-5 for 10^8 elements.
 */
export function residualEnergy(recorder: Recorder, arena: Arena, estimate: GpuMatrix, reference: GpuMatrix): Residual {
  const residual = arena.matrix(estimate.rows, estimate.cols, 'residual')
  const count = (estimate.rows * estimate.stride) / 4
  const threads = Math.ceil(count / VEC4_PER_THREAD)
  const partials = arena.buffer(4 * threads, 'residual energy')
  recorder.dispatch(residualEnergyKernel, {
    uniforms: [count, threads],
    buffers: [estimate.buffer, reference.buffer, residual.buffer, partials],
    workgroups: Math.ceil(threads / WORKGROUP_SIZE),
  })
  return { residual, energySums: stridedSums(recorder, arena, partials, { total: threads, width: SUM_WIDTH }) }
}
