/**
 * The factor of a Gram matrix that no buffer holds whole: rows of it lie in slabs, and of the slabs only what stands on and
 * right of the diagonal is computed. Symbols: H the damped Gram matrix in processing order, V upper triangular with
 * H = V Vᵀ, U = V⁻¹. From the last slab T to the first, for all slabs S, R before T:
 *   U_TT = (V_TT)⁻¹,  V_ST = H_ST U_TTᵀ,  H_SR −= V_ST V_RTᵀ,  C_ST = V_ST U_TT.
 * What GPTQ reads is U_TT of every slab and C right of it: the errors E_S = (W − Ŵ)_S of a finished slab change the columns
 * of T by E_S C_ST before they are walked with U_TT. That is GPTQ with U whole: with d = E V its value of a column before it
 * is rounded is w + Σ_k<j E_k V_kj / V_jj, and C_ST = (V_ST / diag V_TT) (V_TT / diag V_TT)⁻¹.
 */
import { Arena } from '../../gpu/arena'
import { type GpuMatrix, matrixBytes, STRIDE_MULTIPLE, strideOf } from '../../gpu/gpu-matrix'
import { channelStats } from '../../gpu/kernels/channel-stats'
import { copyColumns, sliceColumns } from '../../gpu/kernels/copy-columns'
import { dampDiagonal } from '../../gpu/kernels/damp-diagonal'
import { ERROR_COLS } from '../../gpu/kernels/gptq-columns'
import { gptqGather } from '../../gpu/kernels/gptq-gather'
import { matmulNn } from '../../gpu/kernels/matmul-nn'
import { matmulNt } from '../../gpu/kernels/matmul-nt'
import { addGramRows } from '../../gpu/kernels/matmul-tn'
import { subtractProduct } from '../../gpu/kernels/subtract-product'
import { transpose } from '../../gpu/kernels/transpose'
import { Recorder } from '../../gpu/recorder'
import { readFloats, uploadWords } from '../../gpu/transfer'
import type { CalibrationPieces, Context } from '../method'
import { pacedSubmit } from '../pace'
import type { TriangularFactor } from './columns'
import { attemptFactor, dampingSteps, notPositive } from './factor'
import { diagonalStatistics, type HessianFacts, STATISTICS_STAGE } from './hessian'

/** Some rows of the Gram matrix in processing order [rows, in]; row 0 is that of place `first`. */
interface Slab {
  readonly first: number
  readonly matrix: GpuMatrix
}

/** Rows of a slab at most: the work on its triangle grows with their square, and products of this depth are long enough. */
const MAX_SLAB_ROWS = 1024

const STAGE = 'GPTQ factor'

/** Whether the Gram matrix of `channels`, and what its factorisation keeps beside it, fit one buffer of `limitBytes`. */
export function gramFits(channels: number, limitBytes: number): boolean {
  // The triangle and its inverse lie in one square, with a panel of 32 x 32 behind it (gpu/kernels/cholesky.ts).
  return 4 * (strideOf(channels) ** 2 + STRIDE_MULTIPLE ** 2) <= limitBytes
}

/** Rows per slab, a multiple of 128; 0 where not even 128 fit. */
export function slabRows(channels: number, limitBytes: number): number {
  const affordable = Math.floor(limitBytes / matrixBytes(1, channels) / ERROR_COLS) * ERROR_COLS
  return Math.min(affordable, MAX_SLAB_ROWS)
}

/** What is known of the Gram matrix of `calibration` before it is computed: its diagonal, in f64 sums over f32 squares. */
export async function gatherDiagonal(calibration: CalibrationPieces, { gpu, signal }: Context): Promise<HessianFacts> {
  const { channels, tokens } = calibration
  const energies = new Float64Array(channels)
  await calibration.forEach(async (x) => {
    const scratch = new Arena(gpu)
    try {
      const recorder = new Recorder(gpu)
      const { squares } = channelStats(recorder, scratch, x)
      recorder.submit()
      const sums = await readFloats(gpu, squares.buffer, squares.rows * squares.stride)
      signal.throwIfAborted()
      for (let at = 0; at < sums.length; at += squares.stride) {
        for (let channel = 0; channel < channels; channel++) energies[channel] += sums[at + channel]
      }
    } finally {
      scratch.release()
    }
  })
  const values = Float32Array.from(energies)
  return { tokens, diagonal: values, ...diagonalStatistics(values) }
}

export interface SlabRequest {
  /** The channel at each place of the processing order. */
  readonly order: Uint32Array<ArrayBuffer>
  /** λ, as in FactorRequest. */
  readonly damping: number
  readonly rows: number
}

/**
 * The factor in slabs of `rows` places, and the λ that was used. Like `factorHessian` it tries larger λ after a pivot that
 * is not positive; the Gram matrix is then computed anew. Matrices are in the context's arena.
 *
 * Accuracy: that of f32 sums; blocks on the diagonal are factored on the GPU.
 * Throws InputError MD-05 as factorHessian does, the AbortError of the context's signal.
 */
