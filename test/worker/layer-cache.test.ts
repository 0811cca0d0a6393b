import { expect, test } from 'vitest'
import type { LayerSources } from '../../src/experiment/load-layer'
import { blobSource } from '../../src/io/byte-source'
import { readHeader } from '../../src/io/read-header'
import { DEFAULT_SYNTHETIC } from '../../src/io/synthetic'
import { writeSafetensors } from '../../src/io/write-safetensors'
import { createLayerCache } from '../../src/worker/layer-cache'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

async function sourcesOf(): Promise<LayerSources> {
  const bytes = new Uint8Array(Float32Array.from({ length: 32 * 32 }, (_, i) => i % 7).buffer)
  const file = writeSafetensors([{ name: 'w', dtype: 'F32', shape: [32, 32], bytes }])
  const source = blobSource('layer.safetensors', new Blob([file]))
  const { tensors } = await readHeader(source)
  return {
    weight: { source, tensor: tensors[0] },
    activations: { kind: 'synthetic', spec: { ...DEFAULT_SYNTHETIC, tokens: 16, seed: 1 }, gain: null },
    ...{ heldOutShare: 0, firstToken: 0, tokens: null, tensors },
  }
}

test('what is kept for a layer is let go before the layer is, and not while it stays', async () => {
  const sources = await sourcesOf()
  const live: number[] = []
  const cache = createLayerCache(() => live.push(t.gpu.pool.liveBytes))
  const use = (key: string) =>
    cache.use({ key, sources: () => sources, gpu: t.gpu, signal: new AbortController().signal }, () => {
      return t.gpu.pool.liveBytes
    })
  const bytes = await use('a')
  await use('a')
  expect(live).toEqual([])
  expect(await use('b')).toBe(bytes)
  expect(live).toEqual([bytes])
  await cache.drop()
  expect(live).toEqual([bytes, bytes])
  await cache.drop()
  expect(live).toHaveLength(2)
})
