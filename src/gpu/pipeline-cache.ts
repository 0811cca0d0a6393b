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

export interface PipelineCache {
  /** The compiled pipeline; compiles on the spot if `warm` has not done so before. */
  get(kernel: Kernel, overrides?: Overrides): GPUComputePipeline
  /** Compiles ahead of use without blocking. */
  warm(kernel: Kernel, overrides?: Overrides): Promise<void>
}

/** Names a module: the kernel's file, and the library it is compiled with where there is a choice. */
function moduleKey({ name, variant }: Kernel): string {
  return variant === undefined ? name : `${name}.${variant}`
}

function keyOf(kernel: Kernel, overrides: Overrides): string {
  const values = Object.entries(overrides).map(([name, value]) => `${name}=${value}`)
  return `${moduleKey(kernel)}(${values.join(',')})`
}

/** Pipelines of one device, keyed by kernel name, variant and override values. */
export function createPipelineCache(device: GPUDevice): PipelineCache {
  const pipelines = new Map<string, GPUComputePipeline>()
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
    label: keyOf(kernel, overrides),
    layout: layoutOf(kernel.bindings),
    compute: { module: moduleOf(kernel), entryPoint: kernel.name, constants: { ...overrides } },
  })

  return {
    get(kernel, overrides = {}) {
      const key = keyOf(kernel, overrides)
      let pipeline = pipelines.get(key)
      if (!pipeline) {
        pipeline = device.createComputePipeline(describe(kernel, overrides))
        pipelines.set(key, pipeline)
      }
      return pipeline
    },
    async warm(kernel, overrides = {}) {
      const key = keyOf(kernel, overrides)
      if (!pipelines.has(key)) pipelines.set(key, await device.createComputePipelineAsync(describe(kernel, overrides)))
    },
  }
}
