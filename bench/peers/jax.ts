import { blockUntilReady, defaultDevice, getWebGPUDevice, init, type Array as JaxArray, numpy as np } from '@jax-js/jax'
import type { Matrix } from '../../src/core/matrix'
import type { Peer } from '../../src/experiment/bench/peer'
import { dependencies } from '../package.json'
import { idleOf } from './idle'

const upload = ({ rows, cols, data }: Matrix): JaxArray => np.array(data, { shape: [rows, cols] })

/** jax-js on WebGPU. An array it is given is consumed; `ref` keeps it. */
export async function openJax(): Promise<Peer> {
  await init('webgpu')
  defaultDevice('webgpu')
  const idle = idleOf(getWebGPUDevice(), 'jax-js')
  return {
    name: `jax-js ${dependencies['@jax-js/jax']}`,
    async prepare(a, b) {
      const [left, right] = await blockUntilReady([upload(a), upload(b)])
      const multiply = () => np.matmul(left.ref, right.ref)
      return {
        async run(repetitions) {
          // A result that is dropped before somebody waits for it is never computed.
          const results = await blockUntilReady(Array.from({ length: repetitions }, multiply))
          await idle()
          for (const result of results) result.dispose()
        },
        async read() {
          const data = await multiply().data()
          return { rows: a.rows, cols: b.cols, data: Float32Array.from(data) }
        },
        dispose() {
          left.dispose()
          right.dispose()
        },
      }
    },
  }
}
