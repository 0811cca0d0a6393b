/**
 * The best approximation of rank r in a weighted norm. E is the matrix [out, in], G = E SᵀS Eᵀ [out, out] and V_r the r
 * leading eigenvectors of G: then ‖S (E − V Vᵀ E)ᵀ‖ is the smallest any matrix of rank r leaves, since V_r are the right
 * singular vectors of S Eᵀ and its truncated SVD is S Eᵀ V Vᵀ. The same factors as A = S⁻¹ U_r, B = Σ_r V_rᵀ of the papers,
 * without S⁻¹. Whatever V is, I − V Vᵀ makes no error larger.
 */
import { InputError } from '../../core/errors'
import { orthonormaliseRows } from '../../core/orthonormal-rows'
import { createRandom } from '../../core/random'
import { symmetricEigen } from '../../core/symmetric-eigen'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { transpose } from '../../gpu/kernels/transpose'
import { Recorder } from '../../gpu/recorder'
import { readMatrix, uploadMatrix } from '../../gpu/transfer'
import type { Context } from '../method'
import { LOW_RANK_STAGE, type Weighting } from './weighting'

/** Random probes beyond the rank: at least these, and then as many as fill the tiles of the products, which cost the same. */
const EXTRA_PROBES = 16
const TILE_ROWS = 64

export interface LowRankFactors {
  /** Aᵀ = Vᵀ E [r, in] */
  readonly left: GpuMatrix
  /** Bᵀ = V [out, r] */
  readonly right: GpuMatrix
}

/** E and the weighting it is approximated in. */
export interface Approximand {
  readonly matrix: GpuMatrix
  readonly weighting: Weighting
}

/**
 * Factors of the best approximation right · left of `matrix` with `rank` ≤ min(out, in) in the given norm, in the context's
 * arena; null when the matrix is zero wherever it counts. Block power iteration from seeded probes, products in f32 on the
 * GPU, orthonormal rows and the small eigenproblem in float64. `iterations`: multiplications of the probes with G.
 *
 * Accuracy: after 8 iterations the norm of what is left exceeds the smallest possible by about 0.01 % where all directions
 * are alike, by less elsewhere; by no more than f32 products do where the probes are as many as the outputs, and at
 * full rank. Throws InputError MD-09 when a product overflows, the AbortError of the context's signal between iterations.
 */
export async function lowRankFactors(
  approximand: Approximand,
  { rank, iterations }: { readonly rank: number; readonly iterations: number },
  context: Context,
): Promise<LowRankFactors | null> {
  const { rows: outDim, cols: inDim } = approximand.matrix
  if (rank >= inDim) return wholeMatrix(approximand.matrix, context)
  const scratch = new Arena(context.gpu)
  try {
    const count = probeCount(rank, outDim)
    const probes = await leadingRows(approximand, { count, iterations }, context)
    return await leadingFactors(approximand, { probes, rank }, context, scratch)
  } finally {
    scratch.release()
  }
}

/** Probes for a branch of `rank`. */
export const probeCount = (rank: number, outDim: number) =>
  Math.min(outDim, TILE_ROWS * Math.ceil((rank + EXTRA_PROBES) / TILE_ROWS))

/** Q [count, out], float64 rows orthonormal; zero rows where G has fewer directions. */
interface Probes {
  readonly count: number
  readonly data: Float64Array
}

/** Rows that span the leading eigenvectors of G; all of the space, without iterating, when they are as many. */
async function leadingRows(
  approximand: Approximand,
  { count, iterations }: { readonly count: number; readonly iterations: number },
  context: Context,
): Promise<Probes> {
  const length = approximand.matrix.rows
  if (count === length) {
    return { count, data: Float64Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0)) }
  }
  const random = createRandom(context.seed)
  let data = Float64Array.from({ length: count * length }, () => random.normal())
  for (let iteration = 0; iteration < iterations; iteration++) {
    data = await multiply(approximand, { count, data }, context)
    orthonormaliseRows(data, count, length)
    context.signal.throwIfAborted()
    context.onProgress({ stage: LOW_RANK_STAGE, done: iteration + 1, total: iterations })
  }
  return { count, data }
}

/** Q G. */
async function multiply(
  approximand: Approximand,
  probes: Probes,
  { gpu }: Context,
): Promise<Float64Array<ArrayBuffer>> {
  const arena = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const { weighed } = project(
      recorder,
      arena,
      approximand,
      upload(arena, probes, { gpu, outDim: approximand.matrix.rows }),
    )
    const image = matmulNt(recorder, arena, weighed, approximand.matrix)
    recorder.submit()
    return finiteValues(await readMatrix(gpu, image))
  } finally {
    arena.release()
  }
}

function upload(
  arena: Arena,
  { count, data }: Probes,
  { gpu, outDim }: { gpu: Context['gpu']; outDim: number },
): GpuMatrix {
  return uploadMatrix(gpu, arena, { rows: count, cols: outDim, data: Float32Array.from(data) }, 'probes')
}

/** Q E and Q E SᵀS, [probes, in]. */
function project(
  recorder: Recorder,
  arena: Arena,
  { matrix, weighting }: Approximand,
  probes: GpuMatrix,
): { readonly projected: GpuMatrix; readonly weighed: GpuMatrix } {
  const projected = matmulNn(recorder, arena, probes, matrix)
  switch (weighting.kind) {
    case 'identity':
      return { projected, weighed: projected }
    case 'diagonal':
      return { projected, weighed: scaleColumns(recorder, arena, projected, weighting.squares) }
    case 'gram':
      return { projected, weighed: matmulNn(recorder, arena, projected, weighting.gram) }
    default:
      return weighting satisfies never
  }
}

/** Turns the probes to the eigenvectors of G within their span (Rayleigh-Ritz) and keeps the first `rank`. */
async function leadingFactors(
  approximand: Approximand,
  { probes, rank }: { readonly probes: Probes; readonly rank: number },
  { gpu, arena, signal }: Context,
  scratch: Arena,
): Promise<LowRankFactors | null> {
  const recorder = new Recorder(gpu)
  const rows = upload(scratch, probes, { gpu, outDim: approximand.matrix.rows })
  const { projected, weighed } = project(recorder, scratch, approximand, rows)
  const small = matmulNt(recorder, scratch, projected, weighed)
  recorder.submit()
  const data = finiteValues(await readMatrix(gpu, small))
  signal.throwIfAborted()
  const { count } = probes
  const { values, vectors } = symmetricEigen({ rows: count, cols: count, data })
  if (!(values[0] > 0)) return null
  const turn = uploadMatrix(
    gpu,
    scratch,
    { rows: rank, cols: count, data: Float32Array.from(vectors.data.subarray(0, rank * count)) },
    'leading directions',
  )
  const left = matmulNn(recorder, arena, turn, projected)
  const right = transpose(recorder, arena, matmulNn(recorder, scratch, turn, rows))
  recorder.submit()
  return { left, right }
}

/** Aᵀ = I [in, in], Bᵀ = E: nothing is left. */
function wholeMatrix(matrix: GpuMatrix, { gpu, arena }: Context): LowRankFactors {
  const size = matrix.cols
  const data = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
  return { left: uploadMatrix(gpu, arena, { rows: size, cols: size, data }, 'identity'), right: matrix }
}

function finiteValues({ data }: { readonly data: Float32Array }): Float64Array<ArrayBuffer> {
  if (data.every(Number.isFinite)) return Float64Array.from(data)
  throw new InputError(
    'MD-09',
    'low-rank branch: expected products of weight errors and activations within f32, found an overflow. ' +
      'Choose the weighting "plain", or scale the activations down.',
  )
}
