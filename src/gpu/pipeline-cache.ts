import { GpuError } from '../core/errors'

/** What one storage binding is to a kernel. Binding 0 is always the uniform block; storage bindings follow from 1. */
export type Access = 'read' | 'write'

/** A kernel as data: its WGSL, the libraries concatenated after it, its storage bindings in order. */
export interface Kernel {
  /** File name without .wgsl, and the name of its entry point. */
  readonly name: string
  /** Tells kernels of one file apart that are compiled with different libraries. */
  readonly variant?: string
  /** Text of the kernel file followed by the texts of the lib/ files it uses. */
  readonly code: string
  readonly bindings: readonly Access[]
}

/** Values for the kernel's `override` constants. */
export type Overrides = Readonly<Record<string, number>>

/** A kernel with the constants it is compiled with: what names a pipeline. */
export interface PipelineUse {
  readonly kernel: Kernel
  readonly overrides: Overrides
}

export interface PipelineCache {
  /** The compiled pipeline; compiles on the spot, and blocks, where `warm` has not done so before. */
  get(kernel: Kernel, overrides?: Overrides): GPUComputePipeline
  /**
   * Compiles ahead of use without blocking, once however often it is asked. Rejects with GpuError GP-05, which names the
   * kernel, where the device refuses it; asking again tries again.
   */
  warm(kernel: Kernel, overrides?: Overrides): Promise<void>
}

/** Names a module: the kernel's file, and the library it is compiled with where there is a choice. */
function moduleKey({ name, variant }: Kernel): string {
  return variant === undefined ? name : `${name}.${variant}`
}

/** What names a pipeline: kernel, variant and override values. */
export function pipelineKey({ kernel, overrides }: PipelineUse): string {
  const values = Object.entries(overrides).map(([name, value]) => `${name}=${value}`)
  return `${moduleKey(kernel)}(${values.join(',')})`
}

/**
 * Pipelines of one device, by kernel name, variant and override values. They are kept as long as the device, for they are
 * few: all methods under all named settings use 91, another rule of MX scales adds 24, and since sizes are in uniforms, other
 * layers add only those of other Hadamard and Kronecker factors.
 */
export function createPipelineCache(device: GPUDevice): PipelineCache {
  const pipelines = new Map<string, GPUComputePipeline>()
  const compiling = new Map<string, Promise<void>>()
  const modules = new Map<string, GPUShaderModule>()
  const layouts = new Map<string, GPUPipelineLayout>()

  const moduleOf = (kernel: Kernel) => {
    const key = moduleKey(kernel)
    let module = modules.get(key)
    if (!module) {
      module = device.createShaderModule({ label: key, code: kernel.code })
      modules.set(key, module)
    }
    return module
  }

  /** One explicit layout per binding signature, with a dynamic offset for the uniform block. */
  const layoutOf = (bindings: readonly Access[]) => {
    const key = bindings.join()
    let layout = layouts.get(key)
    if (!layout) {
      const uniform: GPUBindGroupLayoutEntry = {
        binding: 0,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true },
      }
      const storage = bindings.map(
        (access, index): GPUBindGroupLayoutEntry => ({
          binding: index + 1,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
        }),
      )
      const group = device.createBindGroupLayout({ label: `group(${key})`, entries: [uniform, ...storage] })
      layout = device.createPipelineLayout({ label: `layout(${key})`, bindGroupLayouts: [group] })
      layouts.set(key, layout)
    }
    return layout
  }

  const describe = (kernel: Kernel, overrides: Overrides): GPUComputePipelineDescriptor => ({
    label: pipelineKey({ kernel, overrides }),
    layout: layoutOf(kernel.bindings),
    compute: { module: moduleOf(kernel), entryPoint: kernel.name, constants: { ...overrides } },
  })

  const compile = async (kernel: Kernel, overrides: Overrides) => {
    const key = pipelineKey({ kernel, overrides })
    try {
      const pipeline = await createAsync(device, () => describe(kernel, overrides))
      // A dispatch that could not wait has made its own meanwhile.
      if (!pipelines.has(key)) pipelines.set(key, pipeline)
    } finally {
      compiling.delete(key)
    }
  }

  return {
    get(kernel, overrides = {}) {
      const key = pipelineKey({ kernel, overrides })
      let pipeline = pipelines.get(key)
      if (!pipeline) {
        pipeline = device.createComputePipeline(describe(kernel, overrides))
        pipelines.set(key, pipeline)
      }
      return pipeline
    },
    warm(kernel, overrides = {}) {
      const key = pipelineKey({ kernel, overrides })
      if (pipelines.has(key)) return Promise.resolve()
      let under = compiling.get(key)
      if (!under) {
        under = compile(kernel, overrides)
        compiling.set(key, under)
      }
      return under
    },
  }
}

/**
 * Compiles what `describe` gives. It makes the module, whose errors the device tells to the scope that is open then: not to
 * that of a run going on beside, but here.
 */
async function createAsync(
  device: GPUDevice,
  describe: () => GPUComputePipelineDescriptor,
): Promise<GPUComputePipeline> {
  device.pushErrorScope('validation')
  const descriptor = describe()
  const refused = device.popErrorScope().catch(() => null)
  try {
    return await device.createComputePipelineAsync(descriptor)
  } catch (cause) {
    const reason = (await refused)?.message ?? (cause instanceof Error ? cause.message : String(cause))
    throw new GpuError('GP-05', `the GPU refused to compile "${descriptor.label}": ${reason}`, { cause })
  }
}
