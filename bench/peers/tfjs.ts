import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-webgpu'
import type { Peer } from '../../src/experiment/bench/peer'
import { idleOf } from './idle'

/** The part of its WebGPU backend that is needed to wait for the GPU. */
interface Backend {
  endComputePassEncoder(): void
  submitQueue(): void
  readonly device: GPUDevice
}

/** TensorFlow.js with its WebGPU backend. */
export async function openTfjs(): Promise<Peer> {
  await tf.setBackend('webgpu')
  await tf.ready()
  const backend = tf.backend() as unknown as Backend
  const idle = idleOf(backend.device, 'TF.js')
  return {
    name: `tfjs-webgpu ${tf.version_core}`,
    async prepare(a, b) {
      const left = tf.tensor2d(a.data, [a.rows, a.cols])
      const right = tf.tensor2d(b.data, [b.rows, b.cols])
      return {
        async run(repetitions) {
          for (let i = 0; i < repetitions; i++) tf.matMul(left, right).dispose()
          // It submits by itself after some dispatches only.
          backend.endComputePassEncoder()
          backend.submitQueue()
          await idle()
        },
        async read() {
          const y = tf.matMul(left, right)
          const data = await y.data()
          y.dispose()
          return { rows: a.rows, cols: b.cols, data: Float32Array.from(data) }
        },
        dispose: () => tf.dispose([left, right]),
      }
    },
  }
}
