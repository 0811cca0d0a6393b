import type { Matrix } from '../core/matrix'
import type { Arena } from './arena'
import type { Gpu } from './device'
import type { GpuMatrix } from './gpu-matrix'

/** Uploads a CPU matrix [rows, cols], padding rows with zeros. */
export function uploadMatrix(gpu: Gpu, arena: Arena, matrix: Matrix, label: string): GpuMatrix {
  const target = arena.matrix(matrix.rows, matrix.cols, label)
  let padded = matrix.data
  if (target.stride !== matrix.cols) {
    padded = new Float32Array(matrix.rows * target.stride)
    for (let row = 0; row < matrix.rows; row++) {
      padded.set(matrix.data.subarray(row * matrix.cols, (row + 1) * matrix.cols), row * target.stride)
    }
  }
  gpu.device.queue.writeBuffer(target.buffer, 0, padded as Float32Array<ArrayBuffer>)
  return target
}

/** Uploads words or floats into a new storage buffer. */
export function uploadWords(
  gpu: Gpu,
  arena: Arena,
  words: Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  label: string,
): GPUBuffer {
  const buffer = arena.buffer(words.byteLength, label)
  gpu.device.queue.writeBuffer(buffer, 0, words)
  return buffer
}

/** Waits for all submitted work and returns the first `bytes` of `buffer`. */
export async function readBuffer(gpu: Gpu, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const size = Math.ceil(Math.max(bytes, 4) / 4) * 4
  const staging = gpu.device.createBuffer({
    label: `read ${buffer.label}`,
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  })
  try {
    const encoder = gpu.device.createCommandEncoder({ label: `read ${buffer.label}` })
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size)
    gpu.device.queue.submit([encoder.finish()])
    await staging.mapAsync(GPUMapMode.READ)
    return staging.getMappedRange().slice(0, bytes)
  } finally {
    staging.destroy()
  }
}

export async function readFloats(gpu: Gpu, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  return new Float32Array(await readBuffer(gpu, buffer, 4 * count))
}

export async function readWords(gpu: Gpu, buffer: GPUBuffer, count: number): Promise<Uint32Array> {
  return new Uint32Array(await readBuffer(gpu, buffer, 4 * count))
}

/** Reads a matrix back without its padding. */
export async function readMatrix(gpu: Gpu, matrix: GpuMatrix): Promise<Matrix> {
  const { rows, cols, stride } = matrix
  const padded = await readFloats(gpu, matrix.buffer, rows * stride)
  if (stride === cols) return { rows, cols, data: padded }
  const data = new Float32Array(rows * cols)
  for (let row = 0; row < rows; row++) data.set(padded.subarray(row * stride, row * stride + cols), row * cols)
  return { rows, cols, data }
}
