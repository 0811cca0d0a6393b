import source from '../../../shaders/finite_extremes.wgsl?raw'
import slab from '../../../shaders/lib/slab.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64
const SLAB_ROWS = 64
const SIGN = 0x80000000

/** Words of what finiteExtremes leaves. */
export const FINITE_EXTREMES_WORDS = 2

export const finiteExtremesKernel: Kernel = {
  name: 'finite_extremes',
  code: source + workgroupIndex + slab,
  bindings: ['read', 'write'],
}

/** The smallest and largest finite element of `matrix` [rows, cols], for decodeFiniteExtremes. Exact. */
export function finiteExtremes(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const slabs = Math.ceil(matrix.rows / SLAB_ROWS)
  const extremes = arena.buffer(4 * FINITE_EXTREMES_WORDS, 'finite extremes')
  recorder.clear(extremes, 0, 4 * FINITE_EXTREMES_WORDS)
  recorder.dispatch(finiteExtremesKernel, {
    overrides: { SLAB_ROWS },
    uniforms: [matrix.rows, matrix.cols, matrix.stride / 4, slabs],
    buffers: [matrix.buffer, extremes],
    workgroups: Math.ceil((slabs * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return extremes
}

/** null when no element is finite. */
export function decodeFiniteExtremes(
  words: Uint32Array,
): { readonly minimum: number; readonly maximum: number } | null {
  const [low, high] = words
  if (high === 0) return null
  return { minimum: numberOf(~low >>> 0), maximum: numberOf(high) }
}

function numberOf(key: number): number {
  const bits = key >= SIGN ? key - SIGN : ~key >>> 0
  return new Float32Array(new Uint32Array([bits]).buffer)[0]
}
