import type { Arena } from '../../gpu/arena'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { clipBlocks } from '../../gpu/kernels/clip-blocks'
import { clipRows } from '../../gpu/kernels/clip-rows'
import type { Recorder } from '../../gpu/recorder'
import type { Clip } from '../method'

/** `weight` as it goes into rounding: its rows, then its blocks clamped where the transform says so. [out, in] -> same. */
export function clipWeight(recorder: Recorder, arena: Arena, weight: GpuMatrix, clip: Clip | null): GpuMatrix {
  const rows = clip?.weight ? clipRows(recorder, arena, weight, { shared: false, bounds: clip.weight }) : weight
  return clip?.weightBlocks ? clipBlocks(recorder, arena, rows, clip.weightBlocks) : rows
}
