/** What the benchmark uses of the other libraries, so that types are checked where they are not installed. */

declare module '@tensorflow/tfjs-core' {
  export interface Tensor {
    data(): Promise<ArrayLike<number>>
    dispose(): void
  }
  export const version_core: string
  export function setBackend(name: string): Promise<boolean>
  export function ready(): Promise<void>
  export function backend(): object
  export function tensor2d(values: Float32Array, shape: [number, number]): Tensor
  export function matMul(a: Tensor, b: Tensor): Tensor
  export function dispose(tensors: Tensor[]): void
}

declare module '@tensorflow/tfjs-backend-webgpu' {}

declare module 'onnxruntime-web/webgpu' {
  export interface GpuTensor {
    readonly dims: readonly number[]
  }
  type Tensors = Readonly<Record<string, GpuTensor>>
  export const Tensor: {
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: 'float32' | 'uint8'; dims: readonly number[] }): GpuTensor
  }
  export const InferenceSession: {
    create(
      model: Uint8Array,
      options: { executionProviders: readonly string[] },
    ): Promise<{ run(feeds: Tensors, fetches: Tensors): Promise<Tensors>; release(): Promise<void> }>
  }
  export const env: {
    readonly wasm: { numThreads: number }
    readonly webgpu: { readonly device: Promise<GPUDevice> }
    readonly versions: { readonly web: string }
  }
}

declare module '@jax-js/jax' {
  export interface Array {
    readonly ref: Array
    data(): Promise<ArrayLike<number>>
    dispose(): void
  }
  export const numpy: {
    array(values: Float32Array, options: { shape: number[] }): Array
    matmul(a: Array, b: Array): Array
  }
  export function init(device: 'webgpu'): Promise<readonly string[]>
  export function defaultDevice(device: 'webgpu'): string
  export function getWebGPUDevice(): GPUDevice
  export function blockUntilReady<T>(arrays: T): Promise<T>
}
