import registerTile from '../../../shaders/lib/register_tile.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/matmul_tn.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import { type GpuMatrix, STRIDE_MULTIPLE } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const TILE = 64

/** Longest sum held in registers before it is added to the output: bounds both the dispatch and the rounding error. */
const SLAB_ROWS = 1024

export const matmulTnKernel: Kernel = {
  name: 'matmul_tn',
  code: source + workgroupIndex + registerTile,
  bindings: ['read', 'read', 'write'],
}

/**
 * The product aᵀ · b, contracted over rows: a Gram matrix of activations, a weight gradient.
 *
 * Shapes: a [t, m], b [t, n] -> [m, n], padding columns zero. `a` and `b` may be the same matrix.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (t + 2) · 2^-23 · Σ|a||b| per element.
 * Throws InputError when the numbers of rows differ. One dispatch per slab of rows, added in order.
 * Source: docs/performance.md, "How the kernels are built".
 */
export function matmulTn(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix): GpuMatrix {
  if (a.rows !== b.rows) {
    throw new InputError('BUG', `matmul_tn: expected equal numbers of rows, found ${a.rows} and ${b.rows}`)
  }
  const y = arena.matrix(a.cols, b.cols, 'matmul_tn y')
  accumulate(recorder, { a, b, y }, { aFirst: 0, firstCol: 0, adds: false })
  return y
}

/**
 * Adds rows `first` … first + target.rows − 1 of the Gram matrix of `x` to `target`, from their own diagonal on:
 * target[i, j] += Σ_t x[t, first + i] · x[t, j] for j ≥ first. Without `adds` it overwrites. The columns before are
 * neither read nor written.
 *
 * Shapes: x [t, n], target [rows, n]; `first` is a multiple of 32. Accuracy: as matmulTn.
 */
export function addGramRows(
  recorder: Recorder,
  x: GpuMatrix,
  { target, first, adds }: { readonly target: GpuMatrix; readonly first: number; readonly adds: boolean },
): void {
  if (first % STRIDE_MULTIPLE !== 0 || first + target.rows > x.cols || target.cols !== x.cols) {
    throw new InputError('BUG', `gram rows: expected some of [${x.cols}, ${x.cols}], found ${first} + ${target.rows}`)
  }
  accumulate(recorder, { a: x, b: x, y: target }, { aFirst: first, firstCol: first, adds })
}

interface Part {
  /** The column of `a` that makes row 0 of `y`. */
  readonly aFirst: number
  /** The first column of `y` that is computed. */
  readonly firstCol: number
  /** To what `y` holds; else it is overwritten. */
  readonly adds: boolean
}

function accumulate(
  recorder: Recorder,
  { a, b, y }: { readonly a: GpuMatrix; readonly b: GpuMatrix; readonly y: GpuMatrix },
  { aFirst, firstCol, adds }: Part,
): void {
  const colTiles = Math.ceil((y.stride - firstCol) / TILE)
  const step = Math.min(SLAB_ROWS, rowsPerDispatch(recorder.gpu, a.rows, 2 * y.rows * (y.stride - firstCol)))
  for (let begin = 0; begin < a.rows; begin += step) {
    recorder.dispatch(matmulTnKernel, {
      uniforms: [
        ...[begin, Math.min(a.rows, begin + step), y.rows, a.stride / 4, b.stride / 4, colTiles],
        ...[aFirst / 4, firstCol / 4, Number(adds || begin > 0)],
      ],
      buffers: [a.buffer, b.buffer, y.buffer],
      workgroups: colTiles * Math.ceil(y.rows / TILE),
    })
  }
}
