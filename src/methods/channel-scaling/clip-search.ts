import type { Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { addScaled } from '../../gpu/kernels/add-scaled'
import { blockCross, blockProduct } from '../../gpu/kernels/block-diagonal'
import { blockInner } from '../../gpu/kernels/block-inner'
import { type BlockWidth, blockLayout } from '../../gpu/kernels/block-layout'
import { blockPeaks } from '../../gpu/kernels/block-peaks'
import { type BlockBounds, clipBlocks } from '../../gpu/kernels/clip-blocks'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { keepSmaller } from '../../gpu/kernels/keep-smaller'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { pacedSubmit } from '../pace'
import { withScratch } from './scaling'

const STAGE = 'AWQ clip search'

/** Bounds tried: 1 − i / 20 of the block's largest magnitude for i = 0 … 9, as in the published code. */
export const CLIP_FACTORS: readonly number[] = Array.from({ length: 10 }, (_, i) => 1 - i / 20)

/** The search looks at every floor(tokens / 512)-th token: 512 to 1023 of them, or all if there are fewer. */
export const SAMPLE_TOKENS = 512

export interface ClipSearch {
  /** For `clipBlocks` of the weight that was searched; factors in the context's arena. */
  readonly bounds: BlockBounds
  /** Blocks of the weight, and those that are clipped. */
  readonly blocks: number
  readonly clippedBlocks: number
}

/** Every `step`-th row of `matrix` from the first, step = max(1, floor(rows / 512)). */
export function sampleRows(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GpuMatrix {
  const step = Math.max(1, Math.floor(matrix.rows / SAMPLE_TOKENS))
  if (step === 1) return matrix
  const sample = arena.matrix(Math.ceil(matrix.rows / step), matrix.cols, 'sampled rows')
  const rowBytes = 4 * matrix.stride
  for (let row = 0; row < sample.rows; row++) {
    recorder.copy(matrix.buffer, sample.buffer, rowBytes, { from: row * step * rowBytes, to: row * rowBytes })
  }
  return sample
}

/**
 * For every block of `weight` the bound under which its part of the output changes least when it is rounded. `width` is
 * the block that shares a scale; `rows` are sampled activations in the same basis. Strictly smaller errors win, so a
 * block that gains nothing stays unclipped. A tensor-wide scale follows the clip that is tried, as if all blocks had it.
 *
 * Shapes: weight [out, in], rows [tokens, in]. The squared error of a block is d G dᵀ with G its part of the Gram matrix,
 * or for blocks of a whole row that of the outputs. Throws the AbortError of the context's signal between bounds.
 */
export async function searchClip(
  weight: GpuMatrix,
  rows: GpuMatrix,
  { width, quantizer }: { readonly width: BlockWidth; readonly quantizer: Quantizer },
  { gpu, arena, signal, onProgress }: Context,
): Promise<ClipSearch> {
  const count = weight.rows * blockLayout(weight, width).blocks
  const factors = arena.buffer(4 * count, 'clip factors')
  return withScratch(gpu, async (scratch) => {
    const recorder = new Recorder(gpu)
    const submit = pacedSubmit(recorder, signal)
    const errorsOf = blockErrors(recorder, scratch, rows, width)
    const peaks = blockPeaks(recorder, scratch, weight, width)
    const smallest = { best: scratch.buffer(4 * count, 'clip errors'), choice: factors, count }
    for (const [i, factor] of CLIP_FACTORS.entries()) {
      await withScratch(gpu, async (spent) => {
        const shared = uploadWords(gpu, spent, new Float32Array([factor]), 'clip factor')
        const clipped = clipBlocks(recorder, spent, weight, { width, per: 'matrix', factors: shared, peaks })
        const difference = addScaled(recorder, spent, fakeQuantize(recorder, spent, clipped, quantizer), weight, -1)
        keepSmaller(recorder, smallest, { values: errorsOf(spent, difference), candidate: factor, isFirst: i === 0 })
        await submit()
      })
      onProgress({ stage: STAGE, done: i + 1, total: CLIP_FACTORS.length })
    }
    const chosen = await readFloats(gpu, factors, count)
    signal.throwIfAborted()
    const clippedBlocks = chosen.reduce((sum, factor) => sum + Number(factor < 1), 0)
    return { bounds: { width, per: 'block', factors }, blocks: count, clippedBlocks }
  })
}

/** Squared output errors per block of a weight that differs by `difference`, [out, blocks]. */
function blockErrors(
  recorder: Recorder,
  scratch: Arena,
  rows: GpuMatrix,
  width: BlockWidth,
): (arena: Arena, difference: GpuMatrix) => GPUBuffer {
  if (width === 'row') {
    return (arena, difference) => {
      const output = matmulNt(recorder, arena, difference, rows)
      return blockInner(recorder, arena, { a: output, b: output, width })
    }
  }
  const gram = blockCross(recorder, scratch, { left: rows, right: rows }, width)
  return (arena, difference) => {
    const product = blockProduct(recorder, arena, difference, gram)
    return blockInner(recorder, arena, { a: difference, b: product, width })
  }
}
