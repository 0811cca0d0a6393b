import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/subtract_product.wgsl?raw'
import { InputError } from '../../core/errors'
import { type GpuMatrix, STRIDE_MULTIPLE } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

export const subtractProductKernel: Kernel = {
  name: 'subtract_product',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Which part of the operands is multiplied, and from which column on the product is subtracted. */
export interface ProductRange {
  /** First column of `left` and number of columns used: multiples of 32. */
  readonly leftFirst: number
  readonly depth: number
  /** The row of `right` that belongs to column `leftFirst`. */
  readonly rightFirst: number
  /** First column of the target that changes, and the first one after it that does not (default: all do): multiples of 32. */
  readonly firstCol: number
  readonly endCol?: number
  /** The column of the target that column 0 of `right` stands for: a multiple of 32, 0 unless given. */
  readonly rightCol?: number
}

/**
 * Subtracts a product from the later columns of `target`, in place: target[:, firstCol … endCol − 1] −=
 * left[:, range] · right[rows of the range, the same columns]. GPTQ spreads a block's errors this way: left its errors D, right U.
 * `right` may hold a part of the target's columns only, beginning at `rightCol`.
 *
 * Shapes: left [m, l], right [k, n], target [m, n]; padding columns stay zero. left, right and target differ.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (depth + 3) · 2^-23 · (|target| + Σ|left||right|) per element.
 * Large products take several dispatches, by rows.
 */
export function subtractProduct(
  recorder: Recorder,
  { left, right, target }: { readonly left: GpuMatrix; readonly right: GpuMatrix; readonly target: GpuMatrix },
  { leftFirst, depth, rightFirst, firstCol, endCol = target.stride, rightCol = 0 }: ProductRange,
): void {
  const misaligned = [leftFirst, depth, firstCol, endCol, rightCol].find((value) => value % STRIDE_MULTIPLE !== 0)
  if (misaligned !== undefined) {
    throw new InputError('BUG', `subtract_product: expected multiples of ${STRIDE_MULTIPLE}, found ${misaligned}`)
  }
  const isInside = firstCol >= rightCol && Math.min(endCol, target.stride) <= rightCol + right.stride
  if (left.rows !== target.rows || !isInside) {
    throw new InputError(
      'BUG',
      `subtract_product: expected a target of [${left.rows}, ${right.cols}], found [${target.rows}, ${target.cols}]`,
    )
  }
  if (leftFirst + depth > left.stride || rightFirst + depth > right.rows) {
    throw new InputError('BUG', `subtract_product: expected the range inside the operands, found depth ${depth}`)
  }
  const cols = Math.min(endCol, target.stride) - firstCol
  if (cols <= 0) return
  const colTiles = Math.ceil(cols / TILE)
  const step = rowsPerDispatch(recorder.gpu, target.rows, 2 * depth * cols)
  for (let begin = 0; begin < target.rows; begin += step) {
    const end = Math.min(target.rows, begin + step)
    recorder.dispatch(subtractProductKernel, {
      uniforms: [
        ...[begin, end, firstCol / 4, (firstCol + cols) / 4, depth / 4, leftFirst / 4, rightFirst],
        ...[left.stride / 4, target.stride / 4, colTiles, right.stride / 4, rightCol / 4],
      ],
      buffers: [left.buffer, right.buffer, target.buffer],
      workgroups: colTiles * Math.ceil((end - begin) / TILE),
    })
  }
}
