import productStore from '../../../shaders/lib/product_store.wgsl?raw'
import registerTile from '../../../shaders/lib/register_tile.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import zeroBeyond from '../../../shaders/lib/zero_beyond.wgsl?raw'
import source from '../../../shaders/matmul_nt.wgsl?raw'
import smallTileSource from '../../../shaders/matmul_nt_4x4.wgsl?raw'
import workgroupSource from '../../../shaders/matmul_nt_workgroup.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { ProductTile } from '../kernel-choices'
import type { Kernel, Overrides } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { rowsPerDispatch } from './row-chunks'

const libraries = workgroupIndex + zeroBeyond + productStore

export const matmulNtKernel: Kernel = {
  name: 'matmul_nt',
  code: source + libraries + registerTile,
  bindings: ['read', 'read', 'write'],
}

export const matmulNt4x4Kernel: Kernel = {
  name: 'matmul_nt_4x4',
  code: smallTileSource + libraries,
  bindings: ['read', 'read', 'write'],
}

export const matmulNtWorkgroupKernel: Kernel = {
  name: 'matmul_nt_workgroup',
  code: workgroupSource + libraries + registerTile,
  bindings: ['read', 'read', 'write'],
}

/** A kernel of X Wᵀ and the outputs its workgroup owns. */
interface Plan {
  readonly kernel: Kernel
  readonly overrides?: Overrides
  readonly rows: number
  readonly cols: number
}

const PLANS: Readonly<Record<ProductTile, Plan>> = {
  'registers-8x8': { kernel: matmulNtKernel, rows: 64, cols: 64 },
  'registers-4x4': { kernel: matmulNt4x4Kernel, rows: 32, cols: 32 },
  'workgroup-64x64': { kernel: matmulNtWorkgroupKernel, rows: 64, cols: 64 },
}

/** Tiles of 64 rows mostly compute what nobody asked for below so many rows. */
const FEW_ROWS = 32

/** A workgroup in one line along the columns: every invocation has rows of its own to compute. */
const FEW_ROWS_PLAN: Plan = {
  kernel: matmulNt4x4Kernel,
  overrides: { GROUP_ROWS: 1, GROUP_COLS: 64 },
  rows: 4,
  cols: 256,
}

/**
 * The product a · bᵀ: a layer's output for activations `a` and weight `b`, both contiguous along the contraction.
 *
 * Shapes: a [m, k], b [n, k] -> [m, n], padding columns zero.
 * Accuracy: f32 sums in a fixed order, |error| ≤ (k + 2) · 2^-23 · Σ|a||b| per element. All tiles add in the same order;
 * where a compiler fuses a multiplication with an addition in one of them and not in another, they differ within that.
 * Throws InputError when the inner dimensions differ. Large products take several dispatches, by rows.
 * `tile`: that of the device unless given; few rows have a plan of their own.
 * Source: docs/performance.md, "How the kernels are built".
 */
export function matmulNt(
  recorder: Recorder,
  arena: Arena,
  a: GpuMatrix,
  b: GpuMatrix,
  tile: ProductTile = recorder.gpu.choices.product,
): GpuMatrix {
  if (a.cols !== b.cols) {
    throw new InputError('BUG', `matmul_nt: expected equal inner dimensions, found ${a.cols} and ${b.cols}`)
  }
  const y = arena.matrix(a.rows, b.rows, 'matmul_nt y')
  const { kernel, overrides, rows, cols } = a.rows < FEW_ROWS ? FEW_ROWS_PLAN : PLANS[tile]
  const colTiles = Math.ceil(y.stride / cols)
  const step = rowsPerDispatch(recorder.gpu, a.rows, 2 * b.rows * a.cols)
  for (let begin = 0; begin < a.rows; begin += step) {
    const end = Math.min(a.rows, begin + step)
    recorder.dispatch(kernel, {
      overrides,
      uniforms: [begin, end, b.rows, a.stride / 4, y.stride / 4, colTiles],
      buffers: [a.buffer, b.buffer, y.buffer],
      workgroups: colTiles * Math.ceil((end - begin) / rows),
    })
  }
  return y
}
