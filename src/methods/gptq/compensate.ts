import { Arena } from '../../gpu/arena'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform, QuantizedWeight } from '../method'
import { clipWeight } from '../rounding/clip-weight'
import { gatherHessian } from './hessian'
import { gptqChoices } from './options'
import { quantizeWithGptq } from './quantize-weight'

/**
 * W' clipped by the transform's bounds, if it has any, and rounded by GPTQ on X'; as it is where the setting leaves weights
 * alone. Throws what `gptqChoices` and `quantizeWithGptq` throw.
 */
export async function compensate(
  { weight, apply, clip }: FittedTransform,
  { calibration, config, options }: FitInput,
  context: Context,
): Promise<QuantizedWeight> {
  const { gpu, signal } = context
  signal.throwIfAborted()
  const choices = gptqChoices(options)
  const quantizer = config.weight
  if (!quantizer) {
    return { weight, correction: null, notes: ['The weight stays in full precision: nothing to compensate.'] }
  }
  const scratch = new Arena(gpu)
  try {
    const recorder = new Recorder(gpu)
    const clipped = clipWeight(recorder, scratch, weight, clip)
    recorder.submit()
    const hessianOf = () => gatherHessian(apply(calibration), { ...context, arena: scratch })
    const result = await quantizeWithGptq(clipped, hessianOf, { ...choices, quantizer }, context)
    return { weight: result.weight, correction: null, notes: result.notes }
  } finally {
    scratch.release()
  }
}
