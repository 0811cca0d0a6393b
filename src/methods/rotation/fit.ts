import { describeHadamard, type HadamardPlan, planHadamard } from '../../core/hadamard'
import { randomSigns } from '../../core/random'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { hadamard } from '../../gpu/kernels/hadamard'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform } from '../method'

/** Fits transforms/quarot.ts. */
export function fitHadamard({ weight, options }: FitInput, { gpu, arena, seed, signal }: Context): FittedTransform {
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
  const onlineBytes = signs ? Math.ceil(weight.cols / 8) : 0
  const report = { notes, training: null, onlineOperations: operations(plan), onlineBytes }
  return { weight: rotate(weight), apply: rotate, clip: null, report }
}

/** Additions per token of the butterfly, and multiply-adds of the outer matrix. */
function operations({ n, order, log2 }: HadamardPlan): number {
  return n * (log2 + (order === 1 ? 0 : order))
}
