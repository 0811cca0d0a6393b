import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/magnitude_max.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const PER_THREAD = 64
const MAX_THREADS = 65_536

export const magnitudeMaxKernel: Kernel = {
  name: 'magnitude_max',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/**
 * max |x| over `matrix`, as one u32 word in a buffer: the bits of the f32, exact. Bits of 0x7f800000 and above mean
 * that an element is not finite.
 */
export function magnitudeMax(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const count = (matrix.rows * matrix.stride) / 4
  const threads = Math.min(MAX_THREADS, Math.ceil(count / PER_THREAD))
  const maximum = arena.buffer(4, 'magnitude_max maximum')
  recorder.clear(maximum, 0, 4)
  recorder.dispatch(magnitudeMaxKernel, {
    uniforms: [count, threads],
    buffers: [matrix.buffer, maximum],
    workgroups: Math.ceil(threads / WORKGROUP_SIZE),
  })
  return maximum
}

/** The exponent field that stands for the range of a tensor with this maximum; lib/magnitude_range.wgsl says why. */
export function rangeExponent(maxBits: number): number {
  return maxBits === 0 ? 126 : Math.min(254, Math.max(7, maxBits >>> 23))
}

/** The power of two strictly above max |x| (at least 2^-119; 1 for zeros), from the bits of the maximum. */
export function rangeOf(maxBits: number): number {
  return 2 ** (rangeExponent(maxBits) - 126)
}
