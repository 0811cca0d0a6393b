import leftSource from '../../../shaders/kronecker_left.wgsl?raw'
import raggedSource from '../../../shaders/kronecker_ragged.wgsl?raw'
import rightSource from '../../../shaders/kronecker_right.wgsl?raw'
import registerTile from '../../../shaders/lib/register_tile.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import packSource from '../../../shaders/pack_factor.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'
import { scaleColumns } from './scale-columns'

/**
 * Kronecker transform of rows, in two small products: x (P1 ⊗ P2) = kroneckerLeft(kroneckerRight(x, P2), P1).
 * A row of n = a · b channels is read as a matrix M [a, b], row-major; right is M · F, left is Fᵀ · M.
 * Source: FlatQuant, arXiv 2410.09426, section 3.2. Factors are f32, row-major, without padding.
 */
const WORKGROUP_SIZE = 64
/** Runs that one invocation of either kernel computes, rows of the left one, vec4s of a run of the right one. */
const RUNS_PER_THREAD = 8
const LEFT_ROWS_PER_THREAD = 2
const RIGHT_VECTORS_PER_THREAD = 2
const RAGGED_OUTPUTS_PER_THREAD = 4

export const kroneckerRightKernel: Kernel = {
  name: 'kronecker_right',
  code: rightSource + workgroupIndex + registerTile,
  bindings: ['read', 'read', 'write'],
}

export const kroneckerLeftKernel: Kernel = {
  name: 'kronecker_left',
  code: leftSource + workgroupIndex + registerTile,
  bindings: ['read', 'read', 'write'],
}

/** Serves both sides where b is not a multiple of 4, where a run does not start on a vec4. */
export const kroneckerRaggedKernel: Kernel = {
  name: 'kronecker_ragged',
  code: raggedSource + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/** Brings a factor into the layout the others read: transposed where asked, rows padded. */
export const packFactorKernel: Kernel = {
  name: 'pack_factor',
  code: packSource + workgroupIndex,
  bindings: ['read', 'write'],
}

export interface KroneckerFactor {
  /** Runs per row; a · b is the number of columns. */
  readonly a: number
  /** Channels per run. */
  readonly b: number
  /** [b, b] for the right product, [a, a] for the left one. */
  readonly factor: GPUBuffer
  /** Use the factor's transpose. */
  readonly transposed: boolean
}

/**
 * out[t, i·b + k'] = Σ_k s[i·b + k] · x[t, i·b + k] · F[k, k'], with F[k', k] when transposed.
 *
 * Shapes: matrix [rows, a·b] -> same; factor [b, b]; channelScale s [a·b], 1 when left out.
 * Accuracy: f32 sums of b terms in index order. Throws InputError when a · b is not the number of columns.
 */
export function kroneckerRight(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { a, b, factor, transposed, channelScale }: KroneckerFactor & { readonly channelScale?: GPUBuffer },
): GpuMatrix {
  checkWidth(matrix, a, b)
  const input = channelScale ? scaleColumns(recorder, arena, matrix, channelScale) : matrix
  const out = arena.matrix(matrix.rows, matrix.cols, 'kronecker right')
  if (b % 4 !== 0) {
    dispatchRagged(recorder, input, out, { outer: a, size: b, inner: 1, factor, transposed })
    return out
  }
  const packed = transposed ? packFactor(recorder, arena, { size: b, stride: b, factor, transposed }) : factor
  const tiles = Math.ceil((matrix.rows * a) / RUNS_PER_THREAD)
  recorder.dispatch(kroneckerRightKernel, {
    uniforms: [matrix.rows, a, b / 4, matrix.stride / 4],
    buffers: [input.buffer, packed, out.buffer],
    workgroups: Math.ceil((tiles * Math.ceil(b / 4 / RIGHT_VECTORS_PER_THREAD)) / WORKGROUP_SIZE),
  })
  return out
}

/**
 * out[t, i'·b + k] = Σ_i F[i, i'] · x[t, i·b + k], with F[i', i] when transposed.
 *
 * Shapes: matrix [rows, a·b] -> same; factor [a, a].
 * Accuracy: f32 sums of a terms in index order. Throws InputError when a · b is not the number of columns.
 */
export function kroneckerLeft(
  recorder: Recorder,
  arena: Arena,
  matrix: GpuMatrix,
  { a, b, factor, transposed }: KroneckerFactor,
): GpuMatrix {
  checkWidth(matrix, a, b)
  const out = arena.matrix(matrix.rows, matrix.cols, 'kronecker left')
  if (b % 4 !== 0) {
    dispatchRagged(recorder, matrix, out, { outer: 1, size: a, inner: b, factor, transposed })
    return out
  }
  const tiles = Math.ceil(a / RUNS_PER_THREAD)
  const isPacked = transposed && a % 4 === 0
  const turned = { size: a, stride: 4 * Math.ceil(a / 4), factor, transposed: !transposed }
  const packed = isPacked ? factor : packFactor(recorder, arena, turned)
  recorder.dispatch(kroneckerLeftKernel, {
    uniforms: [matrix.rows, a, b / 4, matrix.stride / 4],
    buffers: [matrix.buffer, packed, out.buffer],
    workgroups: Math.ceil((Math.ceil(matrix.rows / LEFT_ROWS_PER_THREAD) * tiles * (b / 4)) / WORKGROUP_SIZE),
  })
  return out
}

interface SquareFactor {
  readonly size: number
  readonly factor: GPUBuffer
  readonly transposed: boolean
}

function packFactor(recorder: Recorder, arena: Arena, call: SquareFactor & { readonly stride: number }): GPUBuffer {
  const { size, stride, factor, transposed } = call
  const packed = arena.buffer(4 * size * stride, 'packed factor')
  recorder.dispatch(packFactorKernel, {
    overrides: { TRANSPOSED: Number(transposed) },
    uniforms: [size, stride],
    buffers: [factor, packed],
    workgroups: Math.ceil((size * stride) / WORKGROUP_SIZE),
  })
  return packed
}

interface RaggedShape extends SquareFactor {
  readonly outer: number
  readonly inner: number
}

function dispatchRagged(recorder: Recorder, matrix: GpuMatrix, out: GpuMatrix, shape: RaggedShape): void {
  const { outer, size, inner, factor, transposed } = shape
  const factorSteps = transposed ? [1, size] : [size, 1]
  const tiles = Math.ceil(size / RAGGED_OUTPUTS_PER_THREAD)
  recorder.dispatch(kroneckerRaggedKernel, {
    uniforms: [matrix.rows, matrix.stride, outer, size, inner, ...factorSteps],
    buffers: [matrix.buffer, factor, out.buffer],
    workgroups: Math.ceil((matrix.rows * outer * inner * tiles) / WORKGROUP_SIZE),
  })
}

function checkWidth(matrix: GpuMatrix, a: number, b: number): void {
  if (a * b !== matrix.cols) {
    throw new InputError('BUG', `kronecker: expected ${a} x ${b} = ${a * b} columns, found ${matrix.cols}`)
  }
}
