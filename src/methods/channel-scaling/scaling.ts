import { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { scaleColumns } from '../../gpu/kernels/scale-columns'
import { Recorder } from '../../gpu/recorder'
import { uploadWords } from '../../gpu/transfer'
import type { OnlineStep } from '../method'
import { scaleStep } from '../online'

/** A scale per channel on the GPU, and its reciprocal: W' = W · diag(s), X' = X · diag(1 / s). */
export interface ChannelScaling {
  /** s [in], f32 */
  readonly scale: GPUBuffer
  /** 1 / s [in], each rounded once */
  readonly inverse: GPUBuffer
  /** X · diag(1 / s) */
  readonly online: OnlineStep
}

export function uploadScaling(gpu: Gpu, arena: Arena, scale: Float32Array<ArrayBuffer>): ChannelScaling {
  const inverse = scale.map((s) => 1 / s)
  return {
    scale: uploadWords(gpu, arena, scale, 'channel scale'),
    inverse: uploadWords(gpu, arena, inverse, 'inverse channel scale'),
    online: scaleStep(inverse),
  }
}

/** `matrix` · diag(factors), submitted. */
export function scaled(gpu: Gpu, arena: Arena, matrix: GpuMatrix, factors: GPUBuffer): GpuMatrix {
  const recorder = new Recorder(gpu)
  const out = scaleColumns(recorder, arena, matrix, factors)
  recorder.submit()
  return out
}

/** One sentence on what a lone layer pays for a scale per channel, and a network does not. */
export function describeFolding(channels: number): string {
  return (
    `X / s is counted online (${channels} multiplications per token): a lone layer has nothing to fold 1 / s into. ` +
    'In a network it folds into the norm or the linear layer before this one.'
  )
}

/** How many channels keep s = 1 because no calibration row uses them; nothing when there are none. */
export function describeDead(count: number): readonly string[] {
  if (count === 0) return []
  return [`Channels that are zero on all calibration rows and keep s = 1: ${count}.`]
}

/** `body` with an arena that is released after it. */
export async function withScratch<Result>(gpu: Gpu, body: (scratch: Arena) => Promise<Result>): Promise<Result> {
  const scratch = new Arena(gpu)
  try {
    return await body(scratch)
  } finally {
    scratch.release()
  }
}
