/** Products of f32 matrices of any shape. */
import type { Matrix } from '../../core/matrix'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { PRODUCT_TILES } from '../../gpu/kernel-choices'
import { matmulNaive } from '../../gpu/kernels/matmul-naive'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { matmulTn } from '../../gpu/kernels/matmul-tn'
import type { Recorder } from '../../gpu/recorder'
import { readMatrix, uploadMatrix } from '../../gpu/transfer'
import { checkSamples, expectedSum } from './checks'
import { gaussian } from './gaussian'
import type { KernelCase } from './kernel-subject'

/** Of X [tokens, inDim] times Wᵀ, W [outDim, inDim]. */
export interface ProductShape {
  readonly tokens: number
  readonly inDim: number
  readonly outDim: number
}

/** Largest naive product on a software adapter, where it takes tens of times as long as the others. */
const LARGEST_SOFTWARE_NAIVE = 256

const LEFT_SEED = 2
const RIGHT_SEED = 3

/** One way to multiply: its operands as stored, and element (row, k) of the left and (k, col) of the right in them. */
interface Product {
  readonly name: string
  readonly multiply: (recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix) => GpuMatrix
  readonly transposes: { readonly left: boolean; readonly right: boolean }
}

const NT: Product = { name: 'matmul nt', multiply: matmulNt, transposes: { left: false, right: true } }
const NN: Product = { name: 'matmul nn', multiply: matmulNn, transposes: { left: false, right: false } }
const TN: Product = { name: 'matmul tn', multiply: matmulTn, transposes: { left: true, right: false } }
const NAIVE: Product = { name: 'matmul naive', multiply: matmulNaive, transposes: { left: false, right: true } }

/** X·Wᵀ by the tiles the device has not chosen. */
function otherTiles({ choices }: Gpu): Product[] {
  return PRODUCT_TILES.filter((tile) => tile !== choices.product).map((tile) => ({
    ...NT,
    name: `${NT.name} ${tile}`,
    multiply: (recorder, arena, a, b) => matmulNt(recorder, arena, a, b, tile),
  }))
}

const isSquare = ({ tokens, inDim, outDim }: ProductShape) => tokens === inDim && inDim === outDim

export const shapeText = ({ tokens, inDim, outDim }: ProductShape) => `${tokens} x ${inDim} x ${outDim}`

/** Left [tokens, inDim] and right [inDim, outDim], Gaussian. */
export function operandsOf({ tokens, inDim, outDim }: ProductShape): { readonly a: Matrix; readonly b: Matrix } {
  return { a: gaussian(tokens, inDim, LEFT_SEED), b: gaussian(inDim, outDim, RIGHT_SEED) }
}

/** X [tokens, inDim] and W [outDim, inDim] as a layer stores them, Gaussian. */
export function layerOperandsOf({ tokens, inDim, outDim }: ProductShape): { readonly a: Matrix; readonly b: Matrix } {
  return { a: gaussian(tokens, inDim, LEFT_SEED), b: gaussian(outDim, inDim, RIGHT_SEED) }
}

/**
 * X·Wᵀ (nt) by the tile of the device, which is the f32 product others are priced by, and by the other tiles. A square
 * shape also gives a·b (nn), aᵀ·b (tn) and the naive product, from the same two tensors.
 */
export function productCases(gpu: Gpu, arena: Arena, shape: ProductShape): readonly [KernelCase, ...KernelCase[]] {
  const { tokens, inDim, outDim } = shape
  const { a, b } = layerOperandsOf(shape)
  const left = uploadMatrix(gpu, arena, a, 'bench a')
  const right = uploadMatrix(gpu, arena, b, 'bench b')
  const at = (m: Matrix, row: number, col: number, transposed: boolean) =>
    transposed ? m.data[col * m.cols + row] : m.data[row * m.cols + col]
  const caseOf = ({ name, multiply, transposes }: Product, baseline?: KernelCase['baseline']): KernelCase => ({
    name,
    baseline,
    work: { kind: 'operations', operations: 2 * tokens * inDim * outDim },
    record(recorder, scratch) {
      const y = multiply(recorder, scratch, left, right)
      const term = (row: number, col: number) => (k: number) =>
        at(a, row, k, transposes.left) * at(b, k, col, transposes.right)
      return async () => checkSamples(await readMatrix(gpu, y), (row, col) => expectedSum(inDim, term(row, col)))
    },
  })
  const nt = caseOf(NT, 'product')
  const tiles = otherTiles(gpu).map((tile) => caseOf(tile))
  if (!isSquare(shape)) return [nt, ...tiles]
  const withNaive = !gpu.adapter.isSoftware || tokens <= LARGEST_SOFTWARE_NAIVE
  return [nt, ...tiles, caseOf(NN), caseOf(TN), ...(withNaive ? [caseOf(NAIVE, 'naive')] : [])]
}
