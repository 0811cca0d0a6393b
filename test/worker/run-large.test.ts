import { expect, test } from 'vitest'
import { createRandom } from '../../src/core/random'
import type { LayerSources } from '../../src/experiment/load-layer'
import { parseSetting } from '../../src/experiment/settings'
import { STANDARD_MX } from '../../src/formats/quantizer'
import { createBufferPool } from '../../src/gpu/buffer-pool'
import { blobSource } from '../../src/io/byte-source'
import { readHeader } from '../../src/io/read-header'
import { writeSafetensors } from '../../src/io/write-safetensors'
import type { RunEvent } from '../../src/worker/protocol'
import { isLarge, runLarge } from '../../src/worker/run-large'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

async function sources(): Promise<LayerSources> {
  const random = createRandom(1)
  const tensors = [
    ['w', 640],
    ['x', 500],
  ] as const
  const file = writeSafetensors(
    tensors.map(([name, rows]) => {
      const bytes = new Uint8Array(Float32Array.from({ length: rows * 192 }, () => random.normal()).buffer)
      return { name, dtype: 'F32', shape: [rows, 192], bytes }
    }),
  )
  const source = blobSource('layer.safetensors', new Blob([file]))
  const header = await readHeader(source)
  const at = (name: string) => ({ source, tensor: header.tensors.filter((one) => one.name === name)[0] })
  return {
    weight: at('w'),
    activations: { kind: 'captured', calibration: at('x'), evaluation: null },
    ...{ heldOutShare: 0.5, firstToken: 0, tokens: null, tensors: header.tensors },
  }
}

const request = {
  ...STANDARD_MX,
  settings: [parseSetting('W4A4')],
  methods: [
    { id: 'rtn', options: {} },
    { id: 'awq', options: {} },
  ],
  ...{ seed: 0, headDim: null, scaleAnalysis: false },
}

test('a layer beyond a buffer runs in pieces, says when it is loaded, and leaves nothing on the device', async () => {
  const gpu = { ...t.gpu, pool: createBufferPool(t.gpu.device, { maxBytes: 400_000 }) }
  const layer = await sources()
  expect(isLarge(layer, gpu)).toBe(true)
  expect(isLarge(layer, t.gpu)).toBe(false)
  const events: RunEvent['kind'][] = []
  const signal = new AbortController().signal
  const context = { gpu, signal, now: () => 0 }
  await runLarge(layer, { request, context, emit: ({ kind }) => events.push(kind) }, () => expect(events).toEqual([]))
  expect(events.filter((kind) => kind !== 'progress' && kind !== 'compiling')).toEqual([
    'layer',
    'plan',
    'started',
    'outcome',
    'started',
    'outcome',
  ])
  expect(gpu.pool.liveBytes).toBe(0)
  expect(gpu.pool.largestBytes).toBeLessThanOrEqual(400_000)
})

test('a cancelled run gives everything back', async () => {
  const gpu = { ...t.gpu, pool: createBufferPool(t.gpu.device, { maxBytes: 400_000 }) }
  const controller = new AbortController()
  let loaded = 0
  const context = { gpu, signal: controller.signal, now: () => 0 }
  const emit = ({ kind }: RunEvent) => kind === 'started' && controller.abort()
  const run = runLarge(await sources(), { request, context, emit }, () => loaded++)
  await expect(run).rejects.toMatchObject({ name: 'AbortError' })
  expect([gpu.pool.liveBytes, loaded]).toEqual([0, 1])
})
