import { InputError } from '../../core/errors'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { diagonal } from '../../gpu/kernels/diagonal'
import { addGram, gramSlabRows } from '../../gpu/kernels/gram'
import { Recorder } from '../../gpu/recorder'
import { readFloats } from '../../gpu/transfer'
import type { CalibrationPieces, Context } from '../method'
import { once } from '../once'
import { pacedSubmit } from '../pace'

export const STATISTICS_STAGE = 'GPTQ statistics'

/** What GPTQ knows of the calibration rows. H without its factor 2 / tokens, which cancels everywhere. */
export interface Hessian extends HessianFacts {
  /** H = X'ᵀ X' [in, in], symmetric, in the order of the channels; in the context's arena. */
  readonly gram: GpuMatrix
}

/** H as far as it can be told in a vector. */
export interface HessianFacts {
  readonly tokens: number
  /** H_jj of every channel. */
  readonly diagonal: Float32Array
  /** Channels with H_jj = 0: no calibration row uses them. All of them: GPTQ is rounding to nearest. */
  readonly deadChannels: number
  /** Mean and median of H_jj over the other channels; 0 when there are none. */
  readonly meanDiagonal: number
  readonly medianDiagonal: number
}

/** The name of `sharedHessian` among the shared results of its rows. */
export const GRAM = 'gram'

/** gatherHessian of the calibration rows at hand, computed once for all methods that read it. */
export function sharedHessian(calibration: () => GpuMatrix, context: Context): Promise<Hessian> {
  return once(context, GRAM, (own) => gatherHessian(calibration(), own))
}

/**
 * The Gram matrix of the calibration rows with the statistics of its diagonal.
 *
 * Shapes: calibration [tokens, in] -> gram [in, in]. Accuracy: that of `addGram`.
 * Throws InputError without rows, the AbortError of the context's signal between slabs of tokens.
 */
export async function gatherHessian(calibration: GpuMatrix, context: Context): Promise<Hessian> {
  const { rows: tokens, cols: channels } = calibration
  return gatherFromPieces({ channels, tokens, forEach: (visit) => visit(calibration) }, context)
}

/** The same of calibration rows in pieces; those of one Gram matrix that fits one buffer. */
export async function gatherFromPieces(pieces: CalibrationPieces, context: Context): Promise<Hessian> {
  const { tokens, channels: cols } = pieces
  if (tokens === 0) throw new InputError('BUG', 'GPTQ statistics: expected calibration rows, found none')
  const { gpu, signal } = context
  signal.throwIfAborted()
  const gram = context.arena.matrix(cols, cols, 'gram')
  const scratch = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const submit = pacedSubmit(recorder, signal)
    let done = 0
    await pieces.forEach(async (x) => {
      const step = gramSlabRows(gpu, x.rows, cols)
      for (let begin = 0; begin < x.rows; begin += step) {
        const end = Math.min(x.rows, begin + step)
        addGram(recorder, x, { target: gram, begin, end, adds: done > 0 })
        await submit()
        done += end - begin
        context.onProgress({ stage: STATISTICS_STAGE, done, total: tokens })
      }
    })
    const onGpu = diagonal(recorder, scratch, gram)
    recorder.submit()
    const values = await readFloats(gpu, onGpu, cols)
    return { gram, tokens, diagonal: values, ...diagonalStatistics(values) }
  } finally {
    scratch.release()
  }
}

/** Dead channels, and mean and median of the live ones. */
export function diagonalStatistics(
  values: Float32Array,
): Pick<Hessian, 'deadChannels' | 'meanDiagonal' | 'medianDiagonal'> {
  const live = Float64Array.from(values.filter((value) => value !== 0)).sort()
  const count = live.length
  if (count === 0) return { deadChannels: values.length, meanDiagonal: 0, medianDiagonal: 0 }
  return {
    deadChannels: values.length - count,
    meanDiagonal: live.reduce((sum, value) => sum + value, 0) / count,
    medianDiagonal: (live[(count - 1) >> 1] + live[count >> 1]) / 2,
  }
}

/**
 * Damping as a multiple of a typical channel's own diagonal: λ · mean / median. Above 1 a few large channels set a damping
 * that all others feel; λ divided by this number would be 1.
 */
export function dampingOverMedian({ meanDiagonal, medianDiagonal }: HessianFacts, damping: number): number {
  return (damping * meanDiagonal) / medianDiagonal
}
