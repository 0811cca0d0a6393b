import { InputError } from '../core/errors'
import type { Gpu } from './device'
import type { Kernel, Overrides } from './pipeline-cache'

/** One kernel call. `uniforms` are 4-byte words in the order of the WGSL struct; mark floats with `f32()`. */
export interface Dispatch {
  readonly overrides?: Overrides
  readonly uniforms: readonly Uniform[]
  /** In the order of kernel.bindings. */
  readonly buffers: readonly GPUBuffer[]
  /** Total workgroups; folded into two dimensions above 65,535 (shaders read them back through workgroup_index). */
  readonly workgroups: number
}

type Uniform = number | { readonly f32: number }

/** Marks a uniform word as f32; plain numbers are u32. */
export function f32(value: number): Uniform {
  return { f32: value }
}

const SLOT_BYTES = 256
const SLOTS = 512
const MAX_GROUPS = 65_535

/**
 * Records dispatches into one command encoder and submits them together: one step, one submit. The only code that
 * makes bind groups and encodes passes. WebGPU orders dispatches and makes writes visible between them.
 */
export class Recorder {
  readonly gpu: Gpu
  #encoder: GPUCommandEncoder | null = null
  #pass: GPUComputePassEncoder | null = null
  #uniforms: { buffer: GPUBuffer; words: Uint32Array; used: number } | null = null

  constructor(gpu: Gpu) {
    this.gpu = gpu
  }

  dispatch(kernel: Kernel, call: Dispatch): void {
    if (call.buffers.length !== kernel.bindings.length) {
      throw new InputError(
        'BUG',
        `${kernel.name}: expected ${kernel.bindings.length} buffers, found ${call.buffers.length}`,
      )
    }
    const pipeline = this.gpu.pipelines.get(kernel, call.overrides)
    const { buffer, offset } = this.#writeUniforms(call.uniforms)
    const entries = call.buffers.map((storage, index) => ({ binding: index + 1, resource: { buffer: storage } }))
    const group = this.gpu.device.createBindGroup({
      label: kernel.name,
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer, size: SLOT_BYTES } }, ...entries],
    })
    this.#pass ??= this.#openEncoder().beginComputePass({
      label: kernel.name,
      timestampWrites: this.gpu.passClock?.timestampWrites(),
    })
    this.#pass.setPipeline(pipeline)
    this.#pass.setBindGroup(0, group, [offset])
    const x = Math.min(call.workgroups, MAX_GROUPS)
    this.#pass.dispatchWorkgroups(x, Math.ceil(call.workgroups / x))
  }

  /** Fills `buffer` with zeros. */
  clear(buffer: GPUBuffer, offset = 0, bytes = buffer.size - offset): void {
    this.#endPass()
    this.#openEncoder().clearBuffer(buffer, offset, bytes)
  }

  /** Copies bytes between buffers. */
  copy(from: GPUBuffer, to: GPUBuffer, bytes: number, offsets: { from?: number; to?: number } = {}): void {
    this.#endPass()
    this.#openEncoder().copyBufferToBuffer(from, offsets.from ?? 0, to, offsets.to ?? 0, bytes)
  }

  /** Sends everything recorded so far to the GPU. The recorder can be used again afterwards. */
  submit(): void {
    this.#endPass()
    const { device, pool } = this.gpu
    if (this.#uniforms) {
      device.queue.writeBuffer(
        this.#uniforms.buffer,
        0,
        this.#uniforms.words,
        0,
        this.#uniforms.used * (SLOT_BYTES / 4),
      )
      pool.uniforms.push(this.#uniforms.buffer)
      this.#uniforms = null
    }
    if (this.#encoder) device.queue.submit([this.#encoder.finish()])
    this.#encoder = null
  }

  #openEncoder(): GPUCommandEncoder {
    this.#encoder ??= this.gpu.device.createCommandEncoder({ label: 'step' })
    return this.#encoder
  }

  #endPass(): void {
    this.#pass?.end()
    this.#pass = null
  }

  /** Every dispatch gets its own 256-byte slot; the whole block is uploaded once, at submit. */
  #writeUniforms(uniforms: readonly Uniform[]): { buffer: GPUBuffer; offset: number } {
    if (this.#uniforms?.used === SLOTS) this.submit()
    this.#uniforms ??= {
      buffer: this.gpu.pool.uniforms.pop() ?? this.#createUniformBuffer(),
      words: new Uint32Array((SLOTS * SLOT_BYTES) / 4),
      used: 0,
    }
    const { buffer, words } = this.#uniforms
    const offset = this.#uniforms.used * SLOT_BYTES
    const floats = new Float32Array(words.buffer)
    uniforms.forEach((value, index) => {
      if (typeof value === 'number') words[offset / 4 + index] = value
      else floats[offset / 4 + index] = value.f32
    })
    this.#uniforms.used += 1
    return { buffer, offset }
  }

  #createUniformBuffer(): GPUBuffer {
    return this.gpu.device.createBuffer({
      label: 'uniforms',
      size: SLOTS * SLOT_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
  }
}
