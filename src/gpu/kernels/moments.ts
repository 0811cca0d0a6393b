import magnitudeRange from '../../../shaders/lib/magnitude_range.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import zeroBeyond from '../../../shaders/lib/zero_beyond.wgsl?raw'
import source from '../../../shaders/moments.wgsl?raw'
import type { CentralMoments } from '../../core/moments'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rangeExponent } from './magnitude-max'

const WORKGROUP_SIZE = 64
const SLAB_ROWS = 64

/** Numbers per thread: its shift and four power sums about it. */
const QUANTITIES = 5

export const momentsKernel: Kernel = {
  name: 'moments',
  code: source + magnitudeRange + zeroBeyond + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Per-thread power sums still on the GPU: [5, threads] f32, of a matrix with this shape. */
export interface MomentSums {
  readonly partials: GPUBuffer
  readonly words: number
  readonly rows: number
  readonly cols: number
}

/** Moments of all elements of a matrix. */
export interface Moments {
  readonly mean: number
  /** Population variance, in the squared unit of x. */
  readonly variance: number
  /** Fourth standardised moment about the mean, 3 for a Gaussian; NaN when all elements are equal. */
  readonly kurtosis: number
}

/** Words of the sums of a matrix. */
export const momentWords = ({ rows, cols }: Pick<GpuMatrix, 'rows' | 'cols'>) =>
  QUANTITIES * Math.ceil(rows / SLAB_ROWS) * Math.ceil(cols / 4)

/**
 * Power sums of `matrix` up to the fourth, each thread's about its own mean, that decodeMoments combines.
 * `maximum` is what magnitudeMax returned for the same matrix: elements are scaled into [−4, 4] by a power of two, so
 * that fourth powers neither overflow nor vanish. Elements must be finite.
 */
export function moments(recorder: Recorder, arena: Arena, matrix: GpuMatrix, maximum: GPUBuffer): MomentSums {
  const { rows, cols, stride } = matrix
  const cols4 = Math.ceil(cols / 4)
  const words = momentWords(matrix)
  const threads = words / QUANTITIES
  const partials = arena.buffer(4 * words, 'moments partials')
  recorder.dispatch(momentsKernel, {
    overrides: { SLAB_ROWS },
    uniforms: [rows, cols, stride / 4, cols4, threads],
    buffers: [matrix.buffer, maximum, partials],
    workgroups: Math.ceil(threads / WORKGROUP_SIZE),
  })
  return { partials, words, rows, cols }
}

/** What decodeCentralMoments says of a tensor, as the figures want it. */
export function decodeMoments(partials: Float32Array, sums: MomentSums, maxBits: number): Moments {
  const { count, mean, m2, m4 } = combineThreads(partials, sums)
  const unit = unitOf(maxBits)
  return { mean: mean * unit, variance: (m2 / count) * unit ** 2, kurtosis: (m4 * count) / m2 ** 2 }
}

/** Count, mean and central sums of all elements, in the unit of x. */
export function decodeCentralMoments(partials: Float32Array, sums: MomentSums, maxBits: number): CentralMoments {
  const { count, mean, m2, m3, m4 } = combineThreads(partials, sums)
  const unit = unitOf(maxBits)
  return { count, mean: mean * unit, m2: m2 * unit ** 2, m3: m3 * unit ** 3, m4: m4 * unit ** 4 }
}

/** The power of two that elements were divided by. */
function unitOf(maxBits: number): number {
  return 2 ** (Math.min(252, rangeExponent(maxBits)) - 126)
}

/** Combines the threads' sums in float64: Σ(u − mean)^q by expanding ((u − s) + (s − mean))^q. */
function combineThreads(partials: Float32Array, sums: MomentSums): CentralMoments {
  const { rows, cols, words } = sums
  const threads = words / QUANTITIES
  const cols4 = Math.ceil(cols / 4)
  const countOf = (thread: number) => {
    const slab = Math.floor(thread / cols4)
    return Math.min(SLAB_ROWS, rows - slab * SLAB_ROWS) * Math.min(4, cols - 4 * (thread % cols4))
  }
  const read = (thread: number) => Array.from({ length: QUANTITIES }, (_, q) => partials[q * threads + thread])

  const total = rows * cols
  let mean = 0
  for (let thread = 0; thread < threads; thread++) {
    const [shift, sum] = read(thread)
    mean += (countOf(thread) * shift + sum) / total
  }
  let [second, third, fourth] = [0, 0, 0]
  for (let thread = 0; thread < threads; thread++) {
    const [shift, s1, s2, s3, s4] = read(thread)
    const n = countOf(thread)
    const d = shift - mean
    second += s2 + 2 * d * s1 + n * d ** 2
    third += s3 + 3 * d * s2 + 3 * d ** 2 * s1 + n * d ** 3
    fourth += s4 + 4 * d * s3 + 6 * d ** 2 * s2 + 4 * d ** 3 * s1 + n * d ** 4
  }
  return { count: total, mean, m2: second, m3: third, m4: fourth }
}
