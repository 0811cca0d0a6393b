import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipBlocks } from '../../gpu/kernels/clip-blocks'
import { clipRows } from '../../gpu/kernels/clip-rows'
import type { Recorder } from '../../gpu/recorder'
import type { Clip } from '../method'

/** `activations` as they go into rounding: rows, then blocks clamped where the transform says so. [tokens, in] -> same. */
export function clipActivations(
  recorder: Recorder,
  arena: Arena,
  activations: GpuMatrix,
  clip: Clip | null,
): GpuMatrix {
  const bounds = clip?.activation
  const rows = bounds ? clipRows(recorder, arena, activations, { shared: true, bounds }) : activations
  return clip?.activationBlocks ? clipBlocks(recorder, arena, rows, clip.activationBlocks) : rows
}
