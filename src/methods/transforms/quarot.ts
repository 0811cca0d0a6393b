import { describeHadamard, type HadamardPlan, planHadamard } from '../../core/hadamard'
import { randomSigns } from '../../core/random'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { hadamard } from '../../gpu/kernels/hadamard'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform, Transform } from '../method'

/**
 * Randomized Hadamard rotation of the reduction axis: T = diag(signs) · H_n / √n, X' = X T, W' = W T. Nothing is
 * learned. W' stays in f32 until it is quantized. Throws InputError MD-01 for widths without a matrix.
 * Source: QuaRot, arXiv 2404.00456.
 */
export const quarot: Transform = {
  id: 'quarot',
  label: 'Random Hadamard rotation',
  source: 'QuaRot, arXiv 2404.00456',
  options: [
    {
      key: 'signs',
      label: 'Random signs',
      help:
        'Flips channels at random (from the seed) before the Hadamard matrix. Turn off to see why: a common offset of ' +
        'all channels then ends up in one rotated channel.',
      kind: 'choice',
      default: 'on',
      choices: ['on', 'off'],
    },
  ],
  fit: async (input, context) => fitRotation(input, context),
}

function fitRotation({ weight, options }: FitInput, { gpu, arena, seed, signal }: Context): FittedTransform {
  signal.throwIfAborted()
  const plan = planHadamard(weight.cols, seed)
  const signs = options.signs === 'off' ? null : randomSigns(weight.cols, seed)
  const rotate = (matrix: GpuMatrix) => {
    const recorder = new Recorder(gpu)
    const rotated = hadamard(recorder, arena, matrix, { ...plan, signs })
    recorder.submit()
    return rotated
  }
  const notes = [describeHadamard(plan), signs ? `Random signs from seed ${seed}.` : 'Without random signs.']
  const report = { notes, training: null, onlineOperations: operations(plan) }
  return { weight: rotate(weight), apply: rotate, clip: null, report }
}

/** Additions per token of the butterfly, and multiply-adds of the outer matrix. */
function operations({ n, order, log2 }: HadamardPlan): number {
  return n * (log2 + (order === 1 ? 0 : order))
}
