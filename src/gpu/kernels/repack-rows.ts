import workgroupIndex from '../../../shaders/lib/workgroup_index.wgsl?raw'
import source from '../../../shaders/repack_rows.wgsl?raw'
import type { Arena } from '../arena'
import type { GpuMatrix } from '../gpu-matrix'
import type { Kernel } from '../pipeline-cache'
import type { Recorder } from '../recorder'

const WORKGROUP_SIZE = 64

export const repackRowsKernel: Kernel = {
  name: 'repack_rows',
  code: source + workgroupIndex,
  bindings: ['read', 'write'],
}

/** The elements of `matrix` [rows, cols] without padding, as the factors of a Kronecker product are kept. Bit for bit. */
export function packRows(recorder: Recorder, arena: Arena, matrix: GpuMatrix): GPUBuffer {
  const { rows, cols, stride, buffer } = matrix
  const out = arena.buffer(4 * rows * cols, 'packed rows')
  repack(recorder, { rows, cols, from: stride, to: cols, source: buffer, out })
  return out
}

/** The matrix [rows, cols] whose elements lie in `packed` without padding. Bit for bit. */
export function padRows(
  recorder: Recorder,
  arena: Arena,
  packed: GPUBuffer,
  { rows, cols }: { rows: number; cols: number },
): GpuMatrix {
  const out = arena.matrix(rows, cols, 'padded rows')
  repack(recorder, { rows, cols, from: cols, to: out.stride, source: packed, out: out.buffer })
  return out
}

interface Repacking {
  readonly rows: number
  readonly cols: number
  /** Strides. */
  readonly from: number
  readonly to: number
  readonly source: GPUBuffer
  readonly out: GPUBuffer
}

function repack(recorder: Recorder, { rows, cols, from, to, source: input, out }: Repacking): void {
  recorder.dispatch(repackRowsKernel, {
    uniforms: [rows, cols, from, to],
    buffers: [input, out],
    workgroups: Math.ceil((rows * to) / WORKGROUP_SIZE),
  })
}
