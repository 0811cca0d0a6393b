import * as ort from 'onnxruntime-web/webgpu'
import type { Matrix } from '../../src/core/matrix'
import type { Int4Weight, Peer, PeerProduct } from '../../src/experiment/bench/peer'
import { idleOf } from './idle'
import { INT4_BLOCK, int4Model, matmulModel } from './matmul-model'

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

/** An operand by the name the model has for it. */
interface Feed {
  readonly name: string
  readonly data: Float32Array | Uint8Array
  readonly dataType: 'float32' | 'uint8'
  readonly dims: readonly number[]
}

const sessionOf = (model: Uint8Array) => ort.InferenceSession.create(model, { executionProviders: ['webgpu'] })

type Session = Awaited<ReturnType<typeof sessionOf>>

/** y [rows, cols] of a session, operands and result in buffers of the GPU. */
function productOf(
  { session, device, idle }: { session: Session; device: GPUDevice; idle: () => Promise<void> },
  feeds: readonly Feed[],
  { rows, cols }: { rows: number; cols: number },
): PeerProduct {
  const uploads = feeds.map(({ name, data, dataType, dims }) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: USAGE })
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>)
    return { buffer, named: [name, ort.Tensor.fromGpuBuffer(buffer, { dataType, dims })] as const }
  })
  const inputs = Object.fromEntries(uploads.map(({ named }) => named))
  const result = device.createBuffer({ size: 4 * rows * cols, usage: USAGE })
  const fetches = { y: ort.Tensor.fromGpuBuffer(result, { dataType: 'float32', dims: [rows, cols] }) }
  return {
    async run(repetitions) {
      for (let i = 0; i < repetitions; i++) await session.run(inputs, fetches)
      await idle()
    },
    async read() {
      await session.run(inputs, fetches)
      return { rows, cols, data: await readBuffer(device, result) }
    },
    dispose() {
      for (const { buffer } of uploads) buffer.destroy()
      result.destroy()
    },
  }
}

/** ONNX Runtime Web with its WebGPU execution provider: MatMul, and MatMulNBits in blocks of 32 with f32 sums. */
export async function openOrt(): Promise<Peer> {
  // More threads would need headers that a plain server does not send, and do nothing for the GPU.
  ort.env.wasm.numThreads = 1
  const session = await sessionOf(matmulModel())
  const device = await ort.env.webgpu.device
  const idle = idleOf(device, 'ONNX Runtime')
  const floats = (name: string, { rows, cols, data }: Matrix): Feed => {
    return { name, data, dataType: 'float32', dims: [rows, cols] }
  }
  return {
    name: `onnxruntime-web ${ort.env.versions.web}`,
    async prepare(a, b) {
      const shape = { rows: a.rows, cols: b.cols }
      return productOf({ session, device, idle }, [floats('a', a), floats('b', b)], shape)
    },
    int4: {
      name: 'MatMulNBits',
      async prepare(x, w: Int4Weight) {
        const blocks = w.cols / INT4_BLOCK
        const codes: Feed = { name: 'codes', data: w.codes, dataType: 'uint8', dims: [w.rows, blocks, INT4_BLOCK / 2] }
        const scales = floats('scales', { rows: w.rows, cols: blocks, data: w.scales })
        const own = await sessionOf(int4Model(w))
        const product = productOf({ session: own, device, idle }, [floats('a', x), codes, scales], {
          rows: x.rows,
          cols: w.rows,
        })
        return {
          ...product,
          dispose() {
            product.dispose()
            void own.release()
          },
        }
      },
    },
  }
}
