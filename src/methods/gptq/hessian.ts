import { InputError } from '../../core/errors'
import { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { diagonal } from '../../gpu/kernels/diagonal'
import { addGram, gramSlabRows } from '../../gpu/kernels/gram'
import { Recorder } from '../../gpu/recorder'
import { readFloats } from '../../gpu/transfer'
import type { Context } from '../method'
import { pacedSubmit } from '../pace'

/** What GPTQ knows of the calibration rows. H without its factor 2 / tokens, which cancels everywhere. */
export interface Hessian {
  /** H = X'ᵀ X' [in, in], symmetric, in the order of the channels; in the context's arena. */
  readonly gram: GpuMatrix
  readonly tokens: number
  /** H_jj of every channel. */
  readonly diagonal: Float32Array
  /** Channels with H_jj = 0: no calibration row uses them. All of them: GPTQ is rounding to nearest. */
  readonly deadChannels: number
  /** Mean and median of H_jj over the other channels; 0 when there are none. */
  readonly meanDiagonal: number
  readonly medianDiagonal: number
}

/**
 * The Gram matrix of the calibration rows with the statistics of its diagonal.
 *
 * Shapes: calibration [tokens, in] -> gram [in, in]. Accuracy: that of `addGram`.
 * Throws InputError without rows, the AbortError of the context's signal between slabs of tokens.
 */
export async function gatherHessian(calibration: GpuMatrix, context: Context): Promise<Hessian> {
  const { rows: tokens, cols } = calibration
  if (tokens === 0) throw new InputError('BUG', 'GPTQ statistics: expected calibration rows, found none')
  const { gpu, signal } = context
  signal.throwIfAborted()
  const gram = context.arena.matrix(cols, cols, 'gram')
  const scratch = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const submit = pacedSubmit(recorder, signal)
    const step = gramSlabRows(gpu, tokens, cols)
    for (let begin = 0; begin < tokens; begin += step) {
      const end = Math.min(tokens, begin + step)
      addGram(recorder, calibration, { target: gram, begin, end })
      await submit()
      context.onProgress({ stage: 'GPTQ statistics', done: end, total: tokens })
    }
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
export function dampingOverMedian({ meanDiagonal, medianDiagonal }: Hessian, damping: number): number {
  return (damping * meanDiagonal) / medianDiagonal
}
