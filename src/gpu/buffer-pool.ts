import { GpuError, UnsupportedError } from '../core/errors'

/** Storage buffers by size class, so that a step allocates nothing new once it has run before. */
export interface BufferPool {
  /**
   * A buffer of at least `bytes`, contents undefined. Throws UnsupportedError GP-02 beyond the device's limits, OutOfMemory
   * once the device has answered that it had no memory for an earlier one.
   */
  acquire(bytes: number, label: string): GPUBuffer
  release(buffer: GPUBuffer): void
  /** Destroys every buffer that is not in use, and forgets what could not be had. */
  trim(): void
  /** Waits for the device's answers about large buffers; the first that could not be had, null: all could. */
  settled(): Promise<OutOfMemory | null>
  /** Bytes handed out and not released. */
  readonly liveBytes: number
  /** Largest value of liveBytes so far. */
  readonly peakBytes: number
  /** No buffer may be larger. */
  readonly limitBytes: number
  /** The largest buffer handed out so far. */
  readonly largestBytes: number
  /** Uniform blocks waiting for a recorder. */
  readonly uniforms: GPUBuffer[]
  /** A run that takes more than it planned fails, instead of saying so (memory-meter.ts): for tests. */
  readonly isStrict: boolean
}

/** GP-03: the device had no memory for a buffer. */
export class OutOfMemory extends GpuError {
  /** Bytes that were asked for, and that the pool had handed out before; null where only a step is known to have failed. */
  readonly lacking: { readonly bytes: number; readonly liveBytes: number } | null

  constructor(what: string, lacking: OutOfMemory['lacking']) {
    super('GP-03', `out of GPU memory: ${what}. Use fewer tokens or a smaller tensor.`)
    this.lacking = lacking
  }
}

export interface PoolOptions {
  /** No buffer may be larger, whatever the device allows. */
  readonly maxBytes?: number
  readonly isStrict?: boolean
}

/** Buffers above this many bytes take hardly more than what is asked for. */
export const EXACT_ABOVE = 16 * 2 ** 20

/** What a buffer of `bytes` takes: powers of two and 1.5 x powers of two up to 16 MiB, multiples of 64 KiB above. */
export function sizeClass(bytes: number): number {
  if (bytes > EXACT_ABOVE) return Math.ceil(bytes / 65_536) * 65_536
  const power = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)))
  const threeQuarters = 0.75 * power
  return bytes <= threeQuarters && threeQuarters % 4 === 0 ? threeQuarters : power
}

/** A number of bytes in MiB, in KiB below a tenth of one, as messages have it. */
export const mebibytes = (bytes: number) =>
  bytes < 2 ** 20 / 10 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 27 ? 1 : 0)} MiB`

/** Bytes needed and allowed, in bytes where they are small or would read the same. */
export function bytesApart(needed: number, allowed: number): readonly [needed: string, allowed: string] {
  const [a, b] = [mebibytes(needed), mebibytes(allowed)]
  return a === b || allowed < 2 ** 20 ? [`${needed} bytes`, `${allowed} bytes`] : [a, b]
}

/** Asks for a buffer, and whether there was memory for it: a large one is asked about by itself, to be told early. */
function createBuffers(device: GPUDevice, liveBytes: () => number) {
  const asked = new Set<Promise<void>>()
  let failed: OutOfMemory | null = null
  return {
    create(size: number, label: string): GPUBuffer {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
      const descriptor = { label, size, usage }
      if (size <= EXACT_ABOVE) return device.createBuffer(descriptor)
      const before = liveBytes() - size
      device.pushErrorScope('out-of-memory')
      const buffer = device.createBuffer(descriptor)
      // A lost device refuses to answer; whoever waits for its work hears of the loss.
      const refused = device.popErrorScope().catch(() => null)
      const answer = refused.then((error) => {
        asked.delete(answer)
        const numbers = `"${label}" needs ${mebibytes(size)} beside ${mebibytes(before)} in use`
        if (error) failed ??= new OutOfMemory(numbers, { bytes: size, liveBytes: before })
      })
      asked.add(answer)
      return buffer
    },
    failed: () => failed,
    settled: async () => {
      await Promise.all(asked)
      return failed
    },
    forget: () => {
      failed = null
    },
  }
}

/** A pool of `device` whose buffers are no larger than its limits, and than `maxBytes`. */
export function createBufferPool(
  device: GPUDevice,
  { maxBytes = Number.POSITIVE_INFINITY, isStrict = false }: PoolOptions = {},
): BufferPool {
  const free = new Map<number, GPUBuffer[]>()
  const uniforms: GPUBuffer[] = []
  let liveBytes = 0
  let peakBytes = 0
  let largestBytes = 0
  const limit = Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize, maxBytes)
  const buffers = createBuffers(device, () => liveBytes)

  return {
    uniforms,
    isStrict,
    acquire(bytes, label) {
      if (bytes > limit) {
        const [needed, allowed] = bytesApart(bytes, limit)
        throw new UnsupportedError(
          'GP-02',
          `"${label}" needs a buffer of ${needed}; ${limit === maxBytes ? 'the limit set is' : 'this adapter allows'} ${allowed}.`,
        )
      }
      const failed = buffers.failed()
      if (failed) throw failed
      const size = Math.min(sizeClass(bytes), limit - (limit % 4))
      liveBytes += size
      peakBytes = Math.max(peakBytes, liveBytes)
      largestBytes = Math.max(largestBytes, size)
      const reused = free.get(size)?.pop()
      if (reused) {
        reused.label = label
        return reused
      }
      return buffers.create(size, label)
    },
    release(buffer) {
      liveBytes -= buffer.size
      const list = free.get(buffer.size)
      if (list) list.push(buffer)
      else free.set(buffer.size, [buffer])
    },
    trim() {
      for (const list of free.values()) for (const buffer of list) buffer.destroy()
      free.clear()
      buffers.forget()
    },
    settled: buffers.settled,
    get liveBytes() {
      return liveBytes
    },
    get peakBytes() {
      return peakBytes
    },
    limitBytes: limit,
    get largestBytes() {
      return largestBytes
    },
  }
}
