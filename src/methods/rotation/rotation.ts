import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { Recorder } from '../../gpu/recorder'
import type { Context, FittedTransform, KnownRotation, OnlineStep } from '../method'

/** An orthogonal matrix T of a layer's channels; the notes say which. */
export interface Rotation extends KnownRotation {
  /** `rotate` for a row of activations, as data. */
  readonly online: OnlineStep
}

/** X' = X T, W' = W T. */
export function fitRotation(weight: GpuMatrix, rotation: Rotation, { gpu, arena }: Context): FittedTransform {
  const apply = (matrix: GpuMatrix) => {
    const recorder = new Recorder(gpu)
    const rotated = rotation.rotate(recorder, arena, matrix)
    recorder.submit()
    return rotated
  }
  const { notes, onlineOperations, onlineBytes } = rotation
  const report = { notes, training: null, onlineOperations, onlineBytes }
  return { weight: apply(weight), apply, online: [rotation.online], clip: null, report }
}
