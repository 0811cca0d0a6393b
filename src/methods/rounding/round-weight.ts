import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { quantize } from '../../gpu/kernels/quantize'
import { Recorder } from '../../gpu/recorder'
import type { Context, FitInput, FittedTransform, QuantizedWeight, RowQuantizer } from '../method'
import { clipWeight } from './clip-weight'

/** W' clipped by the transform's bounds, if it has any, and rounded; as it is where the setting leaves weights alone. */
export function roundWeight(
  { weight, clip }: Pick<FittedTransform, 'weight' | 'clip'>,
  { config }: Pick<FitInput, 'config'>,
  { gpu, arena, signal }: Context,
): QuantizedWeight {
  signal.throwIfAborted()
  const quantizer = config.weight
  if (!quantizer) return { weight, correction: null, pack: null, notes: [] }
  const recorder = new Recorder(gpu)
  const clipped = clipWeight(recorder, arena, weight, clip)
  const quantized = fakeQuantize(recorder, arena, clipped, quantizer)
  recorder.submit()
  const pack: QuantizedWeight['pack'] = (then, inner) => quantize(then, inner, clipped, quantizer)
  return { weight: quantized, correction: null, pack, notes: [] }
}

/** roundWeight for rows of a weight without clip: they have nothing to share. */
export function prepareRounding(input: Pick<FitInput, 'config'>): RowQuantizer {
  return { quantize: async (weight, own) => roundWeight({ weight, clip: null }, input, own).weight, notes: [] }
}
