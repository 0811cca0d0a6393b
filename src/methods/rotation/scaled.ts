import { Arena } from '../../gpu/arena'
import { describeFolding, scaled, uploadScaling } from '../channel-scaling/scaling'
import { gatherSmoothing } from '../channel-scaling/smoothing'
import type { Context, FitInput, FittedTransform } from '../method'
import { fitBlockHadamard } from './block'
import { fitHadamard } from './fit'

/** Fits transforms/scaled-hadamard.ts. */
export async function fitScaledRotation(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal } = context
  const { weight, options } = input
  signal.throwIfAborted()
  const { scale, notes } = await gatherSmoothing(gpu, input)
  signal.throwIfAborted()
  const scaling = uploadScaling(gpu, arena, scale)
  const scratch = new Arena(gpu)
  try {
    const scaledWeight = scaled(gpu, scratch, weight, scaling.scale)
    const rotation = await (options.rotation === 'block'
      ? fitBlockHadamard({ ...input, weight: scaledWeight, options: { size: 'scale-block' } }, context)
      : fitHadamard({ ...input, weight: scaledWeight, options: { signs: 'on' } }, context))
    const apply: FittedTransform['apply'] = (activations) => {
      const passing = new Arena(gpu)
      try {
        return rotation.apply(scaled(gpu, passing, activations, scaling.inverse))
      } finally {
        passing.release()
      }
    }
    const { report } = rotation
    return {
      weight: rotation.weight,
      apply,
      clip: null,
      report: {
        notes: [...notes, ...report.notes, describeFolding(weight.cols)],
        training: null,
        onlineOperations: report.onlineOperations + weight.cols,
        onlineBytes: report.onlineBytes + 2 * weight.cols,
      },
    }
  } finally {
    scratch.release()
  }
}
