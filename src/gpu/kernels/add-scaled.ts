import source from '../../../shaders/add_scaled.wgsl?raw'
import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import { InputError } from '../../core/errors'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import { f32, type Recorder } from '../recorder'

const WORKGROUP_SIZE = 256

export const addScaledKernel: Kernel = {
  name: 'add_scaled',
  code: source + workgroupIndex,
  bindings: ['read', 'read', 'write'],
}

/**
 * a + factor · b. Shapes: a, b [rows, cols] -> same, padding zero. Each element is rounded once where factor is 1 or −1,
 * at most twice otherwise. Throws InputError when the shapes differ.
 */
export function addScaled(recorder: Recorder, arena: Arena, a: GpuMatrix, b: GpuMatrix, factor: number): GpuMatrix {
  if (a.rows !== b.rows || a.cols !== b.cols) {
    throw new InputError('BUG', `add_scaled: expected [${a.rows}, ${a.cols}], found [${b.rows}, ${b.cols}]`)
  }
  const out = arena.matrix(a.rows, a.cols, 'sum')
  const count4 = (a.rows * a.stride) / 4
  recorder.dispatch(addScaledKernel, {
    overrides: { WORKGROUP_SIZE },
    uniforms: [count4, f32(factor)],
    buffers: [a.buffer, b.buffer, out.buffer],
    workgroups: Math.ceil(count4 / WORKGROUP_SIZE),
  })
  return out
}
