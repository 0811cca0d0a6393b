import { describe, expect, it } from 'vitest'
import { openGpu } from '../../src/gpu/device'
import { testNavigatorGpu } from '../support/gpu'

/** `gpu` whose adapters refuse what `refuses` says, as a driver with a smaller limit than it reports does. */
function refusing(gpu: GPU, refuses: (descriptor: GPUDeviceDescriptor) => boolean): GPU {
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = await gpu.requestAdapter(options)
    if (!adapter) return null
    const requestDevice = async (descriptor: GPUDeviceDescriptor = {}) => {
      if (refuses(descriptor)) throw new Error('too much')
      return adapter.requestDevice(descriptor)
    }
    return { features: adapter.features, limits: adapter.limits, info: adapter.info, requestDevice } as GPUAdapter
  }
  return { requestAdapter, wgslLanguageFeatures: gpu.wgslLanguageFeatures } as unknown as GPU
}

const features = ({ requiredFeatures = [] }: GPUDeviceDescriptor) => [...requiredFeatures]

describe('openGpu', () => {
  it('asks for the features the adapter has, and says what it was granted', async () => {
    const gpu = await testNavigatorGpu()
    const asked: string[] = []
    const opened = await openGpu(
      refusing(gpu, (descriptor) => {
        asked.push(...features(descriptor))
        return false
      }),
    )
    const offered = (await gpu.requestAdapter())?.features
    expect(asked).toEqual(['subgroups', 'shader-f16', 'timestamp-query'].filter((name) => offered?.has(name)))
    expect(opened.adapter.features).toEqual(expect.arrayContaining(asked))
  })

  it('opens a plain device where the full one is refused', async () => {
    const gpu = await testNavigatorGpu()
    const opened = await openGpu(refusing(gpu, ({ requiredLimits = {} }) => Object.keys(requiredLimits).length > 0))
    expect(opened.adapter.features).not.toContain('timestamp-query')
    expect(opened.adapter.maxBufferBytes).toBe(268_435_456)
    expect(opened.pool.limitBytes).toBe(134_217_728)
  })

  it('says why when the plain one is refused too', async () => {
    const gpu = refusing(await testNavigatorGpu(), () => true)
    await expect(openGpu(gpu)).rejects.toMatchObject({
      code: 'GP-04',
      message: 'GPU device: the adapter refused one (too much).',
    })
  })
})
