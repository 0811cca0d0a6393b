import type { IntegerQuantizer, Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipRanges } from '../../gpu/kernels/clip-ranges'
import { fakeQuantize, fakeQuantizeWithin } from '../../gpu/kernels/fake-quantize'
import type { Recorder } from '../../gpu/recorder'
import type { Clip } from '../method'
import { clipActivations } from './clip-activations'

/** Symmetric integers with a scale per row. */
export type RowIntegers = IntegerQuantizer & { readonly group: 'row'; readonly scheme: 'sym-max' | 'sym-half' }

/**
 * Whether the clip of an activation row shrinks the range its scale is taken from, and the codes do the clamping, as in
 * FlatQuant's integer quantizer: the smaller side of a row then loses nothing. Otherwise elements are clamped first;
 * under asymmetric integers with a scale per row both come to the same.
 */
export function clipSetsRange(quantizer: Quantizer): quantizer is RowIntegers {
  return quantizer.family === 'integer' && quantizer.group === 'row' && quantizer.scheme !== 'asym'
}

/** X' clipped where the transform says so, and rounded. [tokens, in] -> same. */
export function roundActivations(
  recorder: Recorder,
  arena: Arena,
  activations: GpuMatrix,
  { quantizer, clip }: { readonly quantizer: Quantizer; readonly clip: Clip | null },
): GpuMatrix {
  if (!clip?.activation || !clipSetsRange(quantizer)) {
    return fakeQuantize(recorder, arena, clipActivations(recorder, arena, activations, clip), quantizer)
  }
  const values = clipActivations(recorder, arena, activations, { ...clip, activation: null })
  const ranges = clipRanges(recorder, arena, values, clip.activation)
  return fakeQuantizeWithin(recorder, arena, values, { quantizer, ranges })
}