export async function factorSlabs(
  calibration: CalibrationPieces,
  { meanDiagonal }: HessianFacts,
  request: SlabRequest,
  context: Context,
): Promise<{ readonly factor: TriangularFactor; readonly damping: number }> {
  const { arena } = context
  const { channels } = calibration
  const slabs: Slab[] = []
  for (let first = 0; first < channels; first += request.rows) {
    const rows = Math.min(request.rows, channels - first)
    slabs.push({ first, matrix: arena.matrix(rows, channels, 'gram rows') })
  }
  const steps = dampingSteps(request.damping)
  let failed = 0
  for (const damping of steps) {
    await fillSlabs(slabs, calibration, request.order, context)
    const recorder = new Recorder(context.gpu)
    const shift = damping * meanDiagonal
    for (const { first, matrix } of slabs) dampDiagonal(recorder, matrix, { first, deadDiagonal: meanDiagonal, shift })
    recorder.submit()
    const outcome = await eliminateSlabs(slabs, context)
    if (typeof outcome !== 'number') {
      const coupling = slabs.slice(0, -1).map(({ matrix }) => matrix)
      return { factor: { blocks: outcome, coupling }, damping }
    }
    failed = request.order[outcome]
  }
  throw notPositive(failed, steps)
}

/** The Gram matrix of X' in processing order, piece of tokens by piece. */
async function fillSlabs(
  slabs: readonly Slab[],
  calibration: CalibrationPieces,
  order: Uint32Array<ArrayBuffer>,
  { gpu, signal, onProgress }: Context,
): Promise<void> {
  let done = 0
  await calibration.forEach(async (x) => {
    const scratch = new Arena(gpu)
    try {
      const places = Uint32Array.from({ length: x.stride }, (_, place) => place)
      places.set(order)
      const recorder = new Recorder(gpu)
      const submit = pacedSubmit(recorder, signal)
      const inOrder = gptqGather(recorder, scratch, x, uploadWords(gpu, scratch, places, 'processing order'))
      for (const { first, matrix } of slabs) {
        addGramRows(recorder, inOrder, { target: matrix, first, adds: done > 0 })
        await submit()
      }
      done += x.rows
      onProgress({ stage: STATISTICS_STAGE, done, total: calibration.tokens })
    } finally {
      scratch.release()
    }
  })
}

/** From the last slab to the first. Returns U of the blocks on the diagonal, or the place whose pivot failed. */
async function eliminateSlabs(slabs: readonly Slab[], context: Context): Promise<TriangularFactor['blocks'] | number> {
  const { gpu, arena, signal, onProgress } = context
  const quiet: Context = { ...context, onProgress: () => {} }
  const blocks: { readonly first: number; readonly matrix: GpuMatrix }[] = []
  for (let last = slabs.length - 1; last >= 0; last--) {
    const { first, matrix } = slabs[last]
    const scratch = new Arena(gpu)
    try {
      const recorder = new Recorder(gpu)
      const gram = sliceColumns(recorder, scratch, matrix, { first, cols: matrix.rows })
      recorder.submit()
      const natural = Uint32Array.from({ length: matrix.rows }, (_, place) => place)
      const attempt = await attemptFactor(
        { gram, meanDiagonal: 0 },
        { order: natural, form: 'inverse', place: 'gpu' },
        { ...quiet, arena },
      )
      const triangle = await attempt(0)
      if (typeof triangle === 'number') return first + triangle
      blocks.unshift({ first, matrix: triangle })
      await propagate(slabs.slice(0, last), { first, matrix: triangle }, { gpu, scratch, signal })
      onProgress({ stage: STAGE, done: slabs.length - last, total: slabs.length })
    } finally {
      scratch.release()
    }
  }
  return blocks
}

/** Takes what the slab with triangle U_TT = `block` explains out of the slabs before it, and leaves C_ST in its place. */
async function propagate(
  before: readonly Slab[],
  block: Slab,
  { gpu, scratch, signal }: { readonly gpu: Context['gpu']; readonly scratch: Arena; readonly signal: AbortSignal },
): Promise<void> {
  const recorder = new Recorder(gpu)
  const submit = pacedSubmit(recorder, signal)
  const columns = { first: block.first, cols: block.matrix.cols }
  const shares: GpuMatrix[] = []
  for (const { matrix } of before) {
    shares.push(matmulNt(recorder, scratch, sliceColumns(recorder, scratch, matrix, columns), block.matrix))
    await submit()
  }
  for (const [index, right] of before.entries()) {
    const passing = new Arena(gpu)
    try {
      // With its padding, which makes rows of zeros: the product below takes whole strides.
      const share = shares[index]
      const turned = transpose(recorder, passing, { ...share, cols: share.stride })
      for (const [above, { matrix }] of before.slice(0, index + 1).entries()) {
        const range = { leftFirst: 0, depth: shares[above].stride, rightFirst: 0, rightCol: right.first }
        const end = { firstCol: right.first, endCol: right.first + turned.stride }
        subtractProduct(recorder, { left: shares[above], right: turned, target: matrix }, { ...range, ...end })
        await submit()
      }
    } finally {
      recorder.submit()
      passing.release()
    }
  }
  for (const [index, { matrix }] of before.entries()) {
    const passing = new Arena(gpu)
    try {
      const coupling = matmulNn(recorder, passing, shares[index], block.matrix)
      copyColumns(recorder, coupling, matrix, { from: 0, to: columns.first, cols: columns.cols })
      await submit()
    } finally {
      recorder.submit()
      passing.release()
    }
  }
}
