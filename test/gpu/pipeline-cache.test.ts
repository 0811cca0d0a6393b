import { describe, expect, it } from 'vitest'
import { createPipelineCache, type Kernel } from '../../src/gpu/pipeline-cache'
import { gpuFixture } from '../support/gpu'

const t = gpuFixture()

const KERNEL: Kernel = {
  name: 'store_one',
  code: `
    override VALUE: u32 = 1u;
    @group(0) @binding(0) var<uniform> params: vec4<u32>;
    @group(0) @binding(1) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(1) fn store_one() { y[0] = VALUE + params.x; }`,
  bindings: ['write'],
}

const BROKEN: Kernel = { ...KERNEL, name: 'broken', code: 'fn broken( {' }

/** The device of the fixture as a cache sees it, with a count of what it compiles, and of what it is made to wait for. */
function counting() {
  const { device } = t.gpu
  const asked = { blocking: 0, ahead: 0 }
  const counted: Partial<GPUDevice> = {
    createShaderModule: (descriptor) => device.createShaderModule(descriptor),
    createBindGroupLayout: (descriptor) => device.createBindGroupLayout(descriptor),
    createPipelineLayout: (descriptor) => device.createPipelineLayout(descriptor),
    pushErrorScope: (filter) => device.pushErrorScope(filter),
    popErrorScope: () => device.popErrorScope(),
    createComputePipeline(descriptor) {
      asked.blocking += 1
      return device.createComputePipeline(descriptor)
    },
    createComputePipelineAsync(descriptor) {
      asked.ahead += 1
      return device.createComputePipelineAsync(descriptor)
    },
  }
  return { asked, cache: createPipelineCache(counted as GPUDevice) }
}

describe('createPipelineCache', () => {
  it('compiles once what is asked for twice while it compiles, and hands it out without waiting', async () => {
    const { asked, cache } = counting()
    await Promise.all([cache.warm(KERNEL), cache.warm(KERNEL), cache.warm(KERNEL, { VALUE: 2 })])
    await cache.warm(KERNEL)
    expect(cache.get(KERNEL)).toBe(cache.get(KERNEL))
    expect(cache.get(KERNEL, { VALUE: 2 })).not.toBe(cache.get(KERNEL))
    expect(asked).toEqual({ blocking: 0, ahead: 2 })
  })

  it('gives a dispatch that cannot wait a pipeline of its own, which stays', async () => {
    const { asked, cache } = counting()
    const ahead = cache.warm(KERNEL)
    const own = cache.get(KERNEL)
    await ahead
    expect(cache.get(KERNEL)).toBe(own)
    expect(asked).toEqual({ blocking: 1, ahead: 1 })
  })

  it('rejects with the name of a kernel that is refused and what the compiler said, and tries again when asked again', async () => {
    const { asked, cache } = counting()
    // The scope of the fixture is open, as that of a run is: it hears nothing of this.
    await expect(cache.warm(BROKEN, { VALUE: 3 })).rejects.toMatchObject({
      code: 'GP-05',
      message: expect.stringMatching(/^the GPU refused to compile "broken\(VALUE=3\)": [\s\S]*expected/),
    })
    await expect(cache.warm(BROKEN, { VALUE: 3 })).rejects.toMatchObject({ code: 'GP-05' })
    expect(asked).toEqual({ blocking: 0, ahead: 2 })
  })
})
