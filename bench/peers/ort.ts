import * as ort from 'onnxruntime-web/webgpu'
import type { Matrix } from '../../src/core/matrix'
import type { Peer } from '../../src/experiment/bench/peer'
import { idleOf } from './idle'
import { matmulModel } from './matmul-model'

const USAGE = 0x80 | 0x08 | 0x04 // STORAGE, COPY_DST, COPY_SRC

async function readBuffer(device: GPUDevice, buffer: GPUBuffer): Promise<Float32Array<ArrayBuffer>> {
  const staging = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ })
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size)
  device.queue.submit([encoder.finish()])
  await staging.mapAsync(GPUMapMode.READ)
  const data = new Float32Array(staging.getMappedRange().slice(0))
  staging.destroy()
  return data
}

/** ONNX Runtime Web with its WebGPU execution provider: MatMul, operands and result in buffers of the GPU. */
export async function openOrt(): Promise<Peer> {
  // More threads would need headers that a plain server does not send, and do nothing for the GPU.
  ort.env.wasm.numThreads = 1
  const session = await ort.InferenceSession.create(matmulModel(), { executionProviders: ['webgpu'] })
  const device = await ort.env.webgpu.device
  const idle = idleOf(device, 'ONNX Runtime')
  return {
    name: `onnxruntime-web ${ort.env.versions.web}`,
    async prepare(a, b) {
      const bufferOf = ({ data }: Matrix) => {
        const buffer = device.createBuffer({ size: data.byteLength, usage: USAGE })
        device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>)
        return buffer
      }
      const [left, right] = [bufferOf(a), bufferOf(b)]
      const result = device.createBuffer({ size: 4 * a.rows * b.cols, usage: USAGE })
      const tensor = (buffer: GPUBuffer, dims: number[]) =>
        ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims })
      const feeds = { a: tensor(left, [a.rows, a.cols]), b: tensor(right, [b.rows, b.cols]) }
      const fetches = { y: tensor(result, [a.rows, b.cols]) }
      return {
        async run(repetitions) {
          for (let i = 0; i < repetitions; i++) await session.run(feeds, fetches)
          await idle()
        },
        async read() {
          await session.run(feeds, fetches)
          return { rows: a.rows, cols: b.cols, data: await readBuffer(device, result) }
        },
        dispose() {
          for (const buffer of [left, right, result]) buffer.destroy()
        },
      }
    },
  }
}
