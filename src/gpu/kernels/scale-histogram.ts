import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/scale_histogram.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

/** Few workgroups with much work each: zeroing and merging the counts is what a workgroup costs. */
const BLOCKS_PER_THREAD = 32
const MAX_WORKGROUPS = 1024

const SCALE_BYTES = 256
const NAN_BYTE = 255
const COUNTS = SCALE_BYTES + 1
const SCALE_BIAS = 127

export const scaleHistogramKernel: Kernel = {
  name: 'scale_histogram',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** The E8M0 bytes of a matrix as `quantize` returns them: [rows, scaleStride] bytes, one per block of `blockSize`. */
export interface PowerOfTwoScales {
  readonly scales: GPUBuffer
  readonly scaleStride: number
  readonly blockSize: number
}

/** Counts still on the GPU: [257] u32, by scale byte and then blocks of zeros. */
export interface ScaleCounts {
  readonly counts: GPUBuffer
  readonly words: number
  readonly blocks: number
}

/** How often each exponent occurs. Blocks of zeros and blocks with a NaN or an infinity are in `blocks` only. */
export interface ExponentCounts {
  /** Exponent of counts[0]. */
  readonly firstExponent: number
  /** From the smallest exponent that occurs to the largest. */
  readonly counts: number[]
  readonly zeroBlocks: number
  readonly blocks: number
}

/**
 * Counts the scales of `matrix` [rows, cols], whose blocks have the bytes of `scales`. A short last block counts like
 * any other. Exact; decodeScaleCounts finishes what is read back.
 */
export function scaleHistogram(
  recorder: Recorder,
  arena: Arena,
  { rows, cols, stride, buffer }: GpuMatrix,
  { scales, scaleStride, blockSize }: PowerOfTwoScales,
): ScaleCounts {
  const blocksPerRow = Math.ceil(cols / blockSize)
  const blocks = rows * blocksPerRow
  const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(blocks / (WORKGROUP_SIZE * BLOCKS_PER_THREAD)))
  const counts = arena.buffer(4 * COUNTS, 'scale_histogram counts')
  recorder.clear(counts, 0, 4 * COUNTS)
  recorder.dispatch(scaleHistogramKernel, {
    uniforms: [blocks, workgroups * WORKGROUP_SIZE, blocksPerRow, blockSize, stride, scaleStride / 4],
    buffers: [buffer, scales, counts],
    workgroups,
  })
  return { counts, words: COUNTS, blocks }
}

/** The counts as they are read back, by exponent. Without a block that counts, `counts` is empty. */
export function decodeScaleCounts(words: Uint32Array, { blocks }: ScaleCounts): ExponentCounts {
  const zeroBlocks = words[SCALE_BYTES]
  const byByte = Array.from(words.subarray(0, NAN_BYTE), (count, byte) => (byte === 0 ? count - zeroBlocks : count))
  const first = byByte.findIndex((count) => count > 0)
  const last = byByte.findLastIndex((count) => count > 0)
  return {
    firstExponent: Math.max(first, 0) - SCALE_BIAS,
    counts: first < 0 ? [] : byByte.slice(first, last + 1),
    zeroBlocks,
    blocks,
  }
}
