/**
 * The triangular factor GPTQ walks through. H is the damped Gram matrix in processing order, J the reversal of indices,
 * L = chol(J H J): then U = J L⁻¹ J is upper with H⁻¹ = UᵀU, and H = (I+N) D (I+N)ᵀ with I+N = J L diag(L)⁻¹ J.
 */
import { type CholeskyPair, choleskyWithInverse } from '../../core/cholesky'
import { InputError } from '../../core/errors'
import { Arena } from '../../gpu/arena'
import type { AdapterFacts } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import {
  beginCholesky,
  type CholeskyWork,
  eliminatePanel,
  NO_FAILED_PIVOT,
  panelOperations,
  panelsOf,
  reverseCholesky,
} from '../../gpu/kernels/cholesky'
import { Recorder } from '../../gpu/recorder'
import { readFloats, readWords, uploadWords } from '../../gpu/transfer'
import type { Context } from '../method'
import { operationsPerSubmit, pacedSubmit } from '../pace'
import type { Hessian } from './hessian'

/** 'inverse': U. 'unit': I + N, for scales that are known beforehand. */
export type FactorForm = 'inverse' | 'unit'

/** Where a factor is computed: in float64 on the CPU, beside the engine, or in f32 on the GPU. */
export type FactorPlace = 'cpu' | 'gpu'

export interface FactorRequest {
  /** The channel at each place of the processing order (order.ts). */
  readonly order: Uint32Array<ArrayBuffer>
  /** λ: λ · mean of the live diagonal is added to the diagonal. */
  readonly damping: number
  readonly form: FactorForm
  readonly place: FactorPlace
}

export interface GptqFactor {
  /** U or I + N [in, in] in processing order, zero below the diagonal; in the context's arena. */
  readonly matrix: GpuMatrix
  /** The λ that was used: the one asked for, or the first larger one of DAMPING_STEPS with positive pivots. */
  readonly damping: number
  readonly place: FactorPlace
}

/** What λ is raised to, in turn, when H is not positive definite in the arithmetic at hand. */
export const DAMPING_STEPS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1] as const

/** Up to this width the float64 factor takes one to two seconds and is the better one; a software adapter takes four times that. */
const CPU_CHANNELS = 2048
const CPU_CHANNELS_SOFTWARE = 4096

/** Below this λ f32 pivots of a rank-deficient H are mostly rounding error. */
const SMALLEST_F32_DAMPING = 0.001

const STAGE = 'GPTQ factor'

/** Where the factor of `channels` channels with damping λ is best computed on this adapter. */
export function factorPlace(
  { adapter }: { readonly adapter: Pick<AdapterFacts, 'isSoftware'> },
  channels: number,
  damping: number,
): FactorPlace {
  const takesLong = channels > (adapter.isSoftware ? CPU_CHANNELS_SOFTWARE : CPU_CHANNELS)
  const needsFloat64 = damping < SMALLEST_F32_DAMPING && channels <= CPU_CHANNELS_SOFTWARE
  return takesLong && !needsFloat64 ? 'gpu' : 'cpu'
}

/**
 * The factor of the damped, reordered Gram matrix. A dead channel counts with the mean diagonal of the live ones, which
 * keeps it apart from them without touching them.
 *
 * Shapes: gram [in, in] -> [in, in]. Accuracy: that of a backward stable factor of a matrix with condition at most
 * 1 + in / λ, in float64 (rounded to f32 at the end) or f32.
 * Throws InputError MD-05 when there are non-positive pivots even at λ = 1; the AbortError of the context's signal between
 * panels. Not for a Hessian whose channels are all dead.
 */
export async function factorHessian(hessian: Hessian, request: FactorRequest, context: Context): Promise<GptqFactor> {
  if (hessian.meanDiagonal === 0) throw new InputError('BUG', 'GPTQ factor: expected a live channel, found none')
  const attempt = await attemptFactor(hessian, request, context)
  const steps = dampingSteps(request.damping)
  let failed = -1
  for (const damping of steps) {
    const outcome = await attempt(damping)
    context.signal.throwIfAborted()
    if (typeof outcome !== 'number') return { matrix: outcome, damping, place: request.place }
    failed = outcome
  }
  throw notPositive(failed, steps)
}

/** Every λ that is tried, in turn. */
export function dampingSteps(damping: number): number[] {
  return [damping, ...DAMPING_STEPS.filter((step) => step > damping)]
}

/** What is thrown when the pivot of `channel` is not positive at the last of `steps`. */
export function notPositive(channel: number, steps: readonly number[]): InputError {
  return new InputError(
    'MD-05',
    `GPTQ factor: expected a positive definite matrix, found a pivot that is not positive at channel ${channel}, ` +
      `damping ${steps.join(', ')}.`,
  )
}

