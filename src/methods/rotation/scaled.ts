import { Arena } from '../../gpu/arena'
import { describeFolding, scaled, uploadScaling } from '../channel-scaling/scaling'
import { gatherSmoothing } from '../channel-scaling/smoothing'
import type { Context, FitInput, FittedTransform } from '../method'
import { blockRotation } from './block'
import { fullHadamard } from './full'
import { fitRotation } from './rotation'

/** Fits transforms/scaled-hadamard.ts. */
export async function fitScaledRotation(input: FitInput, context: Context): Promise<FittedTransform> {
  const { gpu, arena, signal, seed } = context
  const { weight, config, options } = input
  signal.throwIfAborted()
  const rotation =
    options.rotation === 'block'
      ? blockRotation(weight.cols, config, 'scale-block')
      : fullHadamard(weight.cols, { seed, signs: true })
  const { scale, notes } = await gatherSmoothing(gpu, input)
  signal.throwIfAborted()
  const scaling = uploadScaling(gpu, arena, scale)
  const scratch = new Arena(gpu)
  try {
    const scaledWeight = scaled(gpu, scratch, weight, scaling.scale)
    const fitted = fitRotation(scaledWeight, rotation, context)
    const apply: FittedTransform['apply'] = (activations) => {
      const passing = new Arena(gpu)
      try {
        return fitted.apply(scaled(gpu, passing, activations, scaling.inverse))
      } finally {
        passing.release()
      }
    }
    return {
      weight: fitted.weight,
      apply,
      online: [scaling.online, rotation.online],
      clip: null,
      report: {
        notes: [...notes, ...rotation.notes, describeFolding(weight.cols)],
        training: null,
        onlineOperations: rotation.onlineOperations + weight.cols,
        onlineBytes: rotation.onlineBytes + 2 * weight.cols,
      },
    }
  } finally {
    scratch.release()
  }
}
