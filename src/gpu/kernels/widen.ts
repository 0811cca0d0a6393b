import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import widenSource from '../../../shaders/widen.wgsl?raw'
import type { NonFiniteCounts } from '../../io/non-finite'
import type { Arena } from '../arena'
import type { Gpu } from '../device'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { readWords } from '../transfer'

const WORKGROUP_SIZE = 64
const NON_FINITE_WORDS = 4
const DTYPES = ['F32', 'F16', 'BF16'] as const

/** What widen reads. Other dtypes are converted before they reach the GPU. */
export type WidenableDtype = (typeof DTYPES)[number]

export const widenKernel: Kernel = {
  name: 'widen',
  code: widenSource + workgroupIndex,
  bindings: ['read', 'write', 'write'],
}

/** How a tensor lies in its raw bytes: row-major [rows, cols], no padding. */
export interface RawLayout {
  readonly dtype: WidenableDtype
  readonly rows: number
  readonly cols: number
}

const overridesOf = (dtype: WidenableDtype) => ({ DTYPE: DTYPES.indexOf(dtype) })

/** Compiles what `widen` uses, ahead of it. Rejects with GpuError GP-05. */
export function warmWiden({ pipelines }: Gpu, dtype: WidenableDtype): Promise<void> {
  return pipelines.warm(widenKernel, overridesOf(dtype))
}

/**
 * A tensor's bytes as they are in the file, widened to f32, and a count of what is not finite (readNonFinite).
 *
 * Shapes: raw holds rows · cols little-endian elements and may end on a half word -> matrix [rows, cols].
 * Accuracy: exact, subnormals, infinities and NaN payloads included.
 */
export function widen(
  recorder: Recorder,
  arena: Arena,
  raw: GPUBuffer,
  { dtype, rows, cols }: RawLayout,
): { matrix: GpuMatrix; nonFinite: GPUBuffer } {
  const matrix = arena.matrix(rows, cols, `widened ${dtype}`)
  const nonFinite = arena.buffer(4 * NON_FINITE_WORDS, 'non-finite counts')
  recorder.clear(nonFinite)
  recorder.dispatch(widenKernel, {
    overrides: overridesOf(dtype),
    uniforms: [rows, cols, matrix.stride],
    buffers: [raw, matrix.buffer, nonFinite],
    workgroups: Math.ceil((rows * matrix.stride) / 4 / WORKGROUP_SIZE),
  })
  return { matrix, nonFinite }
}

/** Reads the counts that `widen` left, once their submit is on its way. */
export async function readNonFinite(gpu: Gpu, buffer: GPUBuffer): Promise<NonFiniteCounts> {
  const [nan, positiveInfinity, negativeInfinity, complement] = await readWords(gpu, buffer, NON_FINITE_WORDS)
  const anywhere = nan + positiveInfinity + negativeInfinity > 0
  return { nan, positiveInfinity, negativeInfinity, firstIndex: anywhere ? ~complement >>> 0 : null }
}
