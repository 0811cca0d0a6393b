import source from '../../../shaders/histogram.wgsl?raw'
import magnitudeRange from '../../../shaders/lib/magnitude_range.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

/** Few workgroups with much work each: zeroing and merging the bins is what a workgroup costs. */
const PER_THREAD = 128
const MAX_WORKGROUPS = 1024

/** Bins of equal width over [−range, range). */
export const HISTOGRAM_BINS = 512

export const histogramKernel: Kernel = {
  name: 'histogram',
  code: source + magnitudeRange + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Counts still on the GPU: [bins] u32. They include `padding` zeros, which decodeHistogram takes out again. */
export interface HistogramCounts {
  readonly counts: GPUBuffer
  readonly bins: number
  readonly padding: number
}

/**
 * Counts of the elements of `matrix` in equal bins over [−range, range), range = rangeOf(maximum).
 *
 * `maximum` is what magnitudeMax returned for the same matrix, so no read-back comes between. Exact: every element is
 * counted once, the bin edges are multiples of a power of two. Elements must be finite.
 * Throws InputError when `bins` is not a power of two from 2 to 512.
 */
export function histogram(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { maximum, bins = HISTOGRAM_BINS }: { maximum: GPUBuffer; bins?: number },
): HistogramCounts {
  if (bins < 2 || bins > HISTOGRAM_BINS || Math.log2(bins) % 1 !== 0) {
    throw new InputError('BUG', `histogram: expected a power of two from 2 to ${HISTOGRAM_BINS} bins, found ${bins}`)
  }
  const count = (matrix.rows * matrix.stride) / 4
  const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(count / (WORKGROUP_SIZE * PER_THREAD)))
  const counts = arena.buffer(4 * bins, 'histogram counts')
  recorder.clear(counts, 0, 4 * bins)
  recorder.dispatch(histogramKernel, {
    overrides: { BINS: bins },
    uniforms: [count, workgroups * WORKGROUP_SIZE],
    buffers: [matrix.buffer, maximum, counts],
    workgroups,
  })
  return { counts, bins, padding: matrix.rows * (matrix.stride - matrix.cols) }
}

/** Counts per bin as they are read back, without the padding: its zeros all lie in bin bins / 2. */
export function decodeHistogram(words: Uint32Array, { bins, padding }: HistogramCounts): Float64Array {
  const counts = Float64Array.from(words.subarray(0, bins))
  counts[bins / 2] -= padding
  return counts
}