/** One factorisation with damping λ: the factor, or the channel whose pivot failed. */
type Attempt = (damping: number) => Promise<GpuMatrix | number>

/** What a factorisation reads: the mean stands for a zero on the diagonal, and λ is a multiple of it. */
type FactorSource = Pick<Hessian, 'gram' | 'meanDiagonal'>

/** Factorisations of one matrix; see factorHessian. */
export async function attemptFactor(
  source: FactorSource,
  request: Omit<FactorRequest, 'damping'>,
  context: Context,
): Promise<Attempt> {
  return request.place === 'gpu' ? gpuAttempt(source, request, context) : cpuAttempt(source, request, context)
}

async function cpuAttempt(
  { gram, meanDiagonal }: FactorSource,
  request: Omit<FactorRequest, 'damping'>,
  context: Context,
): Promise<Attempt> {
  const { gpu, arena, signal } = context
  const { order } = request
  const empty = () => arena.matrix(gram.rows, gram.cols, `GPTQ ${request.form}`)
  if (gpu.isRehearsal) return async () => empty()
  const last = order.length - 1
  const values = await readFloats(gpu, gram.buffer, gram.rows * gram.stride)
  return async (damping) => {
    const shift = damping * meanDiagonal
    const element = (row: number, col: number) => {
      const value = values[order[last - row] * gram.stride + order[last - col]]
      if (row !== col) return value
      return (value === 0 ? meanDiagonal : value) + shift
    }
    const onPanel = (done: number, total: number) => context.onProgress({ stage: STAGE, done, total })
    const outcome = await choleskyWithInverse(order.length, element, { signal, onPanel })
    if (outcome.kind === 'failed') return order[last - outcome.index]
    const target = empty()
    gpu.device.queue.writeBuffer(target.buffer, 0, triangleOf(outcome, request.form, target.stride))
    return target
  }
}

/** U or I + N of a pair, rows padded to `stride`. */
function triangleOf(pair: CholeskyPair, form: FactorForm, stride: number): Float32Array<ArrayBuffer> {
  const { size, data } = pair
  const last = size - 1
  const triangle = new Float32Array(size * stride)
  for (let i = 0; i < size; i++) {
    const row = last - i
    for (let j = i; j < size; j++) {
      const col = last - j
      const diagonal = data[col * pair.stride + col]
      let value = data[row * pair.stride + col]
      // L[row, col] is Lᵀ[col, row].
      if (form === 'unit') value = data[col * pair.stride + row] / diagonal
      else if (row === col) value = 1 / diagonal
      triangle[i * stride + j] = value
    }
  }
  return triangle
}

function gpuAttempt(hessian: FactorSource, request: Omit<FactorRequest, 'damping'>, context: Context): Attempt {
  const { gpu } = context
  return async (damping) => {
    const kept = new Arena(gpu)
    const spent = new Arena(gpu)
    try {
      const { order, form } = request
      const work = await eliminate(hessian, { kept, spent, order, damping }, context)
      const [failed] = await readWords(gpu, work.info, 1)
      if (failed !== NO_FAILED_PIVOT) return order[work.size - 1 - failed]
      // The triangle takes the memory of what is eliminated.
      spent.release()
      const recorder = new Recorder(gpu)
      const matrix = reverseCholesky(recorder, context.arena, { work, form })
      recorder.submit()
      return matrix
    } finally {
      spent.release()
      kept.release()
    }
  }
}

interface Elimination {
  readonly kept: Arena
  readonly spent: Arena
  readonly order: Uint32Array<ArrayBuffer>
  readonly damping: number
}

/** Gathers and eliminates, several panels per submit, and reports them. */
async function eliminate(
  { gram, meanDiagonal }: FactorSource,
  { kept, spent, order, damping }: Elimination,
  { gpu, signal, onProgress }: Context,
): Promise<CholeskyWork> {
  const recorder = new Recorder(gpu)
  const submit = pacedSubmit(recorder, signal)
  const budget = operationsPerSubmit(gpu)
  const work = beginCholesky(
    recorder,
    { kept, spent },
    {
      gram,
      order: uploadWords(gpu, spent, order, 'processing order'),
      deadDiagonal: meanDiagonal,
      shift: damping * meanDiagonal,
    },
  )
  const panels = panelsOf(work)
  let operations = 0
  for (let panel = 0; panel < panels; panel++) {
    eliminatePanel(recorder, work, panel)
    operations += panelOperations(work, panel)
    if (operations < budget && panel < panels - 1) continue
    await submit()
    operations = 0
    onProgress({ stage: STAGE, done: panel + 1, total: panels })
  }
  return work
}
