import { clipRows } from '../../gpu/kernels/clip-rows'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { Recorder } from '../../gpu/recorder'
import type { Mitigation } from '../method'

/** Every weight becomes the nearest code of its own block, after the transform's clip if it has one. */
export const roundToNearest: Mitigation = {
  id: 'round-to-nearest',
  label: 'Round to nearest',
  source: 'OCP Microscaling Formats (MX) v1.0, conversion',
  options: [],
  quantizeWeight: async ({ weight, clip }, { config }, { gpu, arena, signal }) => {
    signal.throwIfAborted()
    if (!config.weight) return { weight, notes: [] }
    const recorder = new Recorder(gpu)
    const bounds = clip?.weight
    const clipped = bounds ? clipRows(recorder, arena, weight, { shared: false, bounds }) : weight
    const quantized = fakeQuantize(recorder, arena, clipped, config.weight)
    recorder.submit()
    return { weight: quantized, notes: [] }
  },
}
