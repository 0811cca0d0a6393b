/**
 * A GPU for a rehearsal: code that runs on it asks for the pipelines it will ask for on the real one, and nothing is
 * computed. So what a run needs can be compiled ahead of it, and no list of kernels has to be kept by hand. Never a place
 * to get numbers from: whoever rehearses drops what comes back.
 */
import { createBufferPool } from './buffer-pool'
import type { Gpu } from './device'
import type { Kernel, Overrides, PipelineUse } from './pipeline-cache'

/** What a word that nobody uploaded reads back as: 1 as a float. Energies are positive, Gram matrices definite once damped. */
const WORD = 0x3f800000

/** A buffer without memory of its own. */
interface IdleBuffer {
  readonly label: string
  readonly size: number
  readonly usage: number
  /**
   * The last upload, or what was copied from a buffer with one: where learning starts, and flags that kernels change only
   * when something goes wrong. null: what kernels write.
   */
  content: ArrayBuffer | null
}

const contentOf = (buffer: GPUBuffer) => (buffer as unknown as IdleBuffer).content

function keep(buffer: GPUBuffer, content: ArrayBuffer | null): void {
  const idle = buffer as unknown as IdleBuffer
  idle.content = content
}

function createIdleBuffer({ label = '', size, usage }: GPUBufferDescriptor): GPUBuffer {
  const buffer = {
    ...{ label, size, usage, content: null as ArrayBuffer | null },
    destroy: () => {},
    unmap: () => {},
    mapAsync: async () => {},
    getMappedRange: () => {
      const words = new Uint32Array(size / 4).fill(WORD)
      if (buffer.content) words.set(new Uint32Array(buffer.content, 0, Math.min(size, buffer.content.byteLength) >> 2))
      return words.buffer
    },
  }
  return buffer as unknown as GPUBuffer
}

const IDLE_PASS = { setPipeline: () => {}, setBindGroup: () => {}, dispatchWorkgroups: () => {}, end: () => {} }

const IDLE_ENCODER = {
  beginComputePass: () => IDLE_PASS,
  clearBuffer: (buffer: GPUBuffer) => keep(buffer, new ArrayBuffer(buffer.size)),
  copyBufferToBuffer: (from: GPUBuffer, _from: number, to: GPUBuffer) => keep(to, contentOf(from)),
  finish: () => ({}),
}

const IDLE_QUEUE = {
  submit: () => {},
  onSubmittedWorkDone: async () => {},
  writeBuffer(buffer: GPUBuffer, _offset: number, data: Uint32Array | Float32Array | Int32Array | Uint8Array) {
    keep(buffer, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer)
  },
}

const IDLE_PIPELINE = { getBindGroupLayout: () => ({}) } as unknown as GPUComputePipeline

/** The part of a device that code of this project uses, with the limits of `device`. */
function createIdleDevice({ limits }: GPUDevice): GPUDevice {
  return {
    limits,
    lost: new Promise(() => {}),
    queue: IDLE_QUEUE,
    createBuffer: createIdleBuffer,
    createBindGroup: () => ({}),
    createCommandEncoder: () => IDLE_ENCODER,
    pushErrorScope: () => {},
    popErrorScope: async () => null,
  } as unknown as GPUDevice
}

/** The like of `gpu` for a rehearsal; `onUse` hears of every pipeline that is asked for, each time. */
export function createRehearsal(gpu: Gpu, onUse: (use: PipelineUse) => void): Gpu {
  const device = createIdleDevice(gpu.device)
  const pool = createBufferPool(device, { maxBytes: gpu.pool.limitBytes })
  return {
    ...gpu,
    device,
    // A buffer is used once: what one owner uploaded is nothing the next one reads.
    pool: { ...pool, release: () => {} },
    isRehearsal: true,
    pipelines: {
      get(kernel: Kernel, overrides: Overrides = {}) {
        onUse({ kernel, overrides })
        return IDLE_PIPELINE
      },
      async warm(kernel: Kernel, overrides: Overrides = {}) {
        onUse({ kernel, overrides })
      },
    },
  }
}
