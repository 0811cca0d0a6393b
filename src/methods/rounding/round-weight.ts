import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform, QuantizedWeight } from '../method'
import { clipWeight } from './clip-weight'

/** W' clipped by the transform's bounds, if it has any, and rounded; as it is where the setting leaves weights alone. */
export function roundWeight(
  { weight, clip }: FittedTransform,
  { config }: FitInput,
  { gpu, arena, signal }: Context,
): QuantizedWeight {
  signal.throwIfAborted()
  if (!config.weight) return { weight, correction: null, notes: [] }
  const recorder = new Recorder(gpu)
  const clipped = clipWeight(recorder, arena, weight, clip)
  const quantized = fakeQuantize(recorder, arena, clipped, config.weight)
  recorder.submit()
  return { weight: quantized, correction: null, notes: [] }
}
